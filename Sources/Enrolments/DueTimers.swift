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

    /// In the order of their index, whose first entries are all that is read.
    static let enrolments = """
        select subject, by_event, id, due from enrolment where due <= $1 and journey <> all($3)
        order by due, id limit $2
        """
    static let reviews = """
        select profile_id, review from memory where review <= $1 order by review, profile_id limit $2
        """

    /// What is due up to a moment, the oldest first; not of journeys that rest. Nothing is locked.
    package static func find(
        until horizon: Timestamp, limit: Int, besides resting: [String] = [], _ connection: Connection
    ) throws(PostgresError) -> [Timer] {
        try connection.transaction { () throws(PostgresError) in
            try connection.script(byIndex)
            return try read(horizon, limit, resting, connection)
        }
    }

    /// Whatever statistics say of tables that change all the time.
    static let byIndex = """
        set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_sort = off
        """

    private static func read(
        _ horizon: Timestamp, _ limit: Int, _ resting: [String], _ connection: Connection
    ) throws(PostgresError) -> [Timer] {
        let rows = try connection.execute(
            enrolments, horizon, Int64(limit), resting, context: "looking for timers")
        var timers = (0..<rows.count).map { row in
            let subject = rows.uuid(row, 0)
            return Timer(
                subject: rows.bool(row, 1) ? .event(subject) : .profile(subject),
                input: .timer(rows.uuid(row, 2), due: rows.timestamp(row, 3)))
        }
        let found = try connection.execute(
            reviews, horizon, Int64(limit), context: "looking for timers")
        for row in 0..<found.count {
            timers.append(
                Timer(subject: .profile(found.uuid(row, 0)), input: .review(due: found.timestamp(row, 1))))
        }
        return timers
    }

    /// The timers in the order of their buckets, beginning with one: servers that begin elsewhere share the work.
    package static func share(_ timers: [Timer], from first: Int32) -> [Timer] {
        timers.sorted { ($0.subject.id.bucket &- first) & 4095 < ($1.subject.id.bucket &- first) & 4095 }
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
            try PersonTable.lock(
                events: timers.filter { $0.subject.profile == nil }.map(\.subject.id), connection)
            return try step.decide(
                timers.map { ($0.subject, $0.input) }, without: absent, at: now, connection)
        }
    }
}
