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

    /// One question that is due.
    struct Question {
        let event: UUID
        let receivedAt: Timestamp
        let source: String
        let url: String
        /// JSON text, as `WaitingEvents` has it.
        let effects: [UInt8]
        /// How often it was asked, with this time.
        let attempt: Int
    }

    /// Takes questions that are due; nobody else asks them until the lease is over.
    static func claim(
        _ most: Int, at now: Timestamp, lease seconds: Int64, _ connection: Connection
    ) throws(PostgresError) -> [Question] {
        let rows = try connection.execute(
            """
            update lookup l set next_at = $2, attempt = l.attempt + 1
            from (select bucket, event_id, attempt from lookup where state = 'queued' and next_at <= $1
                order by next_at limit $3) as o
            where l.bucket = o.bucket and l.event_id = o.event_id and l.attempt = o.attempt
                and \(unindexed("l.state = 'queued'"))
            returning l.event_id, l.received_at, l.source, l.url, l.effects, l.attempt
            """, now, now.adding(seconds: seconds), most, context: "taking look-ups")
        return (0..<rows.count).map { row in
            Question(
                event: rows.uuid(row, 0), receivedAt: rows.timestamp(row, 1), source: rows.string(row, 2),
                url: rows.string(row, 3), effects: Array(rows.json(row, 4)), attempt: rows.int(row, 5))
        }
    }

    /// `state`: `found`, `nobody` or `failed`; with `next`, it is asked again then.
    static func finish(
        _ question: Question, state: String, status: Int?, error: String?, next: Timestamp? = nil,
        _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            """
            update lookup set state = $3, status = $4, error = $5, next_at = coalesce($6, next_at)
            where bucket = $1 and event_id = $2
            """, question.event.bucket, question.event, next == nil ? state : "queued",
            status.map { Int32($0) },
            error, next, context: "noting a look-up")
    }
}
