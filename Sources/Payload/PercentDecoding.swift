import Foundations

/// Percent-decoding of paths, queries and forms.
package enum PercentDecoding {
    /// Appends the decoded text. A percent sign without two hexadecimal digits is kept as it is; what is
    /// then not UTF-8, and NUL, become U+FFFD. In forms and queries a plus sign is a space.
    @discardableResult
    package static func append(_ bytes: Bytes, plusIsSpace: Bool = false, to buffer: inout ByteBuffer)
        -> Repairs
    {
        let start = buffer.count
        var at = 0
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "%"), at + 2 < bytes.count, let high = digit(bytes[at + 1]),
                let low = digit(bytes[at + 2])
            {
                buffer.append(high << 4 | low)
                at += 3
            } else {
                buffer.append(byte == UInt8(ascii: "+") && plusIsSpace ? 32 : byte)
                at += 1
            }
        }
        return repair(from: start, in: &buffer)
    }

    /// The value of a hexadecimal digit; nil: it is none.
    package static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }

    /// Looks through what was decoded; only what has to be repaired is copied.
    private static func repair(from start: Int, in buffer: inout ByteBuffer) -> Repairs {
        let decoded = buffer[start..<buffer.count]
        guard UTF8Text.validPrefix(decoded) < decoded.count || decoded.contains(0) else { return [] }
        var copy = ByteBuffer(capacity: decoded.count)
        copy.append(decoded)
        buffer.truncate(to: start)
        return UTF8Text.appendRepaired(copy.bytes, to: &buffer)
    }
}
