private import Crypto
import Foundations
import Payload

/// A JSON value that has exactly one text: keys sorted, no white space; numbers are whole.
indirect enum Canonical {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([Canonical])
    case map([String: Canonical])
    /// What keeps the order in which it was written, since that order has a meaning.
    case ordered([(String, Canonical)])

    var bytes: [UInt8] {
        var buffer = ByteBuffer(capacity: 256)
        append(to: &buffer)
        return Array(buffer.bytes)
    }

    private func append(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): appendJSONString(text, to: &buffer)
        case .number(let number): buffer.append(decimal: number)
        case .flag(let flag): buffer.append(flag ? "true" as StaticString : "false")
        case .list(let list):
            buffer.append(UInt8(ascii: "["))
            for (i, value) in list.enumerated() {
                if i > 0 { buffer.append(UInt8(ascii: ",")) }
                value.append(to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .map(let map):
            let keys = map.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            Canonical.append(keys.compactMap { key in map[key].map { (key, $0) } }, to: &buffer)
        case .ordered(let pairs): Canonical.append(pairs, to: &buffer)
        }
    }

    private static func append(_ pairs: [(String, Canonical)], to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "{"))
        for (i, pair) in pairs.enumerated() {
            if i > 0 { buffer.append(UInt8(ascii: ",")) }
            appendJSONString(pair.0, to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            pair.1.append(to: &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    /// The SHA-256 of a text, in hexadecimal digits.
    static func hash(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let hash = SHA256.hash(data: bytes).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: hash, as: UTF8.self)
    }
}
