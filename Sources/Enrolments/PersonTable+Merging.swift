import Foundations
import Journeys
import Postgres

/// What stands under a profile that was merged into another one moves to that one, under its lock.
///
/// The loader does it in the transaction that merges; whoever merges elsewhere leaves it to the next one who loads the
/// person. Nothing is lost or decided twice in between: a timer is decided for whom its profile is now.
extension PersonTable {
    mutating func inherit(
        with engine: Engine, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        var losers: [(id: UUID, winner: UUID)] = []
        for (winner, ids) in ids { for id in ids where id != winner { losers.append((id, winner)) } }
        if losers.isEmpty { return }
        losers.sort { ($0.id.bucket, $0.id) < ($1.id.bucket, $1.id) }
        let found = try read(losers.map(\.id), connection)
        if found.isEmpty { return }
        var places: Set<Place> = []
        for (id, winner) in losers {
            for enrolment in found[id]?.enrolments ?? [] {
                places.insert(Place(.profile(winner), enrolment.journey, enrolment.key))
            }
        }
        // Numbers may meet those of enrolments that ended long ago.
        try readAll(of: places, connection)
        let winners = Set(losers.filter { found[$0.id] != nil }.map(\.winner))
        let latest = Set(winners.flatMap { Self.latest(enrolments(of: $0, places)) })
        for (id, winner) in losers {
            guard let loser = found[id], var person = persons[.profile(winner)] else { continue }
            unite(.profile(winner), engine.union(of: loser, with: person, at: now))
            note(engine.merge(loser, into: &person, at: now), of: .profile(winner))
            persons[.profile(winner)] = person
            gone.insert(id)
        }
        for winner in winners { rank(enrolments(of: winner, places), before: latest) }
        for place in places { known[place.subject, default: []].insert(place) }
    }

    /// Several may be merged into one at once.
    private mutating func unite(_ winner: Subject, _ new: Union) {
        guard var union = unions[winner] else { return unions[winner] = new }
        union.parts.formUnion(new.parts)
        union.bands.merge(new.bands) { $0.union($1) }
        unions[winner] = union
    }

    /// What the engine must be told of those who were merged: `others` were in this transaction, whether or not there was
    /// anything to inherit. A replay finds the same moments.
    func merged(
        _ others: Set<Subject>, _ connection: Connection
    ) throws(PostgresError) -> [(subject: Subject, union: Union)] {
        let subjects = others.union(unions.keys).filter { subject in
            guard let person = persons[subject] else { return false }
            return unions[subject] != nil
                || person.enrolments.contains { $0.isRunning || $0.openUntil != nil }
        }
        let winners = subjects.compactMap(\.profile).sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        if winners.isEmpty { return [] }
        let rows = try connection.execute(
            """
            select q.id, max(a.created_at) from unnest($1::uuid[]) as q(id) join alias a on a.profile_id = q.id
            group by q.id
            """, winners, context: "reading when profiles were merged")
        var times: [UUID: Timestamp] = [:]
        for row in 0..<rows.count { times[rows.uuid(row, 0)] = rows.timestamp(row, 1) }
        return winners.compactMap { winner in
            guard let at = times[winner] else { return nil }
            var union = unions[.profile(winner)] ?? Union(at: at)
            union.at = at
            return (.profile(winner), union)
        }
    }

    private func enrolments(of winner: UUID, _ places: Set<Place>) -> [Enrolment] {
        (persons[.profile(winner)]?.enrolments ?? []).filter { places.contains(Place($0)) }
    }

    /// Whatever the winners have where the losers have something.
    private mutating func readAll(of places: Set<Place>, _ connection: Connection) throws(PostgresError) {
        if places.isEmpty { return }
        let places = Array(places)
        let rows = try connection.execute(
            """
            select e.state from unnest($1::int[], $2::uuid[], $3::text[], $4::text[]) as q(bucket, subject, journey, key)
                join enrolment e on e.bucket = q.bucket and e.subject = q.subject and e.journey = q.journey
                    and md5(e.key) = md5(q.key)
            """, places.map(\.subject.id.bucket), places.map(\.subject.id), places.map(\.journey),
            places.map(\.key), context: "reading enrolments of merged profiles")
        for row in 0..<rows.count {
            guard let enrolment = Enrolment(encoded: Array(rows.text(row, 0))),
                var person = persons[enrolment.subject]
            else { continue }
            if dropped[enrolment.id] != nil || person.enrolments.contains(where: { $0.id == enrolment.id }) {
                continue
            }
            person.enrolments.append(enrolment)
            persons[enrolment.subject] = person
        }
    }

    /// Reads what events began that have got their persons since.
    mutating func readStrays(_ events: [UUID: UUID], _ connection: Connection) throws(PostgresError) {
        if events.isEmpty { return }
        let found = try read(events.keys.sorted { ($0.bucket, $0) < ($1.bucket, $1) }, connection)
        var places: Set<Place> = []
        for (id, stray) in found {
            var person = Journeys.Person(.event(id))
            person.enrolments = stray.enrolments
            persons[person.subject] = person
            guard let profile = events[id] else { continue }
            for one in stray.enrolments { places.insert(Place(.profile(profile), one.journey, one.key)) }
        }
        try readAll(of: places, connection)
        for place in places { known[place.subject, default: []].insert(place) }
    }

    /// What an event began without a person is its person's: it moves as that of a merged profile does. Returns the
    /// journeys.
    mutating func adopt(
        _ event: UUID, into profile: UUID, with engine: Engine, at now: Timestamp
    ) -> Set<String> {
        let subject = Subject.profile(profile)
        guard let stray = persons.removeValue(forKey: .event(event)), var person = persons[subject] else {
            return []
        }
        let places = Set(stray.enrolments.map { Place(subject, $0.journey, $0.key) })
        let latest = Set(Self.latest(enrolments(of: profile, places)))
        note(engine.merge(stray, into: &person, at: now), of: subject)
        persons[subject] = person
        gone.insert(event)
        rank(enrolments(of: profile, places), before: latest)
        return Set(stray.enrolments.map(\.journey))
    }

    /// The first one that was due before a moment.
    func dueTimer(of subject: Subject, before moment: Timestamp) -> Input? {
        let waiting = (persons[subject]?.enrolments ?? []).compactMap { enrolment in
            enrolment.due.map { (due: $0, id: enrolment.id) }
        }
        let next = waiting.filter { $0.due < moment }.min { ($0.due, $0.id) < ($1.due, $1.id) }
        return next.map { .timer($0.id, due: $0.due) }
    }

    private mutating func rank(_ enrolments: [Enrolment], before: Set<UUID>) {
        let latest = Set(Self.latest(enrolments))
        for enrolment in enrolments {
            if latest.contains(enrolment.id) {
                if !before.contains(enrolment.id) { promoted[enrolment.id] = enrolment }
            } else {
                outdated[enrolment.id] = enrolment
            }
        }
    }

    /// Of each journey and key the one with the largest number.
    private static func latest(_ enrolments: [Enrolment]) -> [UUID] {
        Dictionary(enrolments.map { ("\($0.journey)\u{0}\($0.key)", $0) }) { $0.n > $1.n ? $0 : $1 }.values
            .map(\.id)
    }

    /// All that there is of these profiles, and only of those of which there is something.
    private func read(
        _ profiles: [UUID], _ connection: Connection
    ) throws(PostgresError) -> [UUID: Journeys.Person] {
        let rows = try connection.execute(
            """
            select e.subject, e.state from unnest($1::int[], $2::uuid[]) as q(bucket, subject)
                join enrolment e on e.bucket = q.bucket and e.subject = q.subject
            order by e.started_at, e.id
            """, profiles.map(\.bucket), profiles, context: "reading enrolments of merged profiles")
        var found: [UUID: Journeys.Person] = [:]
        for row in 0..<rows.count {
            let id = rows.uuid(row, 0)
            guard let enrolment = Enrolment(encoded: Array(rows.text(row, 1))) else { continue }
            found[id, default: Journeys.Person(.profile(id))].enrolments.append(enrolment)
        }
        for (id, memory) in try Self.memories(of: profiles, connection) {
            found[id, default: Journeys.Person(.profile(id))].memory = memory
        }
        return found
    }

    func writeInherited(_ connection: Connection) throws(PostgresError) {
        if gone.isEmpty { return }
        let ids = gone.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        for (table, column) in [("enrolment", "subject"), ("memory", "profile_id")] {
            try connection.execute(
                """
                delete from \(table) t using unnest($1::int[], $2::uuid[]) as q(bucket, id)
                where t.bucket = q.bucket and t.\(column) = q.id
                """, ids.map(\.bucket), ids, context: "moving enrolments")
        }
        let rows = promoted.values.sorted { ($0.bucket, $0.id) < ($1.bucket, $1.id) }
        if rows.isEmpty { return }
        try connection.execute(
            """
            update enrolment e set is_latest = true from unnest($1::int[], $2::uuid[]) as q(bucket, id)
            where e.bucket = q.bucket and e.id = q.id
            """, rows.map(\.bucket), rows.map(\.id), context: "moving enrolments")
    }
}
