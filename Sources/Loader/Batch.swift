import Foundations
import Identity
import Payload
import Postgres
import Spool

/// A run of the spool's records, decoded in place: what one transaction stores.
///
/// All slices point into the batch's own buffer, and are valid until it is filled again.
final class Batch {
    struct Event {
        let view: EventView
        /// Its place in `claims`.
        let request: Int
        /// What became of it; nil: not decided in this attempt.
        var outcome: Receipt.Outcome?
        /// Why the loader itself quarantines it.
        var refusal: Refusal?
        /// A replay that another copy of it came before, or whose row was dropped: it has no effect at all.
        var isVoid = false
        /// The profile that it stands under, where that is not its request's.
        var profile: UUID?
        /// What is stored instead of its properties: without what a frozen activity does not know.
        var trimmed: [UInt8]?
        /// Its place among all that is done to its person; nil: there are no journeys.
        var step: Int64?

        /// What the catalogue cannot see in the spool; nil: it is stored as it stands there.
        var exception: LoadOutcomes.Exception? {
            outcome == .stored ? trimmed.map { .changed($0) } : .absent
        }
    }

    /// Why the loader put an event into the quarantine that Intake had let pass.
    struct Refusal {
        let reason: StaticString
        /// JSON pointer into the event; empty: the whole event.
        var pointer = ""
        let detail: QuarantineDetail
        /// Its id came before with another content.
        var isConflict = false
        /// The event's own bytes are suspect: keep them as a text.
        var isPoison = false
    }

    /// What one request brought, besides its claim.
    struct Request {
        let task: UUID
        let flags: Submission.Flags
        var events: Range<Int>
        /// Of an event that is replayed from the quarantine.
        var original: Submission.Original?
    }

    struct Count {
        let source: Bytes
        let minute: Timestamp
        let received: Int
    }

    private var records: [SpoolRecord] = []
    private var buffer = ByteBuffer(capacity: 1 << 20)
    private(set) var requests: [Request] = []
    /// One for each request, in the same order.
    var claims: [Claim] = []
    var events: [Event] = []
    private(set) var counts: [Count] = []
    private(set) var begin = LoadPosition.start
    private(set) var end = LoadPosition.start
    /// When the last record was received; nil: the batch is empty.
    private(set) var receivedUntil: Timestamp?
    /// The oldest record's time, for the latency from the answer to the commit.
    private(set) var receivedFrom: Timestamp?

    /// Does any event come from the quarantine?
    private(set) var hasReplays = false

    /// Where an event came in first that is replayed from the quarantine; nil: it is none.
    func original(of event: Int) -> Submission.Original? { requests[events[event].request].original }

    /// What the records take in the spool, about.
    var bytes: Int { buffer.count }

    var isEmpty: Bool { begin == end }

    /// Fills the batch with whole records until it has about so many events or bytes. The first record's first
    /// `begin.part` events are passed over. `exactly` cuts the last record after that many events.
    func fill(
        from reader: SpoolReader, begin: LoadPosition, events wanted: Int, bytes: Int, exactly: Bool = false
    ) throws {
        clear(at: begin)
        records.removeAll(keepingCapacity: true)
        var (count, passed) = (0, 0)
        while count < wanted, buffer.count < bytes, let record = try reader.next(into: &buffer) {
            // After damage it may be another record that comes first.
            if records.isEmpty, record.position == begin.record { passed = begin.part }
            if records.isEmpty { count = -passed }
            records.append(record)
            count += try Self.countEvents(buffer[record.range])
            end = LoadPosition(record: record.next, part: 0)
        }
        // Behind damage there may be nothing: then what was stepped over is all that is done.
        if records.isEmpty, reader.position != begin.record {
            end = LoadPosition(record: reader.position, part: 0)
        }
        for record in records { try decode(record) }
        if passed > 0 { drop(first: min(passed, events.count)) }
        if exactly, events.count > wanted, let last = records.last { cut(to: wanted, of: last, count: count) }
        if buffer.count > bytes * 4 { oversized = true }
    }

    /// A single huge record made the buffer grow: its memory is given back when the batch is cleared.
    private var oversized = false

    private func clear(at begin: LoadPosition) {
        if oversized {
            buffer = ByteBuffer(capacity: 1 << 20)
            oversized = false
        }
        buffer.removeAll()
        requests.removeAll(keepingCapacity: true)
        claims.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        hasReplays = false
        self.begin = begin
        end = begin
        receivedUntil = nil
        receivedFrom = nil
    }

    /// Forgets what an attempt decided, before another one.
    func reset() {
        for i in claims.indices { claims[i].unsettle() }
        for i in events.indices {
            events[i].outcome = nil
            events[i].isVoid = false
            if events[i].refusal?.isPoison != true { events[i].refusal = nil }
        }
    }

    private static func countEvents(_ frame: Bytes) throws -> Int {
        var reader = FrameReader(frame)
        var count = 0
        while let entry = try reader.next() {
            if case .submission(let submission) = entry { count += submission.count }
        }
        return count
    }

    private func decode(_ record: SpoolRecord) throws {
        receivedFrom = receivedFrom ?? record.receivedAt
        receivedUntil = record.receivedAt
        var reader = FrameReader(buffer[record.range])
        while let entry = try reader.next() {
            switch entry {
            case .counter(let source, let received):
                counts.append(Count(source: source, minute: record.receivedAt.minute, received: received))
            case .submission(var submission):
                let first = events.count
                while let event = try submission.nextEvent() {
                    events.append(Event(view: event, request: requests.count))
                }
                requests.append(
                    Request(
                        task: submission.task, flags: submission.flags, events: first..<events.count,
                        original: submission.original))
                if submission.original != nil { hasReplays = true }
                claims.append(Claim(submission, receivedAt: submission.receivedAt(record.receivedAt)))
            }
        }
    }

    /// Forgets the events that an earlier transaction stored; their requests stay, with fewer events.
    private func drop(first count: Int) {
        events.removeFirst(count)
        for i in requests.indices {
            let range = requests[i].events
            requests[i].events = max(range.lowerBound - count, 0)..<max(range.upperBound - count, 0)
        }
    }

    /// Leaves only the first events; the rest of the last record comes with the next batch, and so do its
    /// counters.
    private func cut(to wanted: Int, of last: SpoolRecord, count: Int) {
        let left = count - wanted
        events.removeLast(events.count - wanted)
        for i in requests.indices {
            let range = requests[i].events
            requests[i].events = min(range.lowerBound, wanted)..<min(range.upperBound, wanted)
        }
        let inLast = (try? Self.countEvents(buffer[last.range])) ?? 0
        end = LoadPosition(record: last.position, part: inLast - left)
        let minute = last.receivedAt.minute
        let counters = (try? Self.countCounters(buffer[last.range])) ?? 0
        precondition(counts.suffix(counters).allSatisfy { $0.minute == minute })
        counts.removeLast(counters)
    }

    private static func countCounters(_ frame: Bytes) throws -> Int {
        var reader = FrameReader(frame)
        var count = 0
        while let entry = try reader.next() {
            if case .counter = entry { count += 1 }
        }
        return count
    }
}
