import Foundations
import Journeys
import Postgres

/// Events that were stored without a person and were given one later: they go through journeys as if they had had it.
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
            var seen: [UUID: Timestamp] = [:]
            for row in 0..<rows.count { seen[rows.uuid(row, 0)] = rows.timestamp(row, 3) }
            let events = try connection.execute(
                """
                select e.id, e.activity, e.label, e.source, e.time, e.received_at, e.properties, e.profile_id
                from unnest($1::int[], $2::uuid[], $3::timestamptz[]) as q(bucket, id, received_at)
                    join event e on e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
                order by e.received_at, e.id
                """, (0..<rows.count).map { rows.uuid($0, 2).bucket },
                (0..<rows.count).map { rows.uuid($0, 0) },
                (0..<rows.count).map { rows.timestamp($0, 1) }, context: "reading attached events")
            let steps = (0..<events.count).map { row in
                JourneyStep.Event(
                    Occurrence(
                        id: events.uuid(row, 0), activity: events.string(row, 1),
                        label: events.string(row, 2),
                        source: events.string(row, 3), time: events.timestamp(row, 4),
                        received: events.timestamp(row, 5), properties: Array(events.json(row, 6))),
                    profile: events.uuidOrNil(row, 7), seen: seen[events.uuid(row, 0)])
            }
            return (rows.count, try step.step(step.concerning(steps), at: now, connection))
        }
    }
}
