import Foundations

/// Reads what summaries write, front to back, checked at each step.
struct ByteReader {
    private let bytes: Bytes
    private(set) var offset = 0

    init(_ bytes: Bytes) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    func failure(_ wanted: String) -> SummaryError { SummaryError(wanted: wanted, offset: offset) }

    mutating func byte() throws(SummaryError) -> UInt8 {
        guard offset < bytes.count else { throw failure("another byte") }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func half() throws(SummaryError) -> UInt32 {
        guard bytes.count - offset >= 4 else { throw failure("a number of 4 bytes") }
        defer { offset += 4 }
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    mutating func word() throws(SummaryError) -> UInt64 {
        guard bytes.count - offset >= 8 else { throw failure("a number of 8 bytes") }
        defer { offset += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// A number in groups of seven bits, the lowest first.
    mutating func varint() throws(SummaryError) -> Int {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 {
                guard let number = Int(exactly: value) else { break }
                return number
            }
        }
        throw failure("a shorter number")
    }

    mutating func text() throws(SummaryError) -> String {
        let count = try varint()
        guard bytes.count - offset >= count else { throw failure("a text of \(count) bytes") }
        defer { offset += count }
        return bytes.slice(offset..<offset + count).text
    }

    mutating func words() throws(SummaryError) -> [UInt64] {
        let count = try varint()
        guard (bytes.count - offset) / 8 >= count else { throw failure("\(count) numbers") }
        var words: [UInt64] = []
        words.reserveCapacity(count)
        for _ in 0..<count { words.append(try word()) }
        return words
    }

    mutating func key() throws(SummaryError) -> EventKey {
        let time = Timestamp(microseconds: Int64(bitPattern: try word()))
        return EventKey(receivedAt: time, id: UUID(high: try word(), low: try word()))
    }
}

extension ByteBuffer {
    mutating func append(varint number: Int) {
        var rest = UInt64(number)
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(counted text: String) {
        var text = text
        text.withUTF8 {
            append(varint: $0.count)
            append(UnsafeRawBufferPointer($0))
        }
    }

    mutating func append(words: [UInt64]) {
        append(varint: words.count)
        for word in words { append(little: word) }
    }

    mutating func append(_ key: EventKey) {
        append(little: key.receivedAt.microseconds)
        append(little: key.id.high)
        append(little: key.id.low)
    }
}
