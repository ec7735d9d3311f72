import Foundations
import Payload
import Postgres

/// Learns the whole catalogue anew from the events that are stored, while servers go on.
///
/// All is read in one snapshot. A loader commits events together with its position in the spool, so the positions in
/// that snapshot say exactly which events are in it; they become the catalogue's positions in the transaction that
/// writes what was learnt. Each server finds its position moved, forgets what it has not flushed, and goes on from
/// there: nothing is counted twice, and nothing is lost. Meanwhile the servers keep their spools from there on.
package struct CatalogueRebuild {
    private let reading: Connection
    private let writing: Connection

    package struct Result {
        package var events = 0
        package var activities = 0
        package var overflows: [(source: String, overflow: Overflow)] = []
    }

    private struct SpoolEnd {
        let instance: UUID
        let epoch: UUID
        let position: Int64
    }

    /// Rows that are fetched at a time.
    private static let fetched = 2000

    package init(reading: Connection, writing: Connection) {
        self.reading = reading
        self.writing = writing
    }

    /// `activities`: how many there may be; `progress` is told now and then how many events were read.
    package func run(activities: Int, now: Timestamp, progress: (Int) -> Void = { _ in }) throws -> Result {
        let limits = try SummaryLimits(writing)
        let marks = try knownClients(limits)
        reading.deadline = 600_000
        writing.deadline = 600_000
        var learnt: [ExactText: Learnt] = [:]
        // Before the snapshot, too: else a server could drop in between what is not in it.
        try announce(spools(writing).ends, now)
        let ends = try snapshot { ends in
            try announce(ends, now)
            var lastAnnounced = Clock.system.monotonic()
            try eachPage { rows, events in
                try learn(rows, marks, limits, &learnt)
                guard Clock.system.monotonic() - lastAnnounced > 10_000_000_000 else { return }
                lastAnnounced = Clock.system.monotonic()
                try announce(ends, Clock.system.now())
                progress(events)
            }
        }
        let all = Array(learnt.values)
        var store = CatalogueStore(limits: limits, activities: activities)
        let written = try write(all, ends, &store, now)
        try followViews(limits)
        var result = Result(events: all.reduce(0) { $0 + $1.summary.count }, activities: all.count)
        result.overflows = written.overflows.sorted { $0.key < $1.key }.map { ($0.key.text, $0.value) }
        return result
    }

    // MARK: Reading

    /// Runs `body` in a transaction that sees one moment, and returns where the spools were then.
    private func snapshot(_ body: ([SpoolEnd]) throws -> Void) throws -> [SpoolEnd] {
        for _ in 0..<100 {
            try reading.begin(context: "reading all events")
            defer { if reading.isUsable, reading.isInTransaction { try? reading.rollback() } }
            try reading.script("set transaction isolation level repeatable read")
            let (ends, isHalf) = try spools(reading)
            // A record that is half loaded, after a crash: that takes a moment only.
            if isHalf {
                try reading.rollback()
                try reading.execute("select pg_sleep(0.2)")
                continue
            }
            try body(ends)
            return ends
        }
        throw PostgresError(
            .server, "a server takes a batch apart that crashed it: try again when it is through",
            context: "reading the positions")
    }

    /// Where the spools are; `isHalf`: in the middle of a record.
    private func spools(_ connection: Connection) throws(PostgresError) -> (ends: [SpoolEnd], isHalf: Bool) {
        let rows = try connection.execute(
            "select instance, epoch, position, part from spool_position order by instance, epoch")
        let ends = (0..<rows.count).map { i in
            SpoolEnd(instance: rows.uuid(i, 0), epoch: rows.uuid(i, 1), position: rows.int8(i, 2))
        }
        return (ends, (0..<rows.count).contains { rows.int($0, 3) > 0 })
    }

    private func eachPage(_ body: (Rows, Int) throws -> Void) throws {
        try reading.execute(
            """
            declare all_events no scroll cursor for
            select e.activity, e.id, e.received_at, e.label, e.source, e.properties, s.user_agent
            from event e left join session s on s.bucket = bucket_of(e.session_id) and s.id = e.session_id
            where e.source <> $1 and e.activity <> all ($2::text[])
            """, BuiltInActivity.source, BuiltInActivity.all.map(\.key))
        var events = 0
        while true {
            let rows = try reading.execute("fetch \(Self.fetched) from all_events")
            if rows.isEmpty { return }
            events += rows.count
            try body(rows, events)
        }
    }

    private func learn(
        _ rows: Rows, _ marks: [UUID: String], _ limits: SummaryLimits, _ learnt: inout [ExactText: Learnt]
    ) throws {
        var document = JSONDocument()
        for i in 0..<rows.count {
            let key = ExactText(rows.string(i, 0))
            guard (try? document.parse(rows.json(i, 5))) != nil else { continue }
            // The event does not say who sent it; its session does, and what was known knows the first ones.
            var client = marks[rows.uuid(i, 1)] ?? rows.stringOrNil(i, 6) ?? ""
            client.withUTF8 { client in
                let facts = EventFacts(
                    id: rows.uuid(i, 1), receivedAt: rows.timestamp(i, 2), time: rows.timestamp(i, 2),
                    label: rows.text(i, 3), source: rows.text(i, 4), client: Bytes(client))
                learnt[key, default: Learnt(key: key, limits: limits)].summary.observe(document.root, facts)
            }
        }
    }

    /// The clients of the events that showed something first, as far as the catalogue is readable.
    private func knownClients(_ limits: SummaryLimits) throws(PostgresError) -> [UUID: String] {
        var clients: [UUID: String] = [:]
        for key in try Catalogue.keys(writing) {
            let rows = try writing.execute("select summary from activity where key = $1", key)
            guard rows.count == 1, rows.bytea(0, 0).count > 0,
                let summary = try? ActivitySummary(decoding: rows.bytea(0, 0), limits: limits)
            else { continue }
            if let first = summary.first { clients[first.id] = first.client }
            for parameter in summary.parameters {
                for mark in [parameter.first] + parameter.kinds.map(\.first) {
                    clients[mark.id] = mark.client
                }
            }
        }
        return clients
    }

    // MARK: Writing

    /// Says from where on the servers are to keep their spools.
    private func announce(_ ends: [SpoolEnd], _ now: Timestamp) throws(PostgresError) {
        var json = JSONWriter()
        json.object { json in
            for end in ends { json.member("\(end.instance)/\(end.epoch)", Int(end.position)) }
        }
        try writing.execute(
            "update catalogue_state set rebuild_at = $1, rebuild_from = $2", now, JSONText(json.bytes))
    }

    private func write(
        _ learnt: [Learnt], _ ends: [SpoolEnd], _ store: inout CatalogueStore, _ now: Timestamp
    ) throws -> CatalogueStore.Result {
        try writing.begin(context: "writing the catalogue anew")
        do {
            try writing.execute(
                "select position from catalogue_position order by instance, epoch for update",
                context: "locking the catalogue's positions")
            try writing.execute(
                """
                insert into catalogue_position (instance, epoch, position, flushed_at)
                select instance, epoch, position, $4 from unnest($1::uuid[], $2::uuid[], $3::bigint[])
                    as q(instance, epoch, position)
                on conflict (instance, epoch) do update set position = excluded.position,
                    flushed_at = excluded.flushed_at, gap_at = null
                """, ends.map(\.instance), ends.map(\.epoch), ends.map(\.position), now)
            let result = try store.replace(learnt, now: now, writing)
            try writing.execute("delete from catalogue_overflow")
            try OverflowRows.write(result.overflows, now: now, writing)
            try writing.execute("update catalogue_state set rebuild_at = null, rebuild_from = null")
            try writing.commit(context: "writing the catalogue anew")
            return result
        } catch {
            if writing.isUsable, writing.isInTransaction { try? writing.rollback() }
            throw error
        }
    }

    /// Makes all views anew; those that somebody reads now are left as they are, which is the same. Any other that
    /// cannot be made is said at the end, and holds up none of the others.
    private func followViews(_ limits: SummaryLimits) throws {
        var failure: PostgresError?
        let maker = ViewMaker(limits: limits)
        let own = BuiltInActivity.all.map(\.key)
        for key in try Catalogue.keys(writing) where !own.contains(key) {
            do {
                try maker.follow(key, all: true, now: Clock.system.now(), writing)
            } catch let error as PostgresError where writing.isUsable {
                if error.sqlstate != "55P03" { failure = failure ?? error }
            }
        }
        if let failure { throw failure }
    }
}
