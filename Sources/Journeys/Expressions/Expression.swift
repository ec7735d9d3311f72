import Payload

/// A parsed expression of the language of `docs/journeys.md`: no loops, no I/O, no recursion; any input gives a value
/// or *unknown*.
package struct Expression: Sendable, Equatable {
    /// As it was written, without white space at the ends.
    package let source: String
    let root: Node
    /// What it mentions, with where.
    let mentions: [Mention]

    /// What an expression is for, which bounds what may stand in it.
    package enum Purpose: Sendable {
        /// `where`, `who`, `if`: true, false or unknown.
        case condition
        /// `key`, `set`, a part of `params`: any value.
        case value
        /// A segment's `where`: a condition on the profile alone.
        case segment
    }

    package init(_ text: String, _ purpose: Purpose = .condition) throws(ExpressionError) {
        var parser = try ExpressionParser(text, purpose)
        root = try parser.expression()
        mentions = parser.mentions
        source = text
    }

    package static func == (a: Expression, b: Expression) -> Bool { a.source == b.source }

    /// A name that an expression depends on.
    package struct Mention: Sendable, Equatable {
        package enum Kind: Sendable, Equatable {
            case property, entryProperty, attribute, activity, segment, score
            /// Of the events that a `did` counts.
            case propertyOf(String)
            /// The profile's attributes as a whole, or the clock.
            case now, hour
        }
        package let kind: Kind
        package let name: String
        /// In characters.
        package let offset: Int
    }
}

extension Expression {
    package var segments: [String] { names(.segment) }
    package var scores: [String] { names(.score) }
    /// Keys of the activities that `did` and `last` look for.
    package var activities: [String] { names(.activity) }
    var readsClock: Bool { mentions.contains { $0.kind == .now || $0.kind == .hour } }
    package var readsAttributes: Bool { mentions.contains { $0.kind == .attribute } }

    private func names(_ kind: Mention.Kind) -> [String] {
        mentions.filter { $0.kind == kind }.map(\.name)
    }

    /// The parts that must all be true, each with its text: what an explanation goes through.
    var conjuncts: [(text: String, node: Node)] {
        let parts: [Node]
        if case .and(let nodes) = root.kind { parts = nodes } else { parts = [root] }
        return parts.map { (text($0.range), $0) }
    }

    func text(_ range: Range<Int>) -> String {
        let scalars = Array(source.unicodeScalars)
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range.clamped(to: 0..<scalars.count)])
        return String(view)
    }
}
