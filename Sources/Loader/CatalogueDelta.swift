import Activities
import Foundations
import Payload
import Spool

/// What a server learnt of all activities since its last flush, bounded.
///
/// Each event is parsed once. Activities that the server itself makes are not learnt.
final class CatalogueDelta {
    private let limits: SummaryLimits
    private var learnt: [ExactText: Learnt] = [:]
    private var document = JSONDocument()
    private(set) var events = 0
    /// The arrival of the oldest event in it.
    private(set) var oldest: Timestamp?
    /// What the summaries take in memory, about.
    private var footprint = 0
    private var sinceMeasured = 0

    /// Activities of which something may be learnt between two flushes, and the bytes that it may take.
    private static let most = (activities: 2000, bytes: 64 << 20)

    init(limits: SummaryLimits) { self.limits = limits }

    var isEmpty: Bool { learnt.isEmpty }
    var all: [Learnt] { Array(learnt.values) }

    /// It must be flushed before more is learnt.
    var isFull: Bool { learnt.count >= Self.most.activities || footprint >= Self.most.bytes }

    func clear() {
        learnt.removeAll(keepingCapacity: true)
        (events, oldest, footprint, sinceMeasured) = (0, nil, 0, 0)
        document.reset()
    }

    /// Learns from an event that is stored, with these properties.
    func observe(
        _ event: EventView, properties: Bytes, source: Bytes, client: Bytes, receivedAt: Timestamp
    ) {
        let key = ExactText(event.activity.text)
        if BuiltInActivity.with(key: key.text) != nil { return }
        let empty: StaticString = "{}"
        let text = properties.count > 0 ? properties : Bytes(start: empty.utf8Start, count: 2)
        // What PostgreSQL took is JSON; should it not be, there is nothing to be learnt from it.
        guard (try? document.parse(text)) != nil else { return }
        let facts = EventFacts(
            id: event.id, receivedAt: receivedAt, time: receivedAt, label: event.label, source: source,
            client: client)
        learnt[key, default: Learnt(key: key, limits: limits)].summary.observe(document.root, facts)
        events += 1
        oldest = min(oldest ?? receivedAt, receivedAt)
        measure()
    }

    /// Now and then, for it is a walk over everything.
    private func measure() {
        sinceMeasured += 1
        guard sinceMeasured >= 1000 + learnt.count * 4 else { return }
        sinceMeasured = 0
        footprint = learnt.values.reduce(0) { $0 + $1.summary.footprint }
    }
}
