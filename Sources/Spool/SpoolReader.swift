import Foundations
import Glibc

/// Reads the records of a spool in order, up to what is durable. It belongs to one owner; there may be many.
///
/// A place that cannot be read is told, counted and stepped over: the reader goes on at the next intact record.
package final class SpoolReader {
    /// Where the next record begins.
    package private(set) var position: Position
    private let core: SpoolCore
    private var segment: UInt32 = 0
    private var offset: UInt32 = 0
    /// Up to where this segment may be read, as far as was known when it was last asked.
    private var limit: UInt32 = 0
    private var window: RecordWindow?
    private var checkedReads = 0

    init(core: SpoolCore, from position: Position?) throws(SpoolError) {
        self.core = core
        self.position = position ?? core.table.withLock { $0.oldest(core.durable) }
        _ = try locate()
    }

    /// Appends the next record's body to `buffer`; nil when the durable end is reached.
    package func next(into buffer: inout ByteBuffer) throws(SpoolError) -> SpoolRecord? {
        while true {
            if offset >= limit || window == nil {
                guard try advance() else { return nil }
                continue
            }
            guard let window else { return nil }
            let (offset, limit) = (self.offset, self.limit)
            let found = try attempt { () throws(SystemError) in try window.record(at: offset, limit: limit) }
            guard try isStillThere(window) else { continue }
            guard let found else {
                try stepOver(window)
                continue
            }
            return deliver(found, into: &buffer)
        }
    }

    private func deliver(_ found: RecordWindow.Record, into buffer: inout ByteBuffer) -> SpoolRecord {
        let start = buffer.count
        buffer.append(found.body)
        let record = SpoolRecord(
            position: position, next: Position(segment: segment, offset: found.next),
            receivedAt: found.header.receivedAt, range: start..<buffer.count)
        position = record.next
        offset = found.next
        return record
    }

    private func stepOver(_ window: RecordWindow) throws(SpoolError) {
        let (from, limit) = (offset, self.limit)
        let next = try attempt { () throws(SystemError) in try window.search(after: from, limit: limit) }
        guard try isStillThere(window) else { return }
        core.reportDamage(at: Position(segment: segment, offset: from), bytes: (next ?? limit) - from)
        offset = next ?? limit
        position = Position(segment: segment, offset: offset)
    }

    /// A segment may be recycled while it is read; then what was read is worth nothing.
    private func isStillThere(_ window: RecordWindow) throws(SpoolError) -> Bool {
        if window.reads == checkedReads { return true }
        checkedReads = window.reads
        if core.table.withLock({ $0.index(of: segment) }) != nil { return true }
        return try locate()
    }

    /// Learns how far it may read now; false at the durable end.
    private func advance() throws(SpoolError) -> Bool {
        enum Step { case here(UInt32), next(Segment), wait, gone }
        let step = core.table.withLock { table -> Step in
            guard window != nil, let index = table.index(of: segment) else { return .gone }
            let limit = table.limit(index, core.durable)
            if offset < limit { return .here(limit) }
            guard table.segments[index].end != nil, index + 1 < table.segments.count else { return .wait }
            return .next(table.segments[index + 1])
        }
        switch step {
        case .here(let limit): self.limit = limit
        case .next(let segment):
            position = segment.previousEnd
            try open(segment, at: SegmentHeader.bytes)
        case .wait: return false
        case .gone: return try locate()
        }
        return true
    }

    /// Finds the position in the table; false when nothing can be read there yet.
    private func locate() throws(SpoolError) -> Bool {
        let durable = core.durable
        enum Found { case place(Segment, UInt32), nothing, lost(Position) }
        let found = core.table.withLock { table -> Found in
            guard let place = table.locate(position, core.durable) else {
                return .lost(table.oldest(durable))
            }
            return place.index < table.segments.count
                ? .place(table.segments[place.index], place.offset) : .nothing
        }
        window = nil
        switch found {
        case .place(let segment, let offset):
            try open(segment, at: offset)
            return true
        case .nothing: return false
        case .lost(let oldest):
            if position > core.durable { throw .positionAhead(wanted: position, durable: durable) }
            throw .positionLost(wanted: position, oldest: oldest)
        }
    }

    private func open(_ next: Segment, at offset: UInt32) throws(SpoolError) {
        let path = core.names.segment(next.number)
        do throws(SystemError) {
            let file = try SegmentFile(path: path, O_RDONLY)
            window = RecordWindow(file, seed: RecordHeader.seed(epoch: core.epoch, segment: next.number))
        } catch {
            let oldest = core.table.withLock { $0.oldest(core.durable) }
            if error.code == ENOENT { throw .positionLost(wanted: position, oldest: oldest) }
            throw .failed(error)
        }
        segment = next.number
        self.offset = offset
        limit = 0
        checkedReads = 0
    }
}
