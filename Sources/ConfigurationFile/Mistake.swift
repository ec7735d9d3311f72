/// A place in a file, as editors count: lines and columns from 1.
package struct Place: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int

    package init(_ line: Int, _ column: Int) {
        self.line = line
        self.column = column
    }

    package static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// One mistake of a configuration: where, what, what was expected and found, and the nearest right name.
///
/// No text in it repeats a secret: values of secret keys and of variables are never put into `found`.
package struct Mistake: Sendable, Equatable {
    /// Nil: the mistake is about the file as a whole.
    package var place: Place?
    package var problem: String
    package var expected: String?
    package var found: String?
    /// The nearest known name.
    package var suggestion: String?

    package init(
        _ place: Place?, _ problem: String, expected: String? = nil, found: String? = nil,
        suggestion: String? = nil
    ) {
        self.place = place
        self.problem = problem
        self.expected = expected
        self.found = found
        self.suggestion = suggestion
    }

    /// `FILE:LINE:COLUMN: problem (expected …, found …; did you mean "…"?)`
    package func text(in file: String) -> String {
        let position = place.map { "\(file):\($0.line):\($0.column)" } ?? file
        let facts = [expected.map { "expected \($0)" }, found.map { "found \($0)" }].compactMap { $0 }
        let details = [
            facts.isEmpty ? nil : facts.joined(separator: ", "), suggestion.map { "did you mean \"\($0)\"?" },
        ].compactMap { $0 }
        return "\(position): \(problem)" + (details.isEmpty ? "" : " (\(details.joined(separator: "; ")))")
    }
}

/// Why a configuration cannot be used: all its mistakes at once, in the order of the file.
package struct ConfigurationErrors: Error, CustomStringConvertible, Equatable {
    package let file: String
    package let mistakes: [Mistake]

    package init(file: String, mistakes: [Mistake]) {
        self.file = file
        self.mistakes = mistakes
    }

    /// One line a mistake.
    package var lines: [String] { mistakes.map { $0.text(in: file) } }
    package var description: String { lines.joined(separator: "\n") }
}

/// What came up while a file was read; mistakes forbid a start, warnings do not.
package final class Findings {
    package private(set) var mistakes: [Mistake] = []
    package private(set) var warnings: [Mistake] = []

    package init() {}

    package func add(_ mistake: Mistake) { mistakes.append(mistake) }
    package func warn(_ place: Place?, _ text: String) { warnings.append(Mistake(place, text)) }

    /// By place; what was found first stays first where places are equal.
    package static func sorted(_ list: [Mistake]) -> [Mistake] {
        list.enumerated().sorted { a, b in
            let (x, y) = (a.element.place ?? Place(0, 0), b.element.place ?? Place(0, 0))
            return x == y ? a.offset < b.offset : x < y
        }.map(\.element)
    }
}
