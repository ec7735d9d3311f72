import Dispatch
import Foundations
import Glibc

/// Writes frames: all that wait in one call, one sync, then their answers. It alone appends to the log.
///
/// Nothing is allocated for a frame once it is warm: headers and the list of pieces have their room, the
/// bodies are written from where they are.
final class Flusher: @unchecked Sendable {  // `queue` owns what is private and not `Locked`
    let queue = DispatchQueue(label: "spool.flusher", qos: .userInitiated)
    private let core: SpoolCore
    private let housekeeper: Housekeeper
    private let waiting = Locked(Waiting())
    private let listeners = Locked<[@Sendable () -> Void]>([])

    private var active: ActiveSegment?
    private var taken: [Frame] = []
    private var group: WriteGroup
    private var latest: Timestamp
    private var nextNumber: UInt32
    private var refusedAt: UInt64?
    private var refusal: SystemError?
    private var abandonedAt: UInt64?
    /// How long to wait after a refusal, in nanoseconds.
    private static let patience: UInt64 = 100_000_000
    private var isClosed = false

    private struct Waiting {
        var frames: [Frame] = []
        var isScheduled = false
    }

    init(core: SpoolCore, housekeeper: Housekeeper, recovered: Recovery) {
        self.core = core
        self.housekeeper = housekeeper
        latest = recovered.latest
        nextNumber = recovered.nextNumber
        group = WriteGroup()
    }

    // MARK: from any queue

    func submit(_ frame: Frame) {
        frame.checksum = crc32c(frame.body.bytes)
        let isFirst = waiting.withLock { waiting in
            waiting.frames.append(frame)
            defer { waiting.isScheduled = true }
            return !waiting.isScheduled
        }
        if isFirst { queue.async { self.flush() } }
    }

    func onDurable(_ call: @escaping @Sendable () -> Void) { listeners.withLock { $0.append(call) } }

    // MARK: on the queue

    /// Also under a load that never pauses the queue gets to its other work now and then.
    private func flush() {
        for _ in 0..<64 {
            if !take() { return }
            writeTaken()
        }
        queue.async { self.flush() }
    }

    private func writeTaken() {
        var index = 0
        while index < taken.count { index += write(from: index) }
        taken.removeAll(keepingCapacity: true)
    }

    private func take() -> Bool {
        waiting.withLock { waiting in
            swap(&waiting.frames, &taken)
            waiting.isScheduled = !taken.isEmpty
            return waiting.isScheduled
        }
    }

    /// Settles one frame or more, from `index` on; returns how many.
    private func write(from index: Int) -> Int {
        let size = taken[index].body.count
        let limit = core.segmentBytes - Int(SegmentHeader.bytes) - RecordHeader.bytes
        if isClosed { return refuse(index..<index + 1, .closed) }
        if size > limit { return refuse(index..<index + 1, .tooLarge(bytes: size, limit: limit)) }
        do throws(SystemError) {
            try prepare(for: RecordHeader.footprint(size))
        } catch {
            return refuse(index..<index + 1, .failed(error))
        }
        return writeGroup(from: index)
    }

    private func refuse(_ range: Range<Int>, _ error: SpoolError) -> Int {
        for frame in taken[range] { frame.completion(frame, .failure(error)) }
        return range.count
    }

    /// Sees to it that the open segment has room for so many bytes.
    private func prepare(for footprint: Int) throws(SystemError) {
        if let active, active.fits(footprint) {
            // A segment that is only reserved syncs at half the speed: leave it as soon as a better one is there.
            if active.isRaw, active.offset > SegmentHeader.bytes, core.table.withLock({ $0.spare != nil }) {
                try? rotate()
            }
            return
        }
        try rotate()
    }

    private func writeGroup(from index: Int) -> Int {
        guard let active else { return refuse(index..<index + 1, .closed) }
        let count = group.gather(taken, from: index, into: active, after: core.durable, latest: &latest)
        let frames = index..<index + count
        do throws(SystemError) {
            try group.write(to: active)
            try active.file.sync()
        } catch {
            abandon(active, error)
            return refuse(frames, .failed(error))
        }
        self.active?.offset = group.end
        let durable = Position(segment: active.number, offset: group.end)
        core.publish(durable: durable, roomHere: core.segmentBytes - Int(group.end))
        for frame in taken[frames] { frame.completion(frame, .success(())) }
        for call in listeners.withLock({ $0 }) { call() }
        return count
    }

    // MARK: segments

    /// After a failed write or sync nobody knows what is on disk: the segment ends at the last durable record,
    /// and a new one says so. Until that is on disk, a zeroed header keeps the failed group from reviving.
    private func abandon(_ segment: ActiveSegment, _ error: SystemError) {
        core.fails(error)
        try? segment.file.write(WriteGroup.zeros.slice(0..<RecordHeader.bytes), at: Int(segment.offset))
        core.changeTable { $0.close(segment.number, at: segment.offset, isSuspect: true) }
        core.setRoomHere(0)
        active = nil
        // A disk that takes headers but no records must not be fed a segment for every group.
        let now = core.clock.monotonic()
        let isFirst = abandonedAt.map { now >= $0 + Self.patience } ?? true
        refusedAt = isFirst ? nil : now
        abandonedAt = now
        refusal = error
        try? rotate()
    }

    /// Begins the next segment. After a refusal it is not tried again for a tenth of a second.
    private func rotate() throws(SystemError) {
        let now = core.clock.monotonic()
        if let refusedAt, let refusal, now < refusedAt + Self.patience { throw refusal }
        do throws(SystemError) {
            let next = try ActiveSegment(core: core, number: nextNumber, latest: latest)
            core.changeTable { table in
                if let active { table.close(active.number, at: active.offset) }
                table.append(next.entry(previousEnd: core.durable, latest: latest, bytes: core.segmentBytes))
            }
            active = next
            nextNumber += 1
            refusedAt = nil
            core.setRoomHere(core.segmentBytes - Int(next.offset))
            core.works()
            housekeeper.poke()
        } catch {
            refusedAt = now
            refusal = error
            core.fails(error)
            throw error
        }
    }

    /// The first segment of this run.
    func begin() { try? rotate() }

    /// Once a second: a spool that could not write finds out that it can again also without traffic.
    func tick() {
        if isClosed || (active != nil && core.failure == nil) { return }
        try? rotate()
    }

    /// Where the log ends now, and the least time that any later record will have: from now on arrivals count from
    /// here, also those that are on their way already.
    func tide() -> (end: Position, time: Timestamp) {
        dispatchPrecondition(condition: .onQueue(queue))
        latest = max(latest, core.clock.now())
        return (core.durable, latest)
    }

    /// Writes what waits, notes where the log ends, and refuses everything from now on.
    func close() {
        while take() { writeTaken() }
        isClosed = true
        guard let active else { return }
        self.active = nil
        let seed = active.seed
        var buffer = ByteBuffer(capacity: SegmentSeal.bytes)
        SegmentSeal(end: active.offset, latest: latest).encode(into: &buffer, seed: seed)
        // Without the seal the next start looks for the end itself.
        try? active.file.write(buffer.bytes, at: SegmentSeal.offset)
        try? active.file.sync()
        core.changeTable { $0.close(active.number, at: active.offset) }
    }
}
