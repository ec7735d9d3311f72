import Foundations

/// What an orderly stop leaves in the header page of its last segment: where the records end. The next start
/// then need not look for the end.
struct SegmentSeal: Equatable {
    var end: UInt32
    var latest: Timestamp

    /// Where in the segment it lies.
    static let offset = 1024
    static let bytes = 24
    private static let marker: UInt32 = 0x4c53_4d57  // "WMSL"

    func encode(into buffer: inout ByteBuffer, seed: UInt32) {
        buffer.removeAll()
        buffer.append(little: Self.marker)
        buffer.append(little: end)
        buffer.append(little: latest.microseconds)
        buffer.append(little: UInt32(0))
        buffer.append(little: crc32c(buffer.bytes, seed: seed))
    }

    static func decode(_ page: Bytes, seed: UInt32) -> SegmentSeal? {
        guard page.count >= offset + bytes else { return nil }
        let slot = page.slice(offset..<offset + bytes)
        guard slot.little(at: 0, UInt32.self) == marker,
            slot.little(at: 20, UInt32.self) == crc32c(slot.slice(0..<20), seed: seed)
        else { return nil }
        return SegmentSeal(
            end: slot.little(at: 4, UInt32.self),
            latest: Timestamp(microseconds: slot.little(at: 8, Int64.self)))
    }
}
