import Foundations
import Identity
import Payload
import Postgres

/// Stores a batch, or a part of it, inside a transaction that its caller began: identities, sessions and
/// profiles, keys, events, quarantine. Journeys and deliveries have their place between events and quarantine.
///
/// It decides each event's outcome; nothing outside of the transaction changes before `committed`.
final class BatchWriter {
    private let settler: Settler
    private var keys: EventKeys
    private var rows = EventRows()
    private let instance: UUID

    init(settler: Settler, instance: UUID, deduplicate days: Int?) {
        self.settler = settler
        self.instance = instance
        keys = EventKeys(days: days)
    }

    /// Writes the events of the range. May be called several times in one transaction, for ranges from left to
    /// right; after a failure the same range may be written again.
    func write(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        let before = settler.mark
        do throws(PostgresError) {
            try writeAll(batch, range, connection)
        } catch {
            settler.rolledBack(to: before)
            throw error
        }
    }

    private func writeAll(
        _ batch: Batch, _ range: Range<Int>, _ connection: Connection
    ) throws(PostgresError) {
        for i in range {
            batch.events[i].outcome = nil
            if batch.events[i].refusal?.isPoison != true { batch.events[i].refusal = nil }
        }
        try settle(batch, range, connection)
        for i in range { decide(&batch.events[i]) }
        try keys.take(batch, range, connection)
        for i in range { decideRest(&batch.events[i]) }
        try rows.copy(batch, range.filter { batch.events[$0].outcome == .stored }, connection)
        let refused = range.filter { batch.events[$0].outcome == .quarantined }
        try QuarantineRows.insert(batch, refused, instance: instance, connection)
    }

    func committed(at now: Timestamp) { settler.committed(at: now) }
    func rolledBack() { settler.rolledBack(to: 0) }

    /// Requests with at least one event that is processed get their session and profile settled and written.
    private func settle(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        var active: [Int] = []
        for i in range where isProcessed(batch.events[i]) && active.last != batch.events[i].request {
            active.append(batch.events[i].request)
        }
        if active.isEmpty { return }
        var claims = active.map { batch.claims[$0] }
        try settler.settle(&claims, connection)
        for (i, claim) in zip(active, claims) { batch.claims[i] = claim }
    }

    private func isProcessed(_ event: Batch.Event) -> Bool {
        event.refusal == nil && (event.view.verdict == .store || event.view.verdict == .unsaved)
    }

    /// What is known without the keys.
    private func decide(_ event: inout Batch.Event) {
        if event.refusal != nil {
            event.outcome = .quarantined
        } else if event.view.verdict == .denied {
            event.outcome = .denied
        } else if event.view.verdict == .quarantined {
            event.outcome = .quarantined
        }
    }

    private func decideRest(_ event: inout Batch.Event) {
        if event.refusal != nil { event.outcome = .quarantined }
        if event.outcome == nil { event.outcome = event.view.verdict == .unsaved ? .unsaved : .stored }
    }
}
