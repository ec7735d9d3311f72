import Foundations

/// The key in an `Authorization` header: `Bearer KEY`, or `Basic` with `KEY:`.
enum Credentials {
    /// Does the header show this key? The time it takes tells nothing about how much of the key is right.
    static func match(_ header: Bytes?, key: [UInt8], scratch: inout ByteBuffer) -> Bool {
        guard let header = header?.trimmed else { return false }
        if header.count > 7, header.slice(0..<7).equalsIgnoringCase("bearer ") {
            return equalInConstantTime(header.slice(7..<header.count).trimmed, key)
        }
        guard header.count > 6, header.slice(0..<6).equalsIgnoringCase("basic ") else { return false }
        let start = scratch.count
        defer { scratch.truncate(to: start) }
        guard scratch.append(base64: header.slice(6..<header.count).trimmed) else { return false }
        var shown = scratch[start..<scratch.count]
        // The password may hold anything; the key stands where the user's name would.
        if let colon = shown.firstIndex(of: UInt8(ascii: ":")) { shown = shown.slice(0..<colon) }
        return equalInConstantTime(shown, key)
    }

    private static func equalInConstantTime(_ shown: Bytes, _ key: [UInt8]) -> Bool {
        var difference = shown.count ^ key.count
        for i in 0..<shown.count {
            difference |= Int(shown[i] ^ (key.isEmpty ? 1 : key[i % key.count]))
        }
        return difference == 0
    }
}

extension ByteBuffer {
    /// Appends what base64 text stands for (RFC 4648, padding optional); false when it is none.
    mutating func append(base64 text: Bytes) -> Bool {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        var word: UInt32 = 0
        var bits = 0
        for i in 0..<end {
            let value: UInt8
            switch text[i] {
            case 65...90: value = text[i] - 65
            case 97...122: value = text[i] - 71
            case 48...57: value = text[i] + 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return false
            }
            word = word << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
            }
        }
        return bits < 6
    }
}
