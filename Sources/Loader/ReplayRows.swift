import Foundations
import Identity
import Postgres

/// The quarantine's rows of a batch's replayed events, taken by the transaction that stores the events.
///
/// A row can be taken only while a replay of it is asked for, and whoever takes it ends that. So of any number of
/// copies of a replay, in any number of spools, exactly one has an effect; and none has, once the row was dropped.
enum ReplayRows {
    /// Locks the rows. Replayed events whose row is gone, or is not asked for any more, are void.
    static func take(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        if !batch.hasReplays { return }
        let replays = range.filter { batch.original(of: $0) != nil }
        if replays.isEmpty { return }
        let ids = Set(replays.map { batch.events[$0].view.id }).sorted()
        let rows = try connection.execute(
            """
            update quarantine set claimed_at = claimed_at where id = any($1::uuid[]) and requested_at is not null
            returning id
            """, ids)
        var taken = Set((0..<rows.count).map { rows.uuid($0, 0) })
        for i in replays { batch.events[i].isVoid = taken.remove(batch.events[i].view.id) == nil }
    }

    /// Removes the rows of the events that are done, and says in the others why they stay.
    static func finish(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        guard batch.hasReplays, let now = batch.receivedUntil else { return }
        let replays = range.filter { batch.original(of: $0) != nil && !batch.events[$0].isVoid }
        try remove(batch, replays.filter { batch.events[$0].outcome != .quarantined }, at: now, connection)
        try keep(batch, replays.filter { batch.events[$0].outcome == .quarantined }, at: now, connection)
    }

    private static func remove(
        _ batch: Batch, _ events: [Int], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        if events.isEmpty { return }
        let ids = events.map { batch.events[$0].view.id }
        try connection.execute(
            """
            insert into replay (id, request, received_at, source, activity, reason, outcome, at)
            select q.id, q.request, q.received_at, q.source, n.activity, q.reason, n.outcome, $4
            from unnest($1::uuid[], $2::text[], $3::text[]) as n(id, activity, outcome) join quarantine q on q.id = n.id
            on conflict (id) do nothing
            """, ids, events.map { batch.events[$0].view.activity.text },
            events.map { batch.events[$0].outcome?.name ?? "" }, now)
        try connection.execute("delete from quarantine where id = any($1::uuid[])", ids)
    }

    private static func keep(
        _ batch: Batch, _ events: [Int], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let kept = events.compactMap { i -> Quarantine.Kept? in
            let event = batch.events[i]
            // Intake's verdict is never to quarantine a replay: it says so in the row.
            guard let refusal = event.refusal else { return nil }
            return Quarantine.Kept(
                id: event.view.id, reason: "\(refusal.reason)", pointer: refusal.pointer,
                detail: refusal.detail.json)
        }
        try Quarantine.keep(kept, at: now, connection)
    }
}

extension Receipt.Outcome {
    /// The word for it in tables and metrics.
    var name: String {
        switch self {
        case .stored: "stored"
        case .duplicate: "duplicate"
        case .denied: "denied"
        case .quarantined: "quarantined"
        case .unsaved: "unsaved"
        }
    }
}
