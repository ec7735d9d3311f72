import Foundations
import Journeys
import Postgres

/// What a backtest reads: persons by the page, with their events and their merges.
extension Backtest {
    /// A person with all that a replay needs.
    struct StoredPerson {
        let id: UUID
        var attributes: [UInt8] = []
        var entries: [Replay.Entry] = []
        var events = 0
        var unnumbered = 0
    }

    private static let columns = """
        id, activity, label, source, time, received_at, properties, seen_at, coalesce(step, 0)
        """

    private static func occurrence(_ rows: Rows, _ row: Int) -> Occurrence {
        Occurrence(
            id: rows.uuid(row, 0), activity: rows.string(row, 1), label: rows.string(row, 2),
            source: rows.string(row, 3), time: rows.timestamp(row, 4), received: rows.timestamp(row, 5),
            properties: rows.isNull(row, 6) ? [] : Array(rows.json(row, 6)),
            seen: rows.timestampOrNil(row, 7),
            step: rows.int8(row, 8))
    }

    private var starting: [String] { engine.rules.starting(journey.name) }

    /// Persons for whom it may have fired: with an event that may have started it, as long ago as a run may take; where
    /// a score or a segment starts it, with any event that it looks at.
    func chosen(_ connection: Connection) throws(PostgresError) -> [UUID] {
        let activities = starting.isEmpty ? engine.rules.activities : starting
        let from = starting.isEmpty ? begin : since.adding(microseconds: -reach.span)
        let rows = try connection.execute(
            """
            select distinct person_of(q.profile_id) from (
                select distinct profile_id from event
                where received_at >= $1 and received_at < $2 and activity = any($3) and profile_id is not null) as q
            order by 1
            """, from, now, activities, context: "choosing persons for a backtest")
        return (0..<rows.count).map { rows.uuid($0, 0) }
    }

    func read(_ page: [UUID], _ connection: Connection) throws(PostgresError) -> [StoredPerson] {
        var persons = page.map { StoredPerson(id: $0) }
        let places = Dictionary(page.enumerated().map { ($1, $0) }) { a, _ in a }
        let rows = try connection.execute(
            """
            select q.id, i.id, p.traits, coalesce(a.merged_into, a.profile_id), a.step, a.created_at
            from unnest($1::uuid[]) as q(id) cross join lateral ids_of(q.id) as i(id)
                left join profile p on p.bucket = bucket_of(i.id) and p.id = i.id
                left join alias a on a.bucket = bucket_of(i.id) and a.id = i.id
            """, page, context: "reading persons for a backtest")
        var place: [UUID: Int] = [:]
        for row in 0..<rows.count {
            guard let i = places[rows.uuid(row, 0)] else { continue }
            let id = rows.uuid(row, 1)
            place[id] = i
            if id == persons[i].id, !rows.isNull(row, 2) { persons[i].attributes = Array(rows.json(row, 2)) }
            guard let winner = rows.uuidOrNil(row, 3) else { continue }
            persons[i].entries.append(
                Replay.Entry(merge: id, into: winner, step: rows.int8(row, 4), at: rows.timestamp(row, 5)))
        }
        try readEvents(of: place, into: &persons, connection)
        return persons
    }

    private func readEvents(
        of place: [UUID: Int], into persons: inout [StoredPerson], _ connection: Connection
    ) throws(PostgresError) {
        let rows = try connection.execute(
            """
            select \(Self.columns), profile_id from event
            where profile_id = any($1) and received_at >= $2 and received_at < $3 and activity = any($4)
            """, Array(place.keys), begin, now, engine.rules.activities,
            context: "reading events for a backtest")
        for row in 0..<rows.count {
            let (occurrence, profile) = (Self.occurrence(rows, row), rows.uuid(row, 9))
            guard let i = place[profile] else { continue }
            persons[i].entries.append(Replay.Entry(occurrence, of: profile))
            persons[i].events += 1
            if occurrence.step == 0 { persons[i].unnumbered += 1 }
        }
    }

    /// The next thousand events without a person that may start it; empty: there are no more.
    func readStrangers(
        after last: (received: Timestamp, id: UUID)?, _ connection: Connection
    ) throws(PostgresError) -> [Occurrence] {
        if starting.isEmpty { return [] }
        let rows = try connection.execute(
            """
            select \(Self.columns) from event
            where profile_id is null and activity = any($1) and received_at >= $2 and received_at < $3
                and (received_at, id) > ($2, $4) order by received_at, id limit 1000
            """, starting, last?.received ?? since.adding(microseconds: -reach.span), now,
            last?.id ?? UUID(high: 0, low: 0), context: "reading events for a backtest")
        return (0..<rows.count).map { Self.occurrence(rows, $0) }
    }

    // MARK: What it went by

    func notes(_ result: Result, _ connection: Connection) throws(PostgresError) -> [String] {
        var notes: [String] = []
        let asked = begin.microseconds > 0 ? "read from \(begin.iso8601) on" : "read from the first one on"
        if let oldest = try oldest(connection) {
            notes.append("events are kept since \(oldest.iso8601): what was before is not known")
        } else {
            notes.append("events are \(asked), since conditions look back")
        }
        if reach.readsAttributes {
            notes.append("attributes are as of now: what they were is not kept")
        }
        if starting.isEmpty, engine.rules.watchesAttributes {
            notes.append("starts by a change of attributes are not in it: only events are run again")
        }
        if let most = journey.reentry.most ?? (journey.reentry.mode == .once ? 1 : nil) {
            notes.append("runs that began before the events do not count for at most \(most) in all")
        }
        if result.unnumbered > 0 {
            notes.append(
                "\(result.unnumbered) events were stored while no journey was in force: they stand where they arrived"
            )
        }
        if let start = try liveStart(connection), start > since {
            notes.append("the live version is in force since \(start.iso8601): it fired nothing before")
        }
        return notes
    }

    /// Since when the journey is in force, as far as that is known: what was applied again before it was paused or
    /// changed says no more when that was, but it may have fired.
    private func liveStart(_ connection: Connection) throws(PostgresError) -> Timestamp? {
        let rows = try connection.execute(
            """
            select min(j.applied_at) from journey j where j.name = $1
            having not exists (select 1 from decision d where d.journey = $1 and d.kind = 'fired' and d.at >= $2
                and d.at < min(j.applied_at))
            """, journey.name, since, context: "reading since when the journey is in force")
        return rows.isEmpty ? nil : rows.timestampOrNil(0, 0)
    }

    /// The first event that there is, if it is later than what is asked for.
    private func oldest(_ connection: Connection) throws(PostgresError) -> Timestamp? {
        let unknown = Timestamp(microseconds: 0)
        let first = try connection.execute(
            """
            select to_date(substr(c.relname, 7), 'YYYYMMDD')::timestamp at time zone 'UTC'
            from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'event'::regclass and c.relname ~ '^event_[0-9]{8}$' order by c.relname
            """, context: "looking for the oldest events")
        for row in 0..<first.count {
            let day = first.timestamp(row, 0)
            if day.adding(seconds: 86_400) <= begin, begin != unknown {
                if try has(from: day, connection) { return nil }
                continue
            }
            let rows = try connection.execute(
                "select min(received_at) from event where received_at >= $1 and received_at < $2", day,
                day.adding(seconds: 86_400), context: "looking for the oldest events")
            if rows.isNull(0, 0) { continue }
            let oldest = rows.timestamp(0, 0)
            return oldest > begin ? oldest : nil
        }
        return nil
    }

    private func has(from day: Timestamp, _ connection: Connection) throws(PostgresError) -> Bool {
        let rows = try connection.execute(
            "select 1 from event where received_at >= $1 and received_at < $2 limit 1", day,
            day.adding(seconds: 86_400), context: "looking for the oldest events")
        return !rows.isEmpty
    }
}
