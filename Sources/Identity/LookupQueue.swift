import Foundations
import Postgres

/// The table `lookup`: events without a profile about which somebody outside is asked.
package enum LookupQueue {
    /// Queues the questions of events that nobody is known by.
    package static func add(
        _ events: [WaitingEvents.Waiting], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let asked = events.filter { $0.sign.question != nil }
            .sorted { ($0.id.bucket, $0.id) < ($1.id.bucket, $1.id) }
        if asked.isEmpty { return }
        var effects = ArrayColumn(of: JSONText.self)
        for event in asked { event.effects.withUnsafeBytes { effects.append(JSONText($0)) } }
        var parameters = Parameters()
        parameters.append(asked.map(\.id.bucket))
        parameters.append(asked.map(\.id))
        parameters.append(asked.map(\.receivedAt))
        parameters.append(asked.map(\.source))
        parameters.append(asked.map { $0.sign.question ?? "" })
        parameters.append(effects)
        parameters.append(now)
        _ = try connection.execute(
            """
            insert into lookup (bucket, event_id, received_at, source, url, effects, state, next_at, created_at)
            select *, 'queued', $7::timestamptz, $7::timestamptz
            from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[])
            on conflict (bucket, event_id) do nothing
            """, with: parameters, context: "queueing look-ups")
    }
}
