import Foundations
import Glibc

/// The segment that is being written.
struct ActiveSegment {
    let number: UInt32
    let file: SegmentFile
    let seed: UInt32
    let isRaw: Bool
    let bytes: Int
    /// The end of its last durable record.
    var offset = SegmentHeader.bytes

    func fits(_ footprint: Int) -> Bool { Int(offset) + footprint <= bytes }

    func entry(previousEnd: Position, latest: Timestamp, bytes: Int) -> Segment {
        Segment(
            number: number, format: .latest, previousEnd: previousEnd, latest: latest, isRaw: isRaw,
            bytes: bytes)
    }

    /// Takes the spare, or a file made in haste, and makes it segment `number`, durably.
    ///
    /// The header is on disk before the name, so a file called a segment always has one; the name is on disk
    /// before the first record. When anything fails, the file goes, and the number may be tried again: no
    /// record was written under it.
    init(core: SpoolCore, number: UInt32, latest: Timestamp) throws(SystemError) {
        self.number = number
        seed = RecordHeader.seed(epoch: core.epoch, segment: number)
        bytes = core.segmentBytes
        let spare = core.changeTable { table in
            defer { table.spare = nil }
            return table.spare
        }
        isRaw = spare == nil
        var path = spare?.path ?? ""
        do throws(SystemError) {
            if let spare {
                file = spare.file
            } else {
                path = core.names.unfinished(core.changeTable { $0.nextSerial() })
                file = try SegmentFile(path: path, O_RDWR | O_CREAT | O_EXCL)
                try file.reserve(bytes)
            }
            var page = ByteBuffer(capacity: pageBytes)
            SegmentHeader(
                isRaw: isRaw, number: number, instance: core.instance, epoch: core.epoch,
                previousEnd: core.durable, latest: latest
            ).encode(into: &page)
            try file.write(page.bytes, at: 0)
            try file.sync()
            try core.names.rename(path, to: core.names.segment(number))
            try core.names.sync()
        } catch {
            try? core.names.remove(path)
            try? core.names.remove(core.names.segment(number))
            throw error
        }
    }
}
