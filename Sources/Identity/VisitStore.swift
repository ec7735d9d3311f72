import Foundations
import Postgres

/// The statements on the table `visit` while events are loaded. Rows are sorted by (bucket, session), as those of
/// sessions are, whose locks come before.
struct VisitStore {
    /// Microseconds.
    let silence: Int64

    /// What is asked about a session.
    struct Question {
        let bucket: Int32
        let session: Bytes
        /// Which of the visits matter: those that are nearer to this than the silence, and the latest.
        let first: Timestamp
        let last: Timestamp
    }

    /// Lets visits grow, as far as that is all that happens to them: the events follow the latest visit's without
    /// silence, it goes on, and its first page stays. The indices of those that grew.
    func grow(
        _ visits: [(session: Bytes, bucket: Int32, number: Int32, run: VisitRun)], _ connection: Connection
    ) throws(PostgresError) -> Set<Int> {
        if visits.isEmpty { return [] }
        var sessions = ArrayColumn(of: Bytes.self)
        for visit in visits { sessions.append(visit.session) }
        var parameters = Parameters()
        parameters.append(visits.indices.map { Int32($0) })
        parameters.append(visits.map(\.bucket))
        parameters.append(sessions)
        parameters.append(visits.map(\.number))
        parameters.append(visits.map(\.run.first))
        parameters.append(visits.map(\.run.last))
        parameters.append(visits.map(\.run.events))
        parameters.append(visits.map(\.run.exit?.at))
        parameters.append(visits.map(\.run.exit?.page))
        parameters.append(silence)
        let rows = try connection.execute(Self.growing, with: parameters, context: "letting visits grow")
        return Set((0..<rows.count).map { rows.int(row: $0) })
    }

    private static let growing = """
        update visit v set last_at = greatest(v.last_at, q.last_at), events = v.events + q.events,
            exit_at = case when q.exit_at is null or (v.exit_at, v.exit_page) > (q.exit_at, q.exit_page)
                then v.exit_at else q.exit_at end,
            exit_page = case when q.exit_at is null or (v.exit_at, v.exit_page) > (q.exit_at, q.exit_page)
                then v.exit_page else q.exit_page end
        from unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::bigint[],
                $8::timestamptz[], $9::text[])
            as q(n, bucket, session_id, number, first_at, last_at, events, exit_at, exit_page)
        where v.bucket = q.bucket and v.session_id = q.session_id and v.number = q.number
            and v.is_last and \(unindexed("not v.ended and v.joined is null"))
            and q.first_at >= v.started_at and q.first_at < v.last_at + $10 * interval '1 microsecond'
            and (q.exit_at is null or v.entry_at < q.first_at)
        returning q.n
        """

    /// Locks the rows of sessions that nobody locked yet.
    func lock(
        _ sessions: [(session: Bytes, bucket: Int32)], _ connection: Connection
    ) throws(PostgresError) {
        if sessions.isEmpty { return }
        var ids = ArrayColumn(of: Bytes.self)
        for session in sessions { ids.append(session.session) }
        var parameters = Parameters()
        parameters.append(sessions.map(\.bucket))
        parameters.append(ids)
        try connection.execute(
            """
            update session s set clock_skew = s.clock_skew from unnest($1::int[], $2::text[]) as q(bucket, id)
            where s.bucket = q.bucket and s.id = q.id
            """, with: parameters, context: "locking sessions")
    }

    /// What there is of each session, whose row is locked: the visits that matter, and the highest number given.
    func read(
        _ questions: [Question], _ connection: Connection
    ) throws(PostgresError) -> [(given: Int, rows: [VisitRow])] {
        var found = [(given: Int, rows: [VisitRow])](repeating: (0, []), count: questions.count)
        if questions.isEmpty { return found }
        let given = try connection.execute(
            """
            select q.n, max(v.number) from unnest($1::int[], $2::int[], $3::text[]) as q(n, bucket, session_id)
                join visit v on v.bucket = q.bucket and v.session_id = q.session_id
            group by q.n
            """, with: Self.parameters(questions, Array(questions.indices)), context: "reading visits")
        for row in 0..<given.count { found[given.int(row: row)].given = given.int(row, 1) }
        let known = found.indices.filter { found[$0].given > 0 }
        if known.isEmpty { return found }
        var parameters = Self.parameters(questions, known)
        parameters.append(known.map { questions[$0].first.adding(microseconds: -silence) })
        parameters.append(known.map { questions[$0].last.adding(microseconds: silence) })
        // An update that changes nothing: it takes the locks, and works on every kind of PostgreSQL.
        let rows = try connection.execute(
            """
            update visit v set is_last = v.is_last
            from unnest($1::int[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[])
                as q(n, bucket, session_id, after, before)
            where v.bucket = q.bucket and v.session_id = q.session_id and v.joined is null
                and (v.is_last or (v.last_at > q.after and v.started_at < q.before))
            returning q.n, \(VisitRow.columns)
            """, with: parameters, context: "locking visits")
        for row in 0..<rows.count { found[rows.int(row: row)].rows.append(VisitRow(rows, row, first: 1)) }
        return found
    }

    private static func parameters(_ questions: [Question], _ indices: [Int]) -> Parameters {
        var sessions = ArrayColumn(of: Bytes.self)
        for i in indices { sessions.append(questions[i].session) }
        var parameters = Parameters()
        parameters.append(indices.map { Int32($0) })
        parameters.append(indices.map { questions[$0].bucket })
        parameters.append(sessions)
        return parameters
    }

    /// These sessions go on.
    func reopen(
        _ sessions: [(session: Bytes, bucket: Int32)], _ connection: Connection
    ) throws(PostgresError) {
        if sessions.isEmpty { return }
        var ids = ArrayColumn(of: Bytes.self)
        for session in sessions { ids.append(session.session) }
        var parameters = Parameters()
        parameters.append(sessions.map(\.bucket))
        parameters.append(ids)
        try connection.execute(
            """
            update session s set ended_at = null from unnest($1::int[], $2::text[]) as q(bucket, id)
            where s.bucket = q.bucket and s.id = q.id and s.ended_at is not null
            """, with: parameters, context: "reopening sessions")
    }
}

extension Rows {
    /// The first column of a row, a number.
    fileprivate func int(row: Int) -> Int { int(row, 0) }
}
