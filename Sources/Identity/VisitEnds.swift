import Foundations
import Postgres

/// Ends visits after silence: finds those that are due, and writes their `session.end` events.
///
/// Any number of servers may do it at once: a visit ends in the transaction that writes its event, and only if it is
/// still open and silent then.
package struct VisitEnds {
    /// Microseconds.
    private let silence: Int64

    package struct Due: Sendable {
        let bucket: Int32
        let session: [UInt8]
        let number: Int32

        func precedes(_ other: Due) -> Bool {
            bucket != other.bucket
                ? bucket < other.bucket : session.lexicographicallyPrecedes(other.session)
        }
    }

    package init(silence: Int64) { self.silence = silence }

    /// Open visits that are due, the longest overdue first; some of them may have gone on since that was noted.
    package func due(
        until: Timestamp, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [Due] {
        let rows = try connection.execute(
            """
            select bucket, session_id, number from visit
            where not ended and joined is null and due_at <= $1 order by due_at limit $2
            """, until, limit, context: "looking for sessions that have ended")
        return (0..<rows.count).map {
            Due(bucket: rows.int4($0, 0), session: Array(rows.text($0, 1)), number: rows.int4($0, 2))
        }
    }

    /// Ends those that are silent since long enough, and notes for the others when to look again. How many ended; nil:
    /// somebody else was at one of these sessions, nothing was done.
    ///
    /// - Parameters:
    ///   - until: everything that was received before is loaded.
    ///   - now: when the events count as received.
    package func end(
        _ due: [Due], until: Timestamp, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Int? {
        do throws(PostgresError) {
            return try connection.transaction(context: "ending sessions") { () throws(PostgresError) in
                try connection.script(Self.courteous)
                return try endAll(due.sorted { $0.precedes($1) }, until, now, connection)
            }
        } catch  where !error.isConnectionLost && error.isRetryable {
            return nil
        }
    }

    private func endAll(
        _ due: [Due], _ until: Timestamp, _ now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Int {
        // Sessions first: the order in which the loader locks.
        try execute(Self.locking, due, connection) { _ in }
        let rows = try execute(Self.ending, due, connection) { parameters in
            parameters.append(silence)
            parameters.append(until)
            parameters.append(now)
        }
        try execute(Self.postponing, due, connection) { parameters in
            parameters.append(silence)
            parameters.append(until)
        }
        if rows.isEmpty { return 0 }
        let ends = (0..<rows.count).map { row in
            ServerEvent(.end, of: VisitRow(rows, row, first: 1), session: rows.text(row, 0), receivedAt: now)
        }
        try ServerEventStore.insert(ends, connection)
        try execute(Self.summing, due, connection) { _ in }
        return withExtendedLifetime(rows) { ends.count }
    }

    @discardableResult
    private func execute(
        _ sql: String, _ due: [Due], _ connection: Connection, _ more: (inout Parameters) -> Void
    ) throws(PostgresError) -> Rows {
        var sessions = ArrayColumn(of: Bytes.self)
        for visit in due { visit.session.withUnsafeBytes { sessions.append($0) } }
        var parameters = Parameters()
        parameters.append(due.map(\.bucket))
        parameters.append(sessions)
        parameters.append(due.map(\.number))
        more(&parameters)
        return try connection.execute(sql, with: parameters, context: "ending sessions")
    }

    // MARK: Statements

    /// The loader never waits for long: whoever ends sessions gives way to it, and tries again.
    private static let courteous = "set local lock_timeout = '100ms'; \(Connection.byIndex())"
    private static let these = """
        from unnest($1::int[], $2::text[], $3::int[]) as q(bucket, session_id, number)
        """

    private static let locking = """
        update session s set clock_skew = s.clock_skew \(these)
        where s.bucket = q.bucket and s.id = q.session_id
        """

    private static let ending = """
        update visit v set ended = true, end_received_at = $6, due_at = v.last_at + $4 * interval '1 microsecond'
        \(these)
        where v.bucket = q.bucket and v.session_id = q.session_id and v.number = q.number
            and \(unindexed("not v.ended and v.joined is null"))
            and v.last_at + $4 * interval '1 microsecond' <= $5
        returning v.session_id, \(VisitRow.columns)
        """

    private static let postponing = """
        update visit v set due_at = v.last_at + $4 * interval '1 microsecond' \(these)
        where v.bucket = q.bucket and v.session_id = q.session_id and v.number = q.number
            and \(unindexed("not v.ended and v.joined is null")) and v.due_at <= $5
        """

    /// What a session's row says of its visits.
    private static let summing = """
        update session s set visits = t.visits, events = t.events, entry_page = t.entry_page,
            exit_page = t.exit_page, ended_at = t.ended_at
        from (
            select v.bucket, v.session_id, count(*) as visits, sum(v.events) as events,
                (array_agg(v.entry_page order by v.started_at) filter (where v.entry_page is not null))[1]
                    as entry_page,
                (array_agg(v.exit_page order by v.started_at desc) filter (where v.exit_page is not null))[1]
                    as exit_page,
                max(v.last_at) filter (where v.is_last and v.ended) as ended_at
            from (select distinct bucket, session_id \(these)) q
                join visit v on v.bucket = q.bucket and v.session_id = q.session_id and v.joined is null
            group by v.bucket, v.session_id) t
        where s.bucket = t.bucket and s.id = t.session_id
        """
}
