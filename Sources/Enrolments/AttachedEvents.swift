import Foundations
import Journeys
import Postgres

/// Events that were stored without a person and were given one later: they go through journeys as if they had had it.
///
/// What an event began by itself belongs to its person from then on, and it begins none of that a second time.
package enum AttachedEvents {
    /// Steps some of them in one transaction, which also takes them off the list; any number of servers may do it.
    package static func step(
        limit: Int, with step: JourneyStep, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> (count: Int, outcome: JourneyStep.Outcome) {
        try connection.transaction { () throws(PostgresError) in
            // Whoever deletes a row has it; the others see that it is gone.
            let rows = try connection.execute(
                """
                delete from attached a using (select bucket, event_id from attached order by attached_at limit $1) q
                where a.bucket = q.bucket and a.event_id = q.event_id
                returning a.event_id, a.received_at, a.profile_id, a.attached_at
                """, Int64(limit), context: "taking attached events")
            if rows.isEmpty { return (0, JourneyStep.Outcome()) }
            let events = try read(rows, connection)
            let concerning = step.concerning(events)
            let places = Set(concerning.map(\.place))
            var outcome = try step.step(
                concerning, others: events.filter { !places.contains($0.place) }, attached: true, at: now,
                connection)
            if outcome.base == nil { outcome.number(try JourneyStep.number(connection)) }
            try number(events, outcome, connection)
            return (rows.count, outcome)
        }
    }

    /// Nobody waits for any of them, unless there are journeys by now, or some that this server cannot read.
    package static func forget(_ connection: Connection) throws(PostgresError) {
        if try connection.execute("select 1 from journey limit 1", context: "looking for journeys").isEmpty {
            try connection.execute(
                "delete from attached where not exists (select from journey)",
                context: "forgetting attached events")
        }
    }

    private static func read(_ rows: Rows, _ connection: Connection) throws(PostgresError) -> [JourneyStep
        .Event]
    {
        var seen: [UUID: Timestamp] = [:]
        for row in 0..<rows.count { seen[rows.uuid(row, 0)] = rows.timestamp(row, 3) }
        let arrivals = (0..<rows.count).map { rows.timestamp($0, 1) }
        let events = try connection.execute(
            """
            select e.id, e.activity, e.label, e.source, e.time, e.received_at, e.properties, e.profile_id
            from unnest($1::int[], $2::uuid[], $3::timestamptz[]) as q(bucket, id, received_at)
                join event e on e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
            where e.received_at between $4 and $5 order by e.received_at, e.id
            """, (0..<rows.count).map { rows.uuid($0, 2).bucket }, (0..<rows.count).map { rows.uuid($0, 0) },
            arrivals, arrivals.min(), arrivals.max(), context: "reading attached events")
        return (0..<events.count).map { row in
            let (id, received) = (events.uuid(row, 0), events.timestamp(row, 5))
            var occurrence = Occurrence(
                id: id, activity: events.string(row, 1), label: events.string(row, 2),
                source: events.string(row, 3), time: events.timestamp(row, 4), received: received,
                properties: Array(events.json(row, 6)))
            // The server's own events had their persons from the beginning.
            if let seen = seen[id], occurrence.source != "@waymark" { occurrence.seen = max(seen, received) }
            return JourneyStep.Event(occurrence, profile: events.uuidOrNil(row, 7), place: row)
        }
    }

    /// A backtest finds them where they were stepped.
    private static func number(
        _ events: [JourneyStep.Event], _ outcome: JourneyStep.Outcome, _ connection: Connection
    ) throws(PostgresError) {
        if events.isEmpty { return }
        try connection.execute(
            """
            update event e set step = q.step, seen_at = q.seen_at
            from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::bigint[], $5::timestamptz[])
                as q(bucket, id, received_at, step, seen_at)
            where e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
                and e.received_at between $6 and $7
            """, events.map { ($0.profile ?? $0.occurrence.id).bucket }, events.map(\.occurrence.id),
            events.map(\.occurrence.received), events.map { outcome.number($0.place) },
            events.map(\.occurrence.seen), events.map(\.occurrence.received).min(),
            events.map(\.occurrence.received).max(), context: "numbering attached events")
    }
}
