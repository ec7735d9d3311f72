import Foundations
import Postgres

/// A visit with what else its row in the table `visit` says.
struct VisitRow {
    var visit: Visits.Visit
    let source: String
    let profile: UUID?
    /// Where its events' rows are.
    let startReceivedAt: Timestamp
    var endReceivedAt: Timestamp?
    var isLast: Bool

    /// What `init(_:_:)` reads, in this order.
    static let columns = """
        v.number, v.source, v.profile_id, v.started_at, v.last_at, v.ended, v.is_last, v.events, v.entry_at, \
        v.entry_page, v.exit_at, v.exit_page, v.start_received_at, v.end_received_at, v.referrer, v.utm_source, \
        v.utm_medium, v.utm_campaign, v.utm_term, v.utm_content, v.click_source, v.click_id
        """

    /// From a result whose columns from `first` on are these.
    init(_ rows: Rows, _ row: Int, first: Int) {
        func text(_ column: Int) -> String? { rows.stringOrNil(row, first + column) }
        func sighting(_ column: Int, _ arrival: Arrival) -> VisitRun.Sighting? {
            guard let at = rows.timestampOrNil(row, first + column), let page = text(column + 1) else {
                return nil
            }
            return VisitRun.Sighting(at: at, page: page, arrival: arrival)
        }
        var arrival = Arrival()
        arrival.referrer = text(14)
        arrival.utm = (15..<20).map(text)
        (arrival.clickSource, arrival.clickID) = (text(20), text(21))
        var run = VisitRun(at: rows.timestamp(row, first + 3), events: rows.int(row, first + 7))
        run.last = rows.timestamp(row, first + 4)
        (run.entry, run.exit) = (sighting(8, arrival), sighting(10, Arrival()))
        visit = Visits.Visit(stored: rows.int(row, first), run, hasEnded: rows.bool(row, first + 5))
        source = rows.string(row, first + 1)
        profile = rows.uuidOrNil(row, first + 2)
        startReceivedAt = rows.timestamp(row, first + 12)
        endReceivedAt = rows.timestampOrNil(row, first + 13)
        isLast = rows.bool(row, first + 6)
    }

    /// One that begins.
    init(_ visit: Visits.Visit, source: String, profile: UUID?, startReceivedAt: Timestamp) {
        (self.visit, self.source, self.profile) = (visit, source, profile)
        (self.startReceivedAt, isLast) = (startReceivedAt, false)
    }
}

/// The columns of an upsert of visits.
struct VisitColumns: ~Copyable {
    private var buckets = ArrayColumn(of: Int32.self)
    private var sessions = ArrayColumn(of: Bytes.self)
    private var rows: [VisitRow] = []

    var isEmpty: Bool { rows.isEmpty }

    mutating func append(_ row: VisitRow, bucket: Int32, session: Bytes) {
        buckets.append(bucket)
        sessions.append(session)
        rows.append(row)
    }

    func write(silence: Int64, _ connection: Connection) throws(PostgresError) {
        if rows.isEmpty { return }
        let runs = rows.map(\.visit.run)
        let arrivals = runs.map { $0.entry?.arrival }
        var parameters = Parameters()
        parameters.append(buckets)
        parameters.append(sessions)
        parameters.append(rows.map { Int32($0.visit.number) })
        parameters.append(rows.map(\.source))
        parameters.append(rows.map(\.profile))
        parameters.append(runs.map(\.first))
        parameters.append(runs.map(\.last))
        parameters.append(runs.map { $0.due(silence) })
        parameters.append(rows.map(\.visit.hasEnded))
        parameters.append(rows.map(\.isLast))
        parameters.append(rows.map { $0.visit.joined.map { Int32($0) } })
        parameters.append(runs.map(\.events))
        parameters.append(runs.map(\.entry?.at))
        parameters.append(runs.map(\.entry?.page))
        parameters.append(runs.map(\.exit?.at))
        parameters.append(runs.map(\.exit?.page))
        parameters.append(arrivals.map { $0?.referrer })
        for i in Arrival.utmNames.indices { parameters.append(arrivals.map { $0?.utm[i] }) }
        parameters.append(arrivals.map { $0?.clickSource })
        parameters.append(arrivals.map { $0?.clickID })
        parameters.append(rows.map(\.startReceivedAt))
        parameters.append(rows.map(\.endReceivedAt))
        try connection.execute(Self.statement, with: parameters, context: "writing visits")
    }

    private static let statement = """
        insert into visit as v (bucket, session_id, number, source, profile_id, started_at, last_at, due_at, ended,
            is_last, joined, events, entry_at, entry_page, exit_at, exit_page, referrer, utm_source, utm_medium,
            utm_campaign, utm_term, utm_content, click_source, click_id, start_received_at, end_received_at)
        select * from unnest($1::int[], $2::text[], $3::int[], $4::text[], $5::uuid[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[], $9::bool[], $10::bool[], $11::int[], $12::bigint[],
            $13::timestamptz[], $14::text[], $15::timestamptz[], $16::text[], $17::text[], $18::text[], $19::text[],
            $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::timestamptz[], $26::timestamptz[])
        on conflict (bucket, session_id, number) do update set
            started_at = excluded.started_at, last_at = excluded.last_at, due_at = excluded.due_at,
            ended = excluded.ended, is_last = excluded.is_last, joined = excluded.joined, events = excluded.events,
            entry_at = excluded.entry_at, entry_page = excluded.entry_page, exit_at = excluded.exit_at,
            exit_page = excluded.exit_page, referrer = excluded.referrer, utm_source = excluded.utm_source,
            utm_medium = excluded.utm_medium, utm_campaign = excluded.utm_campaign, utm_term = excluded.utm_term,
            utm_content = excluded.utm_content, click_source = excluded.click_source, click_id = excluded.click_id,
            end_received_at = excluded.end_received_at
        """
}
