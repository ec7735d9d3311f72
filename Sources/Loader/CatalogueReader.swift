import Activities
import Foundations
import Payload
import Postgres
import Spool

/// Reads the spool behind the loader and learns from what was stored.
///
/// Whether an event is stored is the loader's word: a verdict that is not `store` is in the spool, and for the rest
/// there are `LoadOutcomes`, or the table `event`.
final class CatalogueReader {
    private let outcomes: LoadOutcomes
    private let reader: SpoolReader
    private let guarding: LearningGuard
    private var buffer = ByteBuffer(capacity: 1 << 20)
    /// Up to where everything was learnt.
    private(set) var position: Position

    /// Bytes of records that are looked at together.
    private static let chunk = 1 << 20

    init(
        from position: Position, _ spool: Spool, _ outcomes: LoadOutcomes, _ guarding: LearningGuard
    ) throws(SpoolError) {
        self.guarding = guarding
        reader = try spool.reader(from: position)
        self.position = position
        self.outcomes = outcomes
    }

    /// Learns from the next records; false: there are none yet.
    func step(into delta: CatalogueDelta, _ connection: Connection) throws -> Bool {
        switch outcomes.known(at: LoadPosition(record: position, part: 0)) {
        case .nothingNew: return false
        case .range(let range):
            let records = try fill(until: range.end.record)
            try learn(records, delta) { id, _ in range.exceptions[id] }
        case .unknown(let until):
            let records = try fill(until: until.record)
            var stored = StoredEvents()
            try eachEvent(records) { event, time, isReplay in
                if event.verdict == .store { stored.add(event.id, receivedAt: time, isReplay: isReplay) }
            }
            let frozen = try FrozenActivities.keys(connection)
            try stored.look(frozen: frozen, connection)
            try learn(records, delta) { stored.exception(of: $0, isReplay: $1) }
        }
        return true
    }

    /// Whole records up to about a chunk, and not beyond what is committed.
    private func fill(until end: Position) throws(SpoolError) -> [SpoolRecord] {
        buffer.removeAll()
        if buffer.capacity > Self.chunk * 8 { buffer.shrink(to: Self.chunk) }
        var records: [SpoolRecord] = []
        while reader.position < end, buffer.count < Self.chunk, let record = try reader.next(into: &buffer) {
            records.append(record)
        }
        return records
    }

    private func learn(
        _ records: [SpoolRecord], _ delta: CatalogueDelta,
        _ exception: (_ id: UUID, _ isReplay: Bool) -> LoadOutcomes.Exception?
    ) throws {
        for record in records {
            try guarding.learn(record.position, count: { try count(record) }) { range in
                try learn(record, only: range, delta, exception)
            }
        }
        // Behind damage there may be no record: then what was stepped over is all that is done.
        position = reader.position
    }

    private func learn(
        _ record: SpoolRecord, only range: Range<Int>, _ delta: CatalogueDelta,
        _ exception: (_ id: UUID, _ isReplay: Bool) -> LoadOutcomes.Exception?
    ) throws {
        var frame = FrameReader(buffer[record.range])
        var index = -1
        while let entry = try frame.next() {
            guard case .submission(var submission) = entry else { continue }
            let (source, client) = (submission.source, submission.userAgent)
            while let event = try submission.nextEvent() {
                index += 1
                guard range.contains(index), event.verdict == .store else { continue }
                let time = submission.receivedAt(record.receivedAt)
                switch exception(event.id, submission.original != nil) {
                case nil:
                    delta.observe(
                        event, properties: event.properties, source: source, client: client,
                        receivedAt: time)
                case .absent: continue
                case .changed(let properties):
                    properties.withUnsafeBytes {
                        delta.observe(
                            event, properties: $0, source: source, client: client, receivedAt: time)
                    }
                }
            }
        }
    }

    private func count(_ record: SpoolRecord) throws -> Int {
        var events = 0
        try eachEvent([record]) { _, _, _ in events += 1 }
        return events
    }

    private func eachEvent(
        _ records: [SpoolRecord], _ body: (EventView, Timestamp, _ isReplay: Bool) -> Void
    ) throws {
        for record in records {
            var frame = FrameReader(buffer[record.range])
            while let entry = try frame.next() {
                guard case .submission(var submission) = entry else { continue }
                while let event = try submission.nextEvent() {
                    body(event, submission.receivedAt(record.receivedAt), submission.original != nil)
                }
            }
        }
    }
}
