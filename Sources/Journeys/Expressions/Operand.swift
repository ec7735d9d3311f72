import Foundations
import Payload

/// What an expression comes to: a value, lazily read from JSON where it stands there, or unknown.
///
/// Bytes and nodes belong to a text that `Facts` keeps for as long as it lives.
enum Operand {
    case unknown
    case flag(Bool)
    case number(Decimal)
    /// A text without escapes, in place.
    case slice(Bytes)
    case text([UInt8])
    case time(Timestamp)
    /// An array or an object.
    case json(JSONNode)
    case list([Operand])
    case rows(Rows)
    case row(Rows, Int)
    case event(Reading)

    /// A value of a JSON text; null is unknown, and so is a number with too many digits.
    init(_ node: JSONNode?) {
        guard let node else {
            self = .unknown
            return
        }
        switch node.kind {
        case .true: self = .flag(true)
        case .false: self = .flag(false)
        case .null: self = .unknown
        case .number: self = Decimal(node.bytes).map(Operand.number) ?? .unknown
        case .object, .array: self = .json(node)
        case .string:
            if node.hasEscapes {
                var buffer = ByteBuffer(capacity: node.contents.count)
                node.appendText(to: &buffer)
                self = .text(Array(buffer.bytes))
            } else {
                self = .slice(node.contents)
            }
        }
    }

    init(_ decimal: Decimal?) { self = decimal.map(Operand.number) ?? .unknown }
    init(_ flag: Bool?) { self = flag.map(Operand.flag) ?? .unknown }

    var flag: Bool? {
        if case .flag(let flag) = self { return flag }
        return nil
    }

    var number: Decimal? {
        if case .number(let number) = self { return number }
        return nil
    }

    var isUnknown: Bool {
        if case .unknown = self { return true }
        return false
    }

    /// Calls with the bytes of a text; nil for anything else.
    @inline(__always) func withText<T>(_ body: (Bytes) -> T) -> T? {
        switch self {
        case .slice(let bytes): body(bytes)
        case .text(let array): array.withUnsafeBytes(body)
        default: nil
        }
    }

    /// How many bytes it takes to look at it: for budgets.
    var size: Int {
        switch self {
        case .slice(let bytes): bytes.count
        case .text(let array): array.count
        case .number(let number): number.size
        default: 0
        }
    }
}

/// Parallel arrays, read as rows.
final class Rows {
    let names: [Name]
    let columns: [[Operand]]
    let count: Int

    init(names: [Name], columns: [[Operand]]) {
        (self.names, self.columns) = (names, columns)
        count = columns.map(\.count).max() ?? 0
    }

    /// Unknown where a column is shorter than the longest, or not there.
    func value(_ name: Name, _ row: Int) -> Operand {
        guard let column = names.firstIndex(of: name), row < columns[column].count else { return .unknown }
        return columns[column][row]
    }
}

extension Operand {
    /// As text, for `params`: numbers plain, times in UTC, arrays and objects as JSON; unknown is nothing.
    func append(to buffer: inout ByteBuffer) {
        switch self {
        case .unknown, .event, .rows, .row: break
        case .flag(let flag): buffer.append(flag ? "true" as StaticString : "false")
        case .number(let number): number.append(to: &buffer)
        case .slice(let bytes): buffer.append(bytes)
        case .text(let array): buffer.append(array)
        case .time(let time): buffer.append(time.iso8601)
        case .json(let node): node.appendCompact(to: &buffer)
        case .list: appendJSON(to: &buffer)
        }
    }

    /// As JSON, for `set`.
    func appendJSON(to buffer: inout ByteBuffer) {
        switch self {
        case .slice(let bytes): appendJSONString(bytes, to: &buffer)
        case .text(let array): array.withUnsafeBytes { _ = appendJSONString($0, to: &buffer) }
        case .time(let time): appendJSONString(time.iso8601, to: &buffer)
        case .list(let list):
            buffer.append(UInt8(ascii: "["))
            for (i, operand) in list.enumerated() {
                if i > 0 { buffer.append(UInt8(ascii: ",")) }
                operand.appendJSON(to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .unknown, .event, .rows, .row: buffer.append("null" as StaticString)
        default: append(to: &buffer)
        }
    }

    /// For people: texts in quotes, shortened.
    var described: String {
        switch self {
        case .unknown: return "unknown"
        case .event: return "an event"
        case .rows(let rows): return "\(rows.count) rows"
        case .row: return "a row"
        default:
            var buffer = ByteBuffer(capacity: 64)
            appendJSON(to: &buffer)
            let text = buffer.bytes.text
            return text.count > 200 ? text.prefix(200) + "…" : text
        }
    }
}

extension JSONNode {
    /// The value without white space between its tokens.
    func appendCompact(to buffer: inout ByteBuffer) {
        switch kind {
        case .array:
            buffer.append(UInt8(ascii: "["))
            var isFirst = true
            for element in elements {
                if !isFirst { buffer.append(UInt8(ascii: ",")) }
                isFirst = false
                element.appendCompact(to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .object:
            buffer.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in members {
                if !isFirst { buffer.append(UInt8(ascii: ",")) }
                isFirst = false
                buffer.append(key.bytes)
                buffer.append(UInt8(ascii: ":"))
                value.appendCompact(to: &buffer)
            }
            buffer.append(UInt8(ascii: "}"))
        default: buffer.append(bytes)
        }
    }
}
