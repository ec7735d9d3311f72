import Foundations
import Payload

/// A JSON value that was read or is about to be written; an object's members keep their order.
indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case decimal(Double)
    case text(String)
    case list([JSONValue])
    case object([Member])
    /// JSON text that is known to be whole, such as PostgreSQL's `jsonb`.
    case json(String)

    struct Member: Sendable, Equatable {
        let name: String
        let value: JSONValue
    }
}

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    init(nilLiteral: ()) { self = .null }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(floatLiteral value: Double) { self = .decimal(value) }
    init(stringLiteral value: String) { self = .text(value) }
    init(arrayLiteral elements: JSONValue...) { self = .list(elements) }
    init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}

/// What may be missing becomes null.
extension JSONValue {
    init(_ text: String?) { self = text.map { .text($0) } ?? .null }
    init(_ number: Int?) { self = number.map { .integer($0) } ?? .null }
    init(_ number: Double?) { self = number.map { .decimal($0) } ?? .null }
    init(_ flag: Bool?) { self = flag.map { .bool($0) } ?? .null }
    init(_ id: UUID?) { self = id.map { .text($0.description) } ?? .null }
    init(_ moment: Timestamp?) { self = moment.map { .text($0.rfc3339) } ?? .null }
    init(_ texts: [String]) { self = .list(texts.map { .text($0) }) }
    init(json: String?) { self = json.map { .json($0) } ?? .null }
}

extension JSONValue {
    /// The value under a name; nil when there is none, or when this is no object.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    var asText: String? { if case .text(let text) = self { text } else { nil } }

    /// What was scanned, with its strings decoded. Only for small texts whose depth is known to be small.
    init(_ node: JSONNode) {
        switch node.kind {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = JSONValue(number: node.bytes.text)
        case .string: self = .text(node.decodedText)
        case .array: self = .list(node.elements.map { JSONValue($0) })
        case .object:
            self = .object(node.members.map { Member(name: $0.key.decodedText, value: JSONValue($0.value)) })
        }
    }

    /// In JSON Schema 1.0 is an integer as well.
    private init(number text: String) {
        if let integer = Int(text) {
            self = .integer(integer)
        } else {
            let number = Double(text) ?? 0
            self = Int(exactly: number).map { .integer($0) } ?? .decimal(number)
        }
    }
}

extension JSONNode {
    fileprivate var decodedText: String {
        var buffer = ByteBuffer(capacity: contents.count)
        appendText(to: &buffer)
        return buffer.bytes.text
    }
}

extension ByteBuffer {
    mutating func append(_ value: JSONValue) {
        switch value {
        case .null: append("null" as StaticString)
        case .bool(let flag): append(flag ? "true" as StaticString : "false")
        case .integer(let number): append(decimal: number)
        case .decimal(let number):
            // JSON has neither infinity nor NaN.
            if number.isFinite { append(number.description) } else { append("null" as StaticString) }
        case .text(let text): appendJSONString(text, to: &self)
        case .json(let text): append(text)
        case .list(let elements):
            append(UInt8(ascii: "["))
            for (i, element) in elements.enumerated() {
                if i > 0 { append(UInt8(ascii: ",")) }
                append(element)
            }
            append(UInt8(ascii: "]"))
        case .object(let members):
            append(UInt8(ascii: "{"))
            for (i, member) in members.enumerated() {
                if i > 0 { append(UInt8(ascii: ",")) }
                appendJSONString(member.name, to: &self)
                append(UInt8(ascii: ":"))
                append(member.value)
            }
            append(UInt8(ascii: "}"))
        }
    }
}

extension Timestamp {
    /// `2026-11-22T06:00:00.123456Z`; years that RFC 3339 does not have are written as ISO 8601 has them.
    var rfc3339: String {
        func digits(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(width - text.count, 0)) + text
        }
        let date = CivilDate(daysSince1970: Int(day))
        let rest = microseconds - day * 86_400_000_000
        let clock =
            "\(digits(rest / 3_600_000_000, 2)):\(digits(rest / 60_000_000 % 60, 2)):\(digits(rest / 1_000_000 % 60, 2))"
        let fraction = rest % 1_000_000
        let plus = date.year > 9999 ? "+0" : ""
        return "\(plus)\(date)T\(clock)" + (fraction > 0 ? ".\(digits(fraction, 6))" : "") + "Z"
    }
}
