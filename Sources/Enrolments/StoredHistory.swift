import Foundations
import Journeys
import Payload
import Postgres

/// A person's events, as far as they were stepped: those of the present batch from memory, older ones from the table;
/// and enrolments that the person was not loaded with. What still waits to be stepped (`attached`) is none of them. Of
/// the same instant, what was stepped last comes first.
///
/// A statement that fails is remembered and ends the step: see `failure`.
final class StoredHistory: History {
    private let connection: Connection
    private let ids: [UUID]
    /// Of the present batch, in the order in which they are stepped.
    var recent: [Occurrence] = []
    private(set) var failure: PostgresError?
    /// Whose enrolments may be asked for; nil: nobody's.
    private let subject: Subject?
    /// Of which the person has the last enrolment, or none exists.
    private var known: Set<Place>

    private static let page = 100

    /// It is known that nothing later is stored; nil: nothing is known.
    private let end: Timestamp?
    /// Stored already, and to be stepped in this transaction.
    private let coming: Set<UUID>

    init(
        _ ids: [UUID], until end: Timestamp? = nil, enrolmentsOf subject: Subject? = nil,
        besides known: Set<Place> = [], without coming: Set<UUID> = [], _ connection: Connection
    ) {
        (self.ids, self.end, self.connection) = (ids, end, connection)
        (self.subject, self.known, self.coming) = (subject, known, coming)
    }

    func last(_ journey: String, key: String) -> Enrolment? {
        guard let subject, failure == nil, known.insert(Place(subject, journey, key)).inserted else {
            return nil
        }
        do throws(PostgresError) {
            let rows = try connection.execute(
                """
                select state from enrolment where bucket = $1 and subject = $2 and journey = $3 and md5(key) = md5($4)
                order by n desc limit 1
                """, subject.id.bucket, subject.id, journey, key, context: "looking for an earlier enrolment")
            return rows.isEmpty ? nil : Enrolment(encoded: Array(rows.text(0, 0)))
        } catch {
            failure = error
            return nil
        }
    }

    /// Of persons with events at these moments, and all their ids: those of whom something later is stored. Most events
    /// are the latest of their person, so that one statement spares a look back for each enrolment.
    static func goesOn(
        after moments: [UUID: Timestamp], ids: [UUID: [UUID]], _ connection: Connection
    ) throws(PostgresError) -> Set<UUID> {
        var (persons, all, times): ([UUID], [UUID], [Timestamp]) = ([], [], [])
        for (person, moment) in moments {
            for id in ids[person] ?? [] {
                persons.append(person)
                all.append(id)
                times.append(moment)
            }
        }
        guard let first = times.min() else { return [] }
        let rows = try connection.execute(
            """
            select distinct q.person from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as q(person, id, time)
            where exists (select from event e
                where e.profile_id = q.id and e.time > q.time and e.received_at >= $4)
            """, persons, all, times, first.adding(microseconds: -EventClock.future),
            context: "looking for later events")
        return Set((0..<rows.count).map { rows.uuid($0, 0) })
    }

    func visit(_ activity: String, after: Timestamp?, through: Timestamp, _ body: (Occurrence) -> Bool) {
        var recent = self.recent.enumerated()
            .filter { $0.element.activity == activity && $0.element.time <= through }
            .filter { after == nil || $0.element.time > after ?? $0.element.time }
            .sorted { ($0.element.time, $0.offset) > ($1.element.time, $1.offset) }[...]
        // What was given its person late is stored already.
        let known = coming.union(recent.map(\.element.id))
        var before: Occurrence?
        while true {
            let stored = read(activity, after, through, before: before)
            for event in stored where !known.contains(event.id) {
                while let next = recent.first, next.element.time >= event.time {
                    recent.removeFirst()
                    if !body(next.element) { return }
                }
                if !body(event) { return }
            }
            if stored.count < Self.page { break }
            before = stored.last
        }
        for next in recent where !body(next.element) { return }
    }

    private func read(
        _ activity: String, _ after: Timestamp?, _ through: Timestamp, before: Occurrence?
    ) -> [Occurrence] {
        if ids.isEmpty || failure != nil { return [] }
        if let end, let after, after >= end { return [] }
        do throws(PostgresError) {
            let rows = try connection.execute(
                """
                select id, label, source, time, received_at, properties, seen_at, coalesce(step, 0) from event e
                where profile_id = any($1) and activity = $2 and ($3::timestamptz is null or time > $3) and time <= $4
                    and ($5::timestamptz is null
                        or (time, coalesce(step, 0), received_at, id) < ($5, $6::bigint, $7::timestamptz, $8::uuid))
                    and (step is not null or not exists (
                        select 1 from attached a where a.bucket = e.bucket and a.event_id = e.id))
                order by time desc, coalesce(step, 0) desc, received_at desc, id desc limit $9
                """, ids, activity, after, through, before?.time, before?.step, before?.received, before?.id,
                Int64(Self.page),
                context: "looking back for a journey")
            return (0..<rows.count).map { row in
                Occurrence(
                    id: rows.uuid(row, 0), activity: activity, label: rows.string(row, 1),
                    source: rows.string(row, 2), time: rows.timestamp(row, 3),
                    received: rows.timestamp(row, 4),
                    properties: Array(rows.json(row, 5)), seen: rows.timestampOrNil(row, 6),
                    step: rows.int8(row, 7))
            }
        } catch {
            failure = error
            return []
        }
    }
}
