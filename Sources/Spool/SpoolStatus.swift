import Foundations
import Glibc

/// How the spool is, at one moment.
package struct SpoolStatus: Sendable {
    /// All files of the spool, the spare one included.
    package var bytes: Int
    /// What may be used on disk.
    package var capacity: Int
    /// What is durable and not yet released by the loader.
    package var backlogBytes: Int
    /// When the first record of the backlog arrived; nil when there is none.
    package var oldestUnloaded: Timestamp?
    package var segments: Int
    /// Where the oldest segment begins.
    package var oldest: Position
    package var durable: Position
    package var isFull: Bool
    /// Why nothing can be written at the moment; nil when all is well.
    package var failure: String?
    /// How many damaged places were found since the start.
    package var corruptions: Int
}

extension SpoolStatus {
    init(_ core: SpoolCore) {
        let (table, durable) = core.table.withLock { ($0, core.durable) }
        self.init(
            bytes: table.bytes, capacity: core.options.capacity, backlogBytes: table.backlog(durable),
            oldestUnloaded: nil, segments: table.segments.count, oldest: table.oldest(durable),
            durable: durable,
            isFull: core.isFull, failure: core.failure, corruptions: core.corruptions)
        if backlogBytes > 0 { oldestUnloaded = Self.oldestUnloaded(core, table, durable) }
    }

    /// The arrival of the first record that is not released; when it cannot be read, the latest known before it.
    private static func oldestUnloaded(_ core: SpoolCore, _ table: SegmentTable, _ durable: Position)
        -> Timestamp?
    {
        guard var place = table.locate(table.released ?? table.oldest(durable), durable) else { return nil }
        while place.index + 1 < table.segments.count, place.offset >= table.limit(place.index, durable) {
            place = SegmentTable.Place(index: place.index + 1, offset: SegmentHeader.bytes)
        }
        guard place.index < table.segments.count else { return nil }
        let segment = table.segments[place.index]
        var header = ByteBuffer(capacity: RecordHeader.bytes)
        guard let file = try? SegmentFile(path: core.names.segment(segment.number), O_RDONLY),
            (try? header.fill(from: file, RecordHeader.bytes, at: Int(place.offset))) != nil,
            let record = RecordHeader.decode(
                header.bytes, seed: RecordHeader.seed(epoch: core.epoch, segment: segment.number),
                offset: place.offset)
        else { return segment.latest }
        return record.receivedAt
    }
}
