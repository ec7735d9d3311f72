import Foundations
import Journeys
import Postgres

/// Finds and decides timers: those of enrolments, and moments at which time alone changes a score or a segment.
package struct DueTimers {
    /// Of one subject.
    package struct Timer: Sendable {
        let subject: Subject
        let input: Input
    }

    /// What is due up to a moment, the oldest first. Nothing is locked.
    package static func find(
        until horizon: Timestamp, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [Timer] {
        let rows = try connection.execute(
            "select subject, by_event, id, due from enrolment where due <= $1 order by due limit $2", horizon,
            Int64(limit), context: "looking for timers")
        var timers = (0..<rows.count).map { row in
            let subject = rows.uuid(row, 0)
            return Timer(
                subject: rows.bool(row, 1) ? .event(subject) : .profile(subject),
                input: .timer(rows.uuid(row, 2), due: rows.timestamp(row, 3)))
        }
        let reviews = try connection.execute(
            "select profile_id, review from memory where review <= $1 order by review limit $2", horizon,
            Int64(limit), context: "looking for timers")
        for row in 0..<reviews.count {
            timers.append(
                Timer(subject: .profile(reviews.uuid(row, 0)), input: .review(due: reviews.timestamp(row, 1)))
            )
        }
        return timers
    }

    /// Decides them in one transaction; other servers may be at the same ones, each is decided once.
    ///
    /// - Parameter absent: Servers that are not waited for: the trace names those that may have had evidence.
    package static func decide(
        _ timers: [Timer], without absent: [AbsentServer] = [], with step: JourneyStep, at now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) -> JourneyStep.Outcome {
        try connection.transaction { () throws(PostgresError) in
            try connection.script(
                "set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off"
            )
            try lockEvents(timers, connection)
            return try step.decide(
                timers.map { ($0.subject, $0.input) }, without: absent, at: now, connection)
        }
    }

    /// An event without a profile has no row to be locked but its enrolments.
    private static func lockEvents(_ timers: [Timer], _ connection: Connection) throws(PostgresError) {
        let events = timers.filter { $0.subject.profile == nil }.map(\.subject.id)
            .sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        if events.isEmpty { return }
        try connection.execute(
            """
            update enrolment e set due = e.due from unnest($1::int[], $2::uuid[]) as q(bucket, subject)
            where e.bucket = q.bucket and e.subject = q.subject
            """, events.map(\.bucket), events, context: "locking timers")
    }
}
