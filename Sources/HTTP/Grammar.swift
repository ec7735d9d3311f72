internal import Foundations
import Glibc

/// What RFC 9110 allows where; tables and word-wise scans over bytes.
enum Grammar {
    /// Bit n is set when the ASCII character n may stand in a token (RFC 9110, 5.6.2).
    private static let tokenBits = bits("!#$%&'*+-.^_`|~")
    /// What a Host may hold (RFC 3986, 3.2.2 and 3.2.3).
    private static let hostBits = bits("-._~!$&'()*+,;=:[]%")
    /// What we take over as somebody's request id: nothing that would need quoting anywhere.
    private static let requestIDBits = bits("-._~:/+=@")

    private typealias Bits = (low: UInt64, high: UInt64)

    /// The set of letters, digits and `more`.
    private static func bits(_ more: StaticString) -> Bits {
        var set: Bits = (0, 0)
        for code in 0..<128 as Range<UInt8> {
            let isLetter = (code | 32) &- 97 < 26
            let isDigit = code &- 48 < 10
            let isMore = UnsafeBufferPointer(start: more.utf8Start, count: more.utf8CodeUnitCount).contains(
                code)
            guard isLetter || isDigit || isMore else { continue }
            if code < 64 { set.low |= 1 << UInt64(code) } else { set.high |= 1 << UInt64(code - 64) }
        }
        return set
    }

    @inline(__always) private static func contains(_ set: Bits, _ byte: UInt8) -> Bool {
        if byte < 64 { return set.low >> UInt64(byte) & 1 == 1 }
        return byte < 128 && set.high >> UInt64(byte & 63) & 1 == 1
    }

    static func isTokenByte(_ byte: UInt8) -> Bool { contains(tokenBits, byte) }

    /// How many bytes from the beginning are those of a token.
    static func tokenLength(_ bytes: Bytes) -> Int {
        let set = tokenBits
        var i = 0
        while i < bytes.count, contains(set, bytes[i]) { i += 1 }
        return i
    }

    static func isToken(_ bytes: Bytes) -> Bool { bytes.count > 0 && tokenLength(bytes) == bytes.count }

    static func isHost(_ bytes: Bytes) -> Bool {
        let set = hostBits
        return bytes.allSatisfy { contains(set, $0) }
    }

    static func isRequestID(_ bytes: Bytes) -> Bool {
        guard bytes.count >= 1, bytes.count <= 128 else { return false }
        let set = requestIDBits
        return bytes.allSatisfy { contains(set, $0) }
    }

    /// Does a field's value hold what it must not (RFC 9110, 5.5): a control character other than a tab?
    static func hasControl(_ bytes: Bytes) -> Bool {
        var i = 0
        while i + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)
            if mayHaveControl(word), hasControlByte(bytes, i, i + 8) { return true }
            i += 8
        }
        return hasControlByte(bytes, i, bytes.count)
    }

    /// True when one of eight bytes is below 32 or 127; a false alarm is possible.
    @inline(__always) private static func mayHaveControl(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = (word &- ones &* 32) & ~word
        let delete = word ^ (ones &* 127)
        return (low | (delete &- ones) & ~delete) & (ones &* 128) != 0
    }

    private static func hasControlByte(_ bytes: Bytes, _ start: Int, _ end: Int) -> Bool {
        for i in start..<end where bytes[i] < 32 && bytes[i] != 9 || bytes[i] == 127 { return true }
        return false
    }

    /// Does a target hold a space, a control character or a fragment?
    static func isTarget(_ bytes: Bytes) -> Bool {
        bytes.count > 0 && bytes.allSatisfy { $0 > 32 && $0 != 127 && $0 != 35 }
    }

    /// The next element of a comma-separated list (RFC 9110, 5.6.1), taken off its front; nil at its end.
    static func nextElement(of list: inout Bytes) -> Bytes? {
        while list.count > 0 {
            let comma = list.firstIndex(of: 44) ?? list.count
            let element = list.slice(0..<comma).trimmed
            list = list.slice(min(comma + 1, list.count)..<list.count)
            if element.count > 0 { return element }
        }
        return nil
    }

    /// Where a line feed stands in `range`; nil when there is none.
    @inline(__always) static func lineFeed(_ bytes: Bytes, _ start: Int, _ end: Int) -> Int? {
        guard start < end, let base = bytes.baseAddress, let found = memchr(base + start, 10, end - start)
        else {
            return nil
        }
        return UnsafeRawPointer(found) - base
    }
}
