import Foundations
import Payload

/// Something that is sent in the path or in the query, as text, and what it must look like.
struct Parameter: Sendable {
    enum Place: String, Sendable { case path, query }

    let name: String
    let place: Place
    let shape: Shape
    let explanation: String
    let example: JSONValue
    /// What is meant when it is left out.
    var fallback: JSONValue?

    static func path(_ name: String, _ shape: Shape, _ explanation: String, like example: JSONValue)
        -> Parameter
    {
        Parameter(name: name, place: .path, shape: shape, explanation: explanation, example: example)
    }

    static func query(_ name: String, _ shape: Shape, _ explanation: String, like example: JSONValue)
        -> Parameter
    {
        Parameter(name: name, place: .query, shape: shape, explanation: explanation, example: example)
    }

    /// The value that a text stands for.
    func value(of text: String) throws(Misfit) -> JSONValue {
        let value = read(text)
        if let misfit = shape.misfit(value) {
            throw Misfit(kind: misfit.kind, path: [.text(name)] + misfit.path, expected: misfit.expected)
        }
        return value
    }

    /// What is no number stays a text, and then does not fit.
    private func read(_ text: String) -> JSONValue {
        switch shape.kind {
        case .integer:
            let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
            guard !digits.isEmpty, digits.allSatisfy({ $0 &- 48 < 10 }) else { break }
            // More digits than an integer holds are out of any range.
            return .integer(Int(text) ?? (text.hasPrefix("-") ? .min : .max))
        case .flag:
            if text == "true" { return true }
            if text == "false" { return false }
        default: break
        }
        return .text(text)
    }
}

extension Parameter {
    static let pageSizes = 1...500

    static let limit: Parameter = {
        var limit = Parameter.query(
            "limit", .integer(pageSizes), "how many items a page has at most", like: 20)
        limit.fallback = 50
        return limit
    }()

    /// Where the page before ended.
    static func after(_ shape: Shape, like example: JSONValue) -> Parameter {
        query("after", shape, "the `next` of the page before", like: example)
    }
}
