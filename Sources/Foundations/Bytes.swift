import Glibc

/// A slice of somebody else's memory: what the hot path has instead of `String`.
package typealias Bytes = UnsafeRawBufferPointer

extension UnsafeRawBufferPointer {
    package static var empty: Self { Self(start: nil, count: 0) }

    /// The same bytes?
    @inlinable package func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        guard count > 0, let a = baseAddress, let b = other.baseAddress else { return true }
        return memcmp(a, b, count) == 0
    }
    @inlinable package func equals(_ text: StaticString) -> Bool {
        equals(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    /// The same bytes, but for the case of ASCII letters? `lower` must be written in lower case.
    @inlinable package func equalsIgnoringCase(_ lower: StaticString) -> Bool {
        guard count == lower.utf8CodeUnitCount else { return false }
        for i in 0..<count {
            var byte = self[i]
            if byte &- 65 < 26 { byte |= 32 }
            if byte != lower.utf8Start[i] { return false }
        }
        return true
    }

    /// Without ASCII white space (space, tab, CR, LF, VT, FF) at either end.
    package var trimmed: UnsafeRawBufferPointer {
        var low = 0
        var high = count
        while low < high, Self.isSpace(self[low]) { low += 1 }
        while high > low, Self.isSpace(self[high - 1]) { high -= 1 }
        return slice(low..<high)
    }
    @inlinable static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (byte >= 9 && byte <= 13) }

    /// The slice as a buffer of its own, with indices from 0.
    @inlinable package func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[range])
    }

    /// As text, with U+FFFD for what is not UTF-8. It allocates: not for the hot path.
    package var text: String { String(decoding: self, as: UTF8.self) }
}
