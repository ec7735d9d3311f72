import Foundations

/// The 32 bytes before the body of every record.
struct RecordHeader: Equatable {
    /// Of the body.
    var length: UInt32
    var receivedAt: Timestamp
    /// Where the group begins that it was written with: everything before that was durable by then.
    var group: UInt32
    /// CRC32C of the body.
    var checksum: UInt32

    static let bytes = 32
    /// Records begin at multiples of this.
    static let alignment = 8
    private static let marker: UInt32 = 0x4452_4d57  // "WMRD"

    /// What a record with a body of `length` bytes takes on disk.
    @inline(__always)
    static func footprint(_ length: Int) -> Int { (bytes + length + alignment - 1) & ~(alignment - 1) }

    /// `seed` is the one of the segment, `offset` where the header lies in it.
    @inline(__always)
    func encode(into room: UnsafeMutableRawPointer, seed: UInt32, offset: UInt32) {
        room.storeBytes(of: Self.marker.littleEndian, as: UInt32.self)
        room.storeBytes(of: length.littleEndian, toByteOffset: 4, as: UInt32.self)
        room.storeBytes(of: receivedAt.microseconds.littleEndian, toByteOffset: 8, as: Int64.self)
        room.storeBytes(of: group.littleEndian, toByteOffset: 16, as: UInt32.self)
        room.storeBytes(of: checksum.littleEndian, toByteOffset: 20, as: UInt32.self)
        room.storeBytes(of: 0, toByteOffset: 24, as: UInt32.self)
        let sum = Self.sum(Bytes(start: room, count: 28), seed, offset)
        room.storeBytes(of: sum.littleEndian, toByteOffset: 28, as: UInt32.self)
    }

    /// nil: no record of this segment begins here.
    @inline(__always)
    static func decode(_ header: Bytes, seed: UInt32, offset: UInt32) -> RecordHeader? {
        guard header.count >= bytes, header.little(at: 0, UInt32.self) == marker,
            header.little(at: 28, UInt32.self) == sum(header.slice(0..<28), seed, offset)
        else { return nil }
        return RecordHeader(
            length: header.little(at: 4, UInt32.self),
            receivedAt: Timestamp(microseconds: header.little(at: 8, Int64.self)),
            group: header.little(at: 16, UInt32.self), checksum: header.little(at: 20, UInt32.self))
    }

    /// Could a record begin here, by its first four bytes?
    @inline(__always)
    static func mayBegin(_ bytes: Bytes, at offset: Int) -> Bool {
        bytes.little(at: offset, UInt32.self) == marker
    }

    private static func sum(_ bytes: Bytes, _ seed: UInt32, _ offset: UInt32) -> UInt32 {
        crc32c(bytes, seed: seed &+ offset &* 0x9e37_79b1)
    }

    /// Differs with the spool and the segment, and cannot be guessed by who sends events: what was written
    /// under another number, or smuggled in as the body of a record, is not a record here.
    static func seed(epoch: UUID, segment: UInt32) -> UInt32 {
        var buffer = ByteBuffer(capacity: 32)
        buffer.append(little: epoch.high)
        buffer.append(little: epoch.low)
        buffer.append(little: segment)
        return crc32c(buffer.bytes)
    }
}
