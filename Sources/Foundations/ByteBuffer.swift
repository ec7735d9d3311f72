import Glibc

/// A growing run of bytes that is reused rather than made anew: the hot path's only container.
///
/// It never shrinks by itself; `removeAll()` keeps the memory, `shrink(to:)` gives it back.
package struct ByteBuffer: ~Copyable, @unchecked Sendable {  // unique owner of its memory
    @usableFromInline var base: UnsafeMutableRawPointer
    package private(set) var capacity: Int
    /// How many bytes are filled.
    @usableFromInline package internal(set) var count: Int

    package init(capacity: Int = 0) {
        self.capacity = max(capacity, 64)
        base = .allocate(byteCount: self.capacity, alignment: 16)
        count = 0
    }

    deinit { base.deallocate() }

    /// The filled bytes. Valid until the next change of the buffer.
    @inlinable package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    /// The filled bytes, to be patched in place. Valid until the next change of the buffer.
    @inlinable package var mutableBytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: base, count: count)
    }
    @inlinable package subscript(range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.upperBound <= count)
        return UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count)
    }

    @inlinable package mutating func removeAll() { count = 0 }
    /// Cuts the end off; `count` must not be larger than what is filled.
    @inlinable package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
    }
    /// Drops the first bytes and moves the rest to the front.
    package mutating func removeFirst(_ n: Int) {
        precondition(n <= count)
        if n < count { memmove(base, base + n, count - n) }
        count -= n
    }
    /// Gives memory back when the capacity is above the wanted one and nothing is filled.
    package mutating func shrink(to wanted: Int) {
        guard count == 0, capacity > max(wanted, 64) else { return }
        base.deallocate()
        capacity = max(wanted, 64)
        base = .allocate(byteCount: capacity, alignment: 16)
    }

    @inlinable package mutating func reserve(_ more: Int) {
        if count + more > capacity { grow(by: more) }
    }
    @usableFromInline mutating func grow(by more: Int) {
        let larger = max(count + more, capacity * 2)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        memcpy(moved, base, count)
        base.deallocate()
        base = moved
        capacity = larger
    }

    /// Room for `more` bytes to be written directly; follow with `filled(_:)`.
    @inlinable package mutating func space(_ more: Int) -> UnsafeMutableRawBufferPointer {
        reserve(more)
        return UnsafeMutableRawBufferPointer(start: base + count, count: capacity - count)
    }
    @inlinable package mutating func filled(_ more: Int) {
        precondition(more >= 0 && count + more <= capacity)
        count += more
    }

    @inlinable package mutating func append(_ byte: UInt8) {
        reserve(1)
        base.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }
    @inlinable package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        memcpy(base + count, start, bytes.count)
        count += bytes.count
    }
    @inlinable package mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
    /// For texts that are not known at compile time; off the hot path.
    package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }
    package mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    // Numbers, little-endian for our own formats and big-endian for PostgreSQL's. Concrete, not generic: other modules
    // call these for every event, and a generic one would not be specialized for them.

    package mutating func append(little number: UInt16) { store(number.littleEndian) }
    package mutating func append(big number: UInt16) { store(number.bigEndian) }
    package mutating func append(little number: UInt32) { store(number.littleEndian) }
    package mutating func append(big number: UInt32) { store(number.bigEndian) }
    package mutating func append(little number: UInt64) { store(number.littleEndian) }
    package mutating func append(big number: UInt64) { store(number.bigEndian) }
    package mutating func append(little number: Int16) { store(number.littleEndian) }
    package mutating func append(big number: Int16) { store(number.bigEndian) }
    package mutating func append(little number: Int32) { store(number.littleEndian) }
    package mutating func append(big number: Int32) { store(number.bigEndian) }
    package mutating func append(little number: Int64) { store(number.littleEndian) }
    package mutating func append(big number: Int64) { store(number.bigEndian) }

    /// Overwrites bytes that are filled already.
    package mutating func replace(little number: UInt8, at offset: Int) { store(number, at: offset) }
    package mutating func replace(little number: UInt32, at offset: Int) {
        store(number.littleEndian, at: offset)
    }
    package mutating func replace(little number: UInt64, at offset: Int) {
        store(number.littleEndian, at: offset)
    }
    package mutating func replace(big number: Int32, at offset: Int) { store(number.bigEndian, at: offset) }
    package mutating func replace(big number: UInt32, at offset: Int) { store(number.bigEndian, at: offset) }
    package mutating func replace(big number: UInt64, at offset: Int) { store(number.bigEndian, at: offset) }

    @inline(__always) private mutating func store<Number: FixedWidthInteger>(_ number: Number) {
        reserve(MemoryLayout<Number>.size)
        base.storeBytes(of: number, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }
    @inline(__always) private mutating func store<Number: FixedWidthInteger>(_ number: Number, at offset: Int)
    {
        precondition(offset >= 0 && offset + MemoryLayout<Number>.size <= count)
        base.storeBytes(of: number, toByteOffset: offset, as: Number.self)
    }

    /// A number in decimal digits.
    package mutating func append(decimal number: Int) {
        var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
        var rest = number.magnitude
        var start = 24
        withUnsafeMutableBytes(of: &digits) { room in
            repeat {
                start -= 1
                room[start] = UInt8(truncatingIfNeeded: 48 + rest % 10)
                rest /= 10
            } while rest > 0
            if number < 0 {
                start -= 1
                room[start] = 45
            }
            append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(room)[start...]))
        }
    }
}
