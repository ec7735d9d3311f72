import Foundation

/// A JSON value as a test sees it; numbers keep their text.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Reads one document; throws for anything else. (A reader of our own, so that the server's is not its judge.)
    package init(_ bytes: some Sequence<UInt8>) throws {
        var reader = JSONReader(bytes: Array(bytes))
        self = try reader.document()
    }

    package init(text: String) throws { try self.init(text.utf8) }

    /// What is found by going down the members and elements; nil when there is no such thing.
    package subscript(_ path: JSONStep...) -> JSON? {
        var value = self
        for step in path {
            switch (step, value) {
            case (.name(let name), .object(let members)):
                guard let next = members[name] else { return nil }
                value = next
            case (.index(let index), .array(let elements)):
                guard elements.indices.contains(index) else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var number: Double? { if case .number(let text) = self { Double(text) } else { nil } }
    package var list: [JSON]? { if case .array(let list) = self { list } else { nil } }
    package var members: [String: JSON]? { if case .object(let members) = self { members } else { nil } }

    /// As text, with the names in order.
    package var encoded: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): quoted(text)
        case .array(let list): "[" + list.map(\.encoded).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { quoted($0) + ":" + $1.encoded }.joined(
                    separator: ",")
                + "}"
        }
    }
}

package enum JSONStep: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case name(String)
    case index(Int)
    package init(stringLiteral value: String) { self = .name(value) }
    package init(integerLiteral value: Int) { self = .index(value) }
}

// Not by `nil`: `isThere ? value : nil` would then be a null that is there.
extension JSON: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

/// A JSON string literal of `text`.
package func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\u{0}"..<" ": out += String(format: "\\u%04x", scalar.value)
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
