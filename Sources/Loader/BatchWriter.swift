import Foundations
import Identity
import Payload
import Postgres

/// Stores a batch, or a part of it, inside a transaction that its caller began: identities, sessions and
/// profiles, keys, journeys with their deliveries, events, quarantine.
///
/// It decides each event's outcome; nothing outside of the transaction changes before `committed`.
final class BatchWriter {
    private let settler: Settler
    private var keys: EventKeys
    private var rows = EventRows()
    private let instance: UUID
    private let frozen: FrozenGate
    /// Nil: sessions have no starts and ends.
    private let visits: VisitWriter?
    private let persons: PersonStep
    /// Nil: there are no journeys.
    private let journeys: JourneyGate?

    init(
        settler: Settler, visits: VisitWriter?, frozen: FrozenGate = FrozenGate(),
        journeys: JourneyGate? = nil,
        instance: UUID, deduplicate days: Int?, identityMetrics: IdentityMetrics = IdentityMetrics()
    ) {
        self.frozen = frozen
        self.journeys = journeys
        self.settler = settler
        self.visits = visits
        persons = PersonStep(settler.rules, metrics: identityMetrics)
        self.instance = instance
        keys = EventKeys(days: days)
    }

    /// So many profiles may be merged in one transaction.
    func limit(merges: Int) { settler.mostMerges = merges }

    /// Looks for other things in events from the next batch on.
    func use(_ rules: IdentityRules) {
        if rules === settler.rules { return }
        settler.rules = rules
        persons.rules = rules
    }

    /// Writes the events of the range. May be called several times in one transaction, for ranges from left to
    /// right; after a failure the same range may be written again.
    func write(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        let (before, visitsBefore, outcome) = (settler.mark, visits?.mark ?? 0, journeys?.outcome)
        let givenBefore = persons.given.mark
        do throws(PostgresError) {
            try writeAll(batch, range, connection)
        } catch {
            settler.rolledBack(to: before)
            visits?.rolledBack(to: visitsBefore)
            persons.given.rolledBack(to: givenBefore)
            if let outcome { journeys?.restore(outcome) }
            throw error
        }
    }

    private func writeAll(
        _ batch: Batch, _ range: Range<Int>, _ connection: Connection
    ) throws(PostgresError) {
        for i in range {
            batch.events[i].outcome = nil
            batch.events[i].profile = nil
            if batch.events[i].refusal?.isPoison != true { batch.events[i].refusal = nil }
            batch.events[i].trimmed = nil
            batch.events[i].step = nil
        }
        frozen.check(batch, range)
        try ReplayRows.take(batch, range, connection)
        try settle(batch, range, connection)
        for i in range { decide(&batch.events[i]) }
        try keys.take(batch, range, connection)
        for i in range { decideRest(&batch.events[i]) }
        try journeys?.look(at: persons.changing, batch, connection)
        try persons.write(batch, range, connection)
        try journeys?.write(batch, range, persons.turns, merged: persons.winners, connection)
        let stored = range.filter { batch.events[$0].outcome == .stored }
        try rows.copy(batch, stored, connection)
        try visits?.write(stored.compactMap { visitEvent(batch, $0) }, connection)
        let refused = range.filter {
            batch.events[$0].outcome == .quarantined && batch.original(of: $0) == nil
        }
        try QuarantineRows.insert(batch, refused, instance: instance, connection)
        try ReplayRows.finish(batch, range, connection)
    }

    /// Returns how many visits began.
    func committed(at now: Timestamp) -> VisitWriter.Started {
        settler.committed(at: now)
        persons.given.committed(at: now)
        return visits?.committed(at: now) ?? VisitWriter.Started()
    }

    func rolledBack() {
        settler.rolledBack(to: Settler.Mark())
        visits?.rolledBack(to: 0)
        persons.given.rolledBack(to: 0)
        _ = journeys?.take()
    }

    /// Nil: the event's session has no row, and so no visits.
    private func visitEvent(_ batch: Batch, _ i: Int) -> VisitEvent? {
        let (view, claim) = (batch.events[i].view, batch.claims[batch.events[i].request])
        guard claim.flags.contains(.saveSession), claim.session.count > 0 else { return nil }
        let time = EventClock.corrected(said: view.said, skew: claim.skew, receivedAt: claim.receivedAt)
        return VisitEvent(
            session: claim.session, source: claim.source, profile: batch.profile(of: i), time: time,
            receivedAt: claim.receivedAt, properties: view.properties, context: view.context,
            requestContext: claim.context, userAgent: claim.userAgent, isLocked: claim.sessionLocked)
    }

    /// Requests with at least one event that is processed get their session and profile settled and written.
    private func settle(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        let events = range.filter { isProcessed(batch.events[$0]) }
        var active: [Int] = []
        for i in events where active.last != batch.events[i].request {
            active.append(batch.events[i].request)
        }
        let signs = persons.read(batch, events, active)
        if active.isEmpty { return }
        var claims = active.map { batch.claims[$0] }
        let settlement = try settler.settle(&claims, signs, connection) { events throws(PostgresError) in
            try keys.repeats(batch, range, among: events, connection)
        }
        for (i, claim) in zip(active, claims) { batch.claims[i] = claim }
        persons.take(settlement, batch, events, active)
    }

    private func isProcessed(_ event: Batch.Event) -> Bool {
        event.refusal == nil && !event.isVoid
            && (event.view.verdict == .store || event.view.verdict == .unsaved)
    }

    /// What is known without the keys.
    private func decide(_ event: inout Batch.Event) {
        if event.isVoid { return }
        if event.refusal != nil {
            event.outcome = .quarantined
        } else if event.view.verdict == .denied {
            event.outcome = .denied
        } else if event.view.verdict == .quarantined {
            event.outcome = .quarantined
        }
    }

    private func decideRest(_ event: inout Batch.Event) {
        if event.isVoid { return }
        if event.refusal != nil { event.outcome = .quarantined }
        if event.outcome == nil { event.outcome = event.view.verdict == .unsaved ? .unsaved : .stored }
    }
}
