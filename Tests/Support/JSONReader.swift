/// Reads JSON by the book and slowly: the judge of what the server writes.
struct JSONReader {
    let bytes: [UInt8]
    private var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws -> JSON {
        let value = try value()
        skipSpace()
        guard at == bytes.count else { throw wrong("the end") }
        return value
    }

    private func wrong(_ expected: String) -> Failure {
        let text = String(decoding: bytes.prefix(400), as: UTF8.self)
        return Failure("not JSON at byte \(at), expected \(expected): \(text)")
    }

    private mutating func skipSpace() {
        while at < bytes.count, [32, 9, 10, 13].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == character.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func value() throws -> JSON {
        skipSpace()
        guard at < bytes.count else { throw wrong("a value") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: JSON) throws -> JSON {
        guard bytes[at...].starts(with: word.utf8) else { throw wrong(word) }
        at += word.utf8.count
        return value
    }

    private mutating func number() throws -> JSON {
        let start = at
        while at < bytes.count, "+-.eE0123456789".utf8.contains(bytes[at]) { at += 1 }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        guard text.first != "+", Double(text) != nil else { throw wrong("a number") }
        return .number(text)
    }

    private mutating func array() throws -> JSON {
        at += 1
        var list: [JSON] = []
        if take("]") { return .array(list) }
        repeat { list.append(try value()) } while take(",")
        guard take("]") else { throw wrong("]") }
        return .array(list)
    }

    private mutating func object() throws -> JSON {
        at += 1
        var members: [String: JSON] = [:]
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let name = try string()
            guard take(":") else { throw wrong(":") }
            guard members.updateValue(try value(), forKey: name) == nil else { throw wrong("no name twice") }
        } while take(",")
        guard take("}") else { throw wrong("}") }
        return .object(members)
    }

    private mutating func string() throws -> String {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw wrong("a string") }
        at += 1
        var units: [UInt8] = []
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] < 32 { throw wrong("no raw control character") }
            if bytes[at] == UInt8(ascii: "\\") {
                units += try escape().utf8
            } else {
                units.append(bytes[at])
                at += 1
            }
        }
        guard at < bytes.count, let text = String(validating: units, as: UTF8.self) else {
            throw wrong("UTF-8 and a closing quote")
        }
        at += 1
        return text
    }

    private mutating func escape() throws -> String {
        at += 2
        guard at <= bytes.count else { throw wrong("an escape") }
        switch bytes[at - 1] {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            let high = try unit()
            guard high & 0xfc00 == 0xd800, bytes[at...].starts(with: [92, 117]) else {
                return String(Unicode.Scalar(high).map(Character.init) ?? "\u{fffd}")
            }
            at += 2
            let low = try unit()
            return String(decoding: [high, low], as: UTF16.self)
        case let other where "\"\\/".utf8.contains(other): return String(Unicode.Scalar(other))
        default: throw wrong("an escape")
        }
    }

    private mutating func unit() throws -> UInt16 {
        guard at + 4 <= bytes.count,
            let unit = UInt16(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw wrong("four hexadecimal digits") }
        at += 4
        return unit
    }
}
