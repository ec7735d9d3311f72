import Foundations
import Payload

/// A text with expressions in braces, as `params` have them: `not booked: {entry.route}`.
package struct Template: Sendable, Equatable {
    package let source: String
    private let parts: [Part]

    private enum Part: Sendable, Equatable {
        case text(String)
        case expression(Expression)
    }

    package init(_ source: String) throws(ExpressionError) {
        self.source = source
        var parts: [Part] = []
        let scalars = Array(source.unicodeScalars)
        var at = 0
        while at < scalars.count {
            let start = at
            while at < scalars.count, scalars[at] != "{" { at += 1 }
            if at > start { parts.append(.text(Self.string(scalars[start..<at]))) }
            guard at < scalars.count else { break }
            let end = try Self.end(of: scalars, from: at)
            let inside = Self.string(scalars[at + 1..<end])
            do throws(ExpressionError) {
                parts.append(.expression(try Expression(inside, .value)))
            } catch {
                throw error.moved(by: at + 1)
            }
            at = end + 1
        }
        self.parts = parts
    }

    /// Where the expression that begins at a brace ends; a brace in a text does not end it.
    private static func end(of scalars: [Unicode.Scalar], from start: Int) throws(ExpressionError) -> Int {
        var at = start + 1
        var quote: Unicode.Scalar?
        while at < scalars.count {
            let scalar = scalars[at]
            if let open = quote {
                if scalar == "\\" { at += 1 } else if scalar == open { quote = nil }
            } else if scalar == "\"" || scalar == "'" {
                quote = scalar
            } else if scalar == "}" {
                return at
            } else if scalar == "{" {
                throw ExpressionError(
                    "a brace inside an expression", at: at, expected: "{'{'} where a brace is meant")
            }
            at += 1
        }
        throw ExpressionError("the expression has no end", at: start, expected: "a closing }")
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// The expressions in it.
    package var expressions: [Expression] {
        parts.compactMap { part in
            if case .expression(let expression) = part { return expression }
            return nil
        }
    }

    /// Always a text; what is unknown is nothing.
    package func render(_ facts: Facts) -> String {
        var buffer = ByteBuffer(capacity: 64)
        for part in parts {
            switch part {
            case .text(let text): buffer.append(text)
            case .expression(let expression):
                Evaluator(facts: facts).value(expression) { $0.append(to: &buffer) }
            }
        }
        return buffer.bytes.text
    }
}
