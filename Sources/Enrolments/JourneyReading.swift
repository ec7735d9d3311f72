import Foundations
import Identity
import Journeys
import Postgres

/// Reading what journeys did: for the commands and for the admin API. Lists come in pages (`limit`, `after`).
package enum JourneyReading {
    /// A journey as it was applied.
    package struct Summary: Sendable {
        package let name: String
        package let version: String
        package let number: Int
        package let state: String
        /// False: it stands in no file any more.
        package let isCurrent: Bool
        package let appliedAt: Timestamp
        /// Canonical JSON.
        package let definition: String
        package let running: Int
    }

    /// A row of `enrolment`.
    package struct Row: Sendable {
        package let id: UUID
        package let journey: String
        package let version: String
        package let subject: UUID
        package let isByEvent: Bool
        package let key: String
        package let number: Int
        package let phase: String
        package let step: String
        package let startedAt: Timestamp
        package let due: Timestamp?
        package let endedAt: Timestamp?
        package let reason: String?
    }

    /// A line of the trace.
    package struct Line: Sendable {
        package let id: UUID
        package let at: Timestamp
        package let journey: String
        package let version: String
        package let enrolment: UUID
        package let subject: UUID
        package let kind: String
        package let detail: String
        package let event: UUID?
    }

    /// The latest version of each journey, by name.
    package static func journeys(
        limit: Int, after: String, name: String? = nil, _ connection: Connection
    ) throws(PostgresError) -> [Summary] {
        let rows = try connection.execute(
            """
            select distinct on (j.name) j.name, j.version, j.number, j.state, j.is_current, j.applied_at, j.definition,
                (select count(*) from enrolment e where e.journey = j.name and e.ended_at is null)::int
            from journey j where j.name > $1 and ($2::text is null or j.name = $2)
            order by j.name, j.is_current desc, j.applied_at desc limit $3
            """, after, name, Int64(limit), context: "reading journeys")
        return (0..<rows.count).map { row in
            Summary(
                name: rows.string(row, 0), version: rows.string(row, 1), number: rows.int(row, 2),
                state: rows.string(row, 3), isCurrent: rows.bool(row, 4), appliedAt: rows.timestamp(row, 5),
                definition: rows.string(row, 6), running: rows.int(row, 7))
        }
    }

    /// The names of all journeys that were ever applied.
    package static func names(_ connection: Connection) throws(PostgresError) -> [String] {
        let rows = try connection.execute("select distinct name from journey", context: "reading journeys")
        return (0..<rows.count).map { rows.string($0, 0) }
    }

    /// Those of a person, the latest first; of all ids that mean it.
    package static func enrolments(
        of person: UUID, journey: String?, limit: Int, after: UUID? = nil, _ connection: Connection
    ) throws(PostgresError) -> [Row] {
        let rows = try connection.execute(
            """
            select \(columns) from ids_of($1) as q(id) join enrolment e on e.bucket = bucket_of(q.id) and e.subject = q.id
            where ($2::text is null or e.journey = $2) and ($3::uuid is null or (e.started_at, e.id) <
                (select o.started_at, o.id from ids_of($1) as p(id) join enrolment o
                    on o.bucket = bucket_of(p.id) and o.subject = p.id where o.id = $3))
            order by e.started_at desc, e.id desc limit $4
            """, person, journey, after, Int64(limit), context: "reading enrolments")
        return (0..<rows.count).map { Self.row(rows, $0) }
    }

    /// Those that run in a journey, by their ids.
    package static func running(
        in journey: String, limit: Int, after: UUID? = nil, _ connection: Connection
    ) throws(PostgresError) -> [Row] {
        let rows = try connection.execute(
            """
            select \(columns) from enrolment e
            where e.journey = $1 and e.ended_at is null and ($2::uuid is null or e.id > $2) order by e.id limit $3
            """, journey, after, Int64(limit), context: "reading enrolments")
        return (0..<rows.count).map { Self.row(rows, $0) }
    }

    private static let columns = """
        e.id, e.journey, e.version, e.subject, e.by_event, e.key, e.n, e.phase, e.step, e.started_at, e.due, e.ended_at,
        e.reason
        """

    private static func row(_ rows: Rows, _ row: Int) -> Row {
        Row(
            id: rows.uuid(row, 0), journey: rows.string(row, 1), version: rows.string(row, 2),
            subject: rows.uuid(row, 3), isByEvent: rows.bool(row, 4), key: rows.string(row, 5),
            number: rows.int(row, 6), phase: rows.string(row, 7), step: rows.string(row, 8),
            startedAt: rows.timestamp(row, 9), due: rows.timestampOrNil(row, 10),
            endedAt: rows.timestampOrNil(row, 11), reason: rows.stringOrNil(row, 12))
    }

    /// What happened to a person, the latest first.
    package static func trace(
        of person: UUID, journey: String?, limit: Int, after: UUID? = nil, _ connection: Connection
    ) throws(PostgresError) -> [Line] {
        let rows = try connection.execute(
            """
            select d.id, d.at, d.journey, d.version, d.enrolment, d.subject, d.kind, d.detail, d.event_id
            from ids_of($1) as q(id) join decision d on d.bucket = bucket_of(q.id) and d.subject = q.id
            where ($2::text is null or d.journey = $2 or d.journey = '') and ($3::uuid is null or d.id < $3)
            order by d.id desc limit $4
            """, person, journey, after, Int64(limit), context: "reading the trace")
        return (0..<rows.count).map { row in
            Line(
                id: rows.uuid(row, 0), at: rows.timestamp(row, 1), journey: rows.string(row, 2),
                version: rows.string(row, 3), enrolment: rows.uuid(row, 4), subject: rows.uuid(row, 5),
                kind: rows.string(row, 6), detail: rows.string(row, 7), event: rows.uuidOrNil(row, 8))
        }
    }

    /// So many lines of the trace an explanation goes by.
    private static let mostLines = 5_000

    /// Why a journey did what it did for a person, or why not; nil: there never was such a journey. One that was removed
    /// has a trace still.
    package static func explain(
        _ journey: String, of person: UUID, with rules: RulesInForce, at now: Timestamp, most: Int = 20,
        _ connection: Connection
    ) throws(PostgresError) -> Explanation? {
        guard let stored = try journeys(limit: 1, after: "", name: journey, connection).first,
            let engine = rules.engine(for: stored)
        else { return nil }
        let ids = try People.ids(of: person, connection)
        let history = StoredHistory(ids, connection)
        let whole = try read(person, ids, journey: journey, connection)
        let trace = try trace(of: person, journey: journey, limit: mostLines, connection).map {
            Explanation.Line(kind: $0.kind, enrolment: $0.enrolment, event: $0.event, detail: $0.detail)
        }
        let explanation = engine.explain(
            journey, whole, history: history, since: stored.appliedAt, trace: trace, at: now, most: most)
        if let failure = history.failure { throw failure }
        return explanation
    }

    /// A person as it stands, without a lock: what was merged into it counts as its own.
    static func read(
        _ person: UUID, _ ids: [UUID], journey: String?, _ connection: Connection
    ) throws(PostgresError) -> Journeys.Person {
        var whole = Journeys.Person(.profile(person))
        let traits = try connection.execute(
            "select traits from profile where bucket = $1 and id = $2", person.bucket, person)
        if !traits.isEmpty { whole.attributes = Array(traits.json(0, 0)) }
        let rows = try connection.execute(
            """
            select e.state from unnest($1::int[], $2::uuid[]) as q(bucket, subject)
                join enrolment e on e.bucket = q.bucket and e.subject = q.subject
            where $3::text is null or e.journey = $3 order by e.started_at desc limit 200
            """, ids.map(\.bucket), ids, journey, context: "reading enrolments")
        for row in (0..<rows.count).reversed() {
            if let one = Enrolment(encoded: Array(rows.text(row, 0))) { whole.enrolments.append(one) }
        }
        let memories = try PersonTable.memories(of: ids, connection)
        whole.memory = memories[person] ?? memories.values.first ?? Memory()
        return whole
    }
}

extension RulesInForce {
    /// One that knows a journey, though it was removed and nobody is in it any more; nil: it cannot be read.
    fileprivate func engine(for stored: JourneyReading.Summary) -> Engine? {
        if engine.rules.names.contains(stored.name) { return engine }
        let journey = try? JourneyDefinition(
            name: stored.name, canonicalJSON: Array(stored.definition.utf8), state: .draining)
        return journey.map { Engine(engine.rules.of(removed: $0)) }
    }
}
