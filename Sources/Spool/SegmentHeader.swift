import Foundations

/// The first page of a segment: whose it is, which one, and where the log ended when it was begun.
struct SegmentHeader: Equatable {
    var format = SegmentFormat.latest
    /// Were its blocks only reserved, never filled? Then it syncs slower and is not worth recycling.
    var isRaw = false
    var number: UInt32
    var instance: UUID
    var epoch: UUID
    /// Where the last durable record before this segment ends.
    var previousEnd: Position
    /// The latest arrival time up to there.
    var latest: Timestamp

    /// Records begin after one page.
    static let bytes = UInt32(pageBytes)
    private static let magic: UInt64 = 0x4c4f_4f50_534b_4d57  // "WMKSPOOL"
    private static let encoded = 72
    /// Both copies are written; one is enough.
    private static let copies = [0, 2048]

    /// The whole page.
    func encode(into page: inout ByteBuffer) {
        page.removeAll()
        for copy in Self.copies {
            while page.count < copy { page.append(0) }
            let start = page.count
            page.append(little: Self.magic)
            page.append(little: format.rawValue)
            page.append(little: UInt32(isRaw ? 1 : 0))
            page.append(little: instance.high)
            page.append(little: instance.low)
            page.append(little: epoch.high)
            page.append(little: epoch.low)
            page.append(little: UInt64(bitPattern: previousEnd.rawValue))
            page.append(little: latest.microseconds)
            page.append(little: number)
            page.append(little: crc32c(page[start..<page.count]))
        }
        while page.count < pageBytes { page.append(0) }
    }

    enum Outcome: Equatable {
        case header(SegmentHeader)
        case newer(UInt32)
        case damaged
    }

    static func decode(_ page: Bytes) -> Outcome {
        var newer: UInt32?
        for copy in copies where page.count >= copy + encoded {
            let bytes = page.slice(copy..<copy + encoded)
            guard bytes.little(at: 0, UInt64.self) == magic else { continue }
            let version = bytes.little(at: 8, UInt32.self)
            guard let format = SegmentFormat(rawValue: version) else {
                newer = version
                continue
            }
            if let header = decode(bytes, format) { return .header(header) }
        }
        return newer.map { .newer($0) } ?? .damaged
    }

    private static func decode(_ bytes: Bytes, _ format: SegmentFormat) -> SegmentHeader? {
        switch format {
        case .v1:
            guard crc32c(bytes.slice(0..<encoded - 4)) == bytes.little(at: encoded - 4, UInt32.self) else {
                return nil
            }
            return SegmentHeader(
                format: format, isRaw: bytes.little(at: 12, UInt32.self) & 1 == 1,
                number: bytes.little(at: 64, UInt32.self),
                instance: UUID(
                    high: bytes.little(at: 16, UInt64.self), low: bytes.little(at: 24, UInt64.self)),
                epoch: UUID(high: bytes.little(at: 32, UInt64.self), low: bytes.little(at: 40, UInt64.self)),
                previousEnd: Position(rawValue: bytes.little(at: 48, Int64.self)),
                latest: Timestamp(microseconds: bytes.little(at: 56, Int64.self)))
        }
    }
}

extension UnsafeRawBufferPointer {
    /// A number of our own formats; the caller has checked that it lies inside.
    @inline(__always)
    func little<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
        Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
    }
}
