private import CLinux

/// A universally unique identifier (RFC 9562), in two words, most significant first.
///
/// Foundation's type of this name stays out of the core; where both are imported, write `Foundations.UUID`.
package struct UUID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var high: UInt64
    package var low: UInt64

    @inlinable package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    @inlinable package static func < (a: Self, b: Self) -> Bool { (a.high, a.low) < (b.high, b.low) }

    /// Reads the 36 characters `8-4-4-4-12`, in either case; anything else is nil.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 36 else { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        var digits = 0
        for i in 0..<36 {
            let byte = bytes[i]
            if i == 8 || i == 13 || i == 18 || i == 23 {
                if byte != 45 { return nil }
                continue
            }
            var digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 97...102: digit = byte - 87
            case 65...70: digit = byte - 55
            default: return nil
            }
            digit &= 15
            if digits < 16 {
                words.0 = words.0 << 4 | UInt64(digit)
            } else {
                words.1 = words.1 << 4 | UInt64(digit)
            }
            digits += 1
        }
        (high, low) = words
    }

    package init?(_ text: String) {
        var text = text
        guard let value = text.withUTF8({ UUID(UnsafeRawBufferPointer($0)) }) else { return nil }
        self = value
    }

    /// A version 7 id: 48 bits of Unix milliseconds, then 74 random bits.
    package static func v7(at time: Timestamp, _ random: inout RandomSource) -> UUID {
        let (a, b) = (random.next(), random.next())
        let milliseconds = UInt64(bitPattern: time.milliseconds) & 0xffff_ffff_ffff
        return UUID(high: milliseconds << 16 | 0x7000 | a & 0xfff, low: b & (.max >> 2) | 1 << 63)
    }

    /// A version 4 id: 122 random bits.
    package static func v4(_ random: inout RandomSource) -> UUID {
        UUID(random.next(), random.next(), version: 4)
    }

    /// Two words as an id of a version and of RFC 9562's variant; six bits of them are overwritten.
    package init(_ high: UInt64, _ low: UInt64, version: UInt64) {
        self.high = high & ~0xf000 | version << 12
        self.low = low & (.max >> 2) | 1 << 63
    }

    package var version: Int { Int(high >> 12 & 0xf) }

    /// The bucket, 0 ..< 4096: the last 12 bits. In SQL: `bucket_of(uuid)`.
    @inlinable package var bucket: Int32 { Int32(low & 0xfff) }

    package var description: String {
        var buffer = ByteBuffer(capacity: 36)
        buffer.append(self)
        return buffer.bytes.text
    }
}

extension ByteBuffer {
    /// The 36 characters, in lower case.
    package mutating func append(_ id: UUID) {
        let room = space(36)
        var out = 0
        for i in 0..<32 {
            if i == 8 || i == 12 || i == 16 || i == 20 {
                room[out] = 45
                out += 1
            }
            let word = i < 16 ? id.high : id.low
            let digit = UInt8(truncatingIfNeeded: word >> UInt64((15 - i & 15) * 4) & 0xf)
            room[out] = digit < 10 ? 48 + digit : 87 + digit
            out += 1
        }
        filled(36)
    }
}

/// Random words from the kernel, 4 KiB at a time; one for each queue.
package struct RandomSource: ~Copyable {
    private var pool: UnsafeMutableBufferPointer<UInt64>
    private var used: Int

    package init() {
        pool = .allocate(capacity: 512)
        pool.initialize(repeating: 0)
        used = 512
    }

    deinit { pool.deallocate() }

    package mutating func next() -> UInt64 {
        if used == pool.count { refill() }
        defer { used += 1 }
        return pool[used]
    }

    private mutating func refill() {
        let code = clinux_random(pool.baseAddress, pool.count * MemoryLayout<UInt64>.stride)
        precondition(code == 0, "the kernel gives no random bytes")
        used = 0
    }
}
