import Foundations
import Journeys
import Payload
import Postgres

/// Persons as the engine sees them, loaded under their lock and written back within the same transaction.
///
/// The profile's row is the lock: whoever holds it is the only one who steps that person. Rows are locked sorted by
/// (bucket, id), so that two servers wait for each other and never deadlock among themselves.
struct PersonTable {
    var persons: [Subject: Journeys.Person] = [:]
    /// Of these the last enrolment is there, or none exists.
    var known: [Subject: Set<Place>] = [:]
    /// All ids under which a profile's events may stand, itself included.
    private(set) var ids: [UUID: [UUID]] = [:]

    private var enrolments: [UUID: Enrolment] = [:]
    var outdated: [UUID: Enrolment] = [:]
    /// Of merged persons: what was not the latest one, and is now.
    var promoted: [UUID: Enrolment] = [:]
    /// Profiles that are not any more, and events that have got one: their rows go.
    var gone: Set<UUID> = []
    private(set) var dropped: [UUID: Subject] = [:]
    /// Of those who inherited something here.
    var unions: [Subject: Union] = [:]
    private var memories: [UUID: Memory] = [:]
    private var decisions: [Decision] = []

    /// What profiles' ids mean now: of those that were merged, the others mean themselves.
    static func resolve(_ profiles: Set<UUID>, _ connection: Connection) throws(PostgresError) -> [UUID: UUID]
    {
        if profiles.isEmpty { return [:] }
        let rows = try connection.execute(
            """
            select q.id, person_of(a.profile_id) from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                join alias a on a.bucket = q.bucket and a.id = q.id
            """, profiles.map(\.bucket), Array(profiles), context: "finding whom journeys are about")
        var now: [UUID: UUID] = [:]
        for row in 0..<rows.count { now[rows.uuid(row, 0)] = rows.uuid(row, 1) }
        return now
    }

    /// Reads all that the engine needs of persons who are locked.
    ///
    /// Of enrolments those are read that run or are looked at for some other reason, the last one of each place that
    /// is asked for, and those named in `besides`: what somebody has finished, be it ten thousand keys, costs nothing.
    ///
    /// Persons have the attributes that they had before the steps `turning`.
    mutating func load(
        _ subjects: Set<Subject>, places: Set<Place> = [], besides ended: [UUID] = [],
        strays: [UUID: UUID] = [:], before turning: [JourneyStep.Step] = [], with engine: Engine,
        at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let profiles = subjects.compactMap(\.profile).sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        for subject in subjects { persons[subject] = Journeys.Person(subject) }
        try readProfiles(profiles, connection)
        for step in turning.reversed() { turnBack(step) }
        let all = subjects.map(\.id).sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        try readEnrolments(of: all, places: Array(places), besides: ended, at: now, connection)
        for place in places { known[place.subject, default: []].insert(place) }
        for (id, memory) in try Self.memories(of: profiles, connection) {
            persons[.profile(id)]?.memory = memory
        }
        try inherit(with: engine, at: now, connection)
        try readStrays(strays, connection)
    }

    /// An event without a profile has no row to be locked but its enrolments. Call before profiles are locked.
    static func lock(events: [UUID], _ connection: Connection) throws(PostgresError) {
        if events.isEmpty { return }
        let events = events.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        try connection.execute(
            """
            update enrolment e set due = e.due from unnest($1::int[], $2::uuid[]) as q(bucket, subject)
            where e.bucket = q.bucket and e.subject = q.subject
            """, events.map(\.bucket), events, context: "locking timers")
    }

    /// Locks persons (see `resolve`); one that was merged meanwhile makes the transaction be tried again.
    static func lock(
        _ subjects: Set<Subject>, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let profiles = subjects.compactMap(\.profile).sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        if profiles.isEmpty { return }
        let buckets = profiles.map(\.bucket)
        // A conflict locks the row, also when there is nothing to update.
        try connection.execute(
            """
            insert into profile as p (bucket, id, created_at, last_seen_at)
            select bucket, id, $3, $3 from unnest($1::int[], $2::uuid[]) as q(bucket, id)
            on conflict (bucket, id) do update set last_seen_at = p.last_seen_at where false
            """, buckets, profiles, now, context: "locking profiles for journeys")
        let merged = try connection.execute(
            """
            select 1 from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                join alias a on a.bucket = q.bucket and a.id = q.id limit 1
            """, buckets, profiles, context: "locking profiles for journeys")
        if merged.isEmpty { return }
        throw .stale("a profile was merged meanwhile", context: "stepping journeys")
    }

    /// Those who have enrolments that are read in any case, under whatever id of theirs.
    static func enrolled(
        _ subjects: Set<Subject>, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Set<Subject> {
        let subjects = Array(subjects)
        if subjects.isEmpty { return [] }
        let rows = try connection.execute(
            """
            select q.n from unnest($1::int[], $2::int[], $3::uuid[]) as q(n, bucket, subject)
            where exists (select from enrolment e where e.bucket = q.bucket and e.subject = q.subject
                    and (e.ended_at is null or e.open_until >= $4))
                or exists (select from alias a where a.profile_id = q.subject)
            """, subjects.indices.map { Int32($0) }, subjects.map(\.id.bucket), subjects.map(\.id),
            now.adding(seconds: -86_400), context: "reading enrolments")
        return Set((0..<rows.count).map { subjects[rows.int($0, 0)] })
    }

    private mutating func readProfiles(_ profiles: [UUID], _ connection: Connection) throws(PostgresError) {
        if profiles.isEmpty { return }
        let rows = try connection.execute(
            """
            select q.id, p.traits from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                join profile p on p.bucket = q.bucket and p.id = q.id
            """, profiles.map(\.bucket), profiles, context: "reading profiles for journeys")
        for row in 0..<rows.count {
            let id = rows.uuid(row, 0)
            persons[.profile(id)]?.attributes = Array(rows.json(row, 1))
            ids[id] = [id]
        }
        try readOtherIDs(profiles, connection)
    }

    /// Few persons have others merged into them: only those are asked for their ids.
    private mutating func readOtherIDs(_ profiles: [UUID], _ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            """
            select q.id, array(select i::text from ids_of(q.id) i) from unnest($1::uuid[]) as q(id)
            where exists (select from alias a where a.profile_id = q.id)
            """, profiles, context: "reading profiles for journeys")
        for row in 0..<rows.count {
            ids[rows.uuid(row, 0)] = rows.texts(row, 1).compactMap { $0.flatMap { UUID($0) } }
        }
    }

    private mutating func readEnrolments(
        of subjects: [UUID], places: [Place], besides ended: [UUID], at now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(subjects.map(\.bucket))
        parameters.append(subjects)
        parameters.append(now.adding(seconds: -86_400))
        parameters.append(places.map(\.subject.id.bucket))
        parameters.append(places.map(\.subject.id))
        parameters.append(places.map(\.journey))
        parameters.append(places.map(\.key))
        parameters.append(ended)
        let rows = try connection.execute(
            """
            select e.state from unnest($1::int[], $2::uuid[]) as q(bucket, subject)
                join enrolment e on e.bucket = q.bucket and e.subject = q.subject
            where e.ended_at is null or e.open_until >= $3
            union all
            select e.state from unnest($4::int[], $5::uuid[], $6::text[], $7::text[]) as q(bucket, subject, journey, key)
                cross join lateral (
                    select state, ended_at, open_until from enrolment
                    where bucket = q.bucket and subject = q.subject and journey = q.journey and md5(key) = md5(q.key)
                    order by n desc limit 1) e
            where not (e.ended_at is null or coalesce(e.open_until >= $3, false))
            union all
            select e.state from unnest($1::int[], $2::uuid[]) as q(bucket, subject)
                join enrolment e on e.bucket = q.bucket and e.subject = q.subject
            where cardinality($8::uuid[]) > 0 and e.id = any($8)
            """, with: parameters, context: "reading enrolments")
        var seen: Set<UUID> = []
        for row in 0..<rows.count {
            guard let enrolment = Enrolment(encoded: Array(rows.text(row, 0))),
                seen.insert(enrolment.id).inserted
            else { continue }
            persons[enrolment.subject]?.enrolments.append(enrolment)
        }
        for subject in subjects.lazy.flatMap({ [Subject.profile($0), .event($0)] }) {
            persons[subject]?.enrolments.sort { ($0.startedAt, $0.id) < ($1.startedAt, $1.id) }
        }
    }

    static func memories(
        of profiles: [UUID], _ connection: Connection
    ) throws(PostgresError) -> [UUID: Memory] {
        if profiles.isEmpty { return [:] }
        let rows = try connection.execute(
            """
            select m.profile_id, m.state from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                join memory m on m.bucket = q.bucket and m.profile_id = q.id
            """, profiles.map(\.bucket), profiles, context: "reading what journeys remember")
        var memories: [UUID: Memory] = [:]
        for row in 0..<rows.count { memories[rows.uuid(row, 0)] = Memory(encoded: Array(rows.text(row, 1))) }
        return memories
    }

    // MARK: Stepping

    /// Makes of the attributes what the step's event made of them. Returns what they were before, if it made anything.
    mutating func turn(_ step: JourneyStep.Step) -> [UInt8]? {
        guard !step.traits.isEmpty, let before = persons[step.subject]?.attributes else { return nil }
        for trait in step.traits { set(trait.trait, to: trait.after, of: step.subject) }
        return before
    }

    private mutating func turnBack(_ step: JourneyStep.Step) {
        for trait in step.traits.reversed() { set(trait.trait, to: trait.before, of: step.subject) }
    }

    private mutating func set(_ trait: String, to json: [UInt8]?, of subject: Subject) {
        guard let attributes = persons[subject]?.attributes else { return }
        persons[subject]?.attributes = Attributes.setting(trait: trait, to: json, in: attributes)
    }

    /// Steps one person, and remembers what is to be written.
    mutating func step(
        _ subject: Subject, _ input: Input, with engine: Engine, _ history: any History,
        withholding: Set<String> = [], at now: Timestamp
    ) -> [Effect] {
        guard var person = persons[subject] else { return [] }
        let effects = engine.step(
            &person, input, history: history, withholding: withholding, now: now)
        persons[subject] = person
        for case .enrol(let enrolment) in effects {
            let last = person.enrolments.last {
                $0.journey == enrolment.journey && $0.key == enrolment.key && $0.n == enrolment.n - 1
            }
            if let last { outdated[last.id] = last }
        }
        note(effects, of: subject)
        return effects
    }

    /// Remembers what is to be written.
    mutating func note(_ effects: [Effect], of subject: Subject) {
        for effect in effects {
            switch effect {
            case .enrol(let enrolment): enrolments[enrolment.id] = enrolment
            case .update(let enrolment): enrolments[enrolment.id] = enrolment
            case .drop(let id):
                enrolments[id] = nil
                dropped[id] = subject
            case .remember(let memory): if let profile = subject.profile { memories[profile] = memory }
            case .decided(let decision): decisions.append(decision)
            case .deliver, .set, .withheld: break
            }
        }
    }

    // MARK: Writing

    func write(_ random: inout RandomSource, _ connection: Connection) throws(PostgresError) {
        try writeInherited(connection)
        try writeEnrolments(connection)
        try writeMemories(connection)
        try writeDecisions(&random, connection)
    }

    private func writeEnrolments(_ connection: Connection) throws(PostgresError) {
        if !outdated.isEmpty {
            let rows = outdated.values.sorted { $0.place < $1.place }
            try connection.execute(
                """
                update enrolment e set is_latest = false from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                where e.bucket = q.bucket and e.id = q.id
                """, rows.map(\.bucket), rows.map(\.id), context: "writing enrolments")
        }
        if !dropped.isEmpty {
            try connection.execute(
                """
                delete from enrolment e using unnest($1::int[], $2::uuid[]) as q(bucket, id)
                where e.bucket = q.bucket and e.id = q.id
                """, dropped.map(\.value.id.bucket), dropped.map(\.key), context: "writing enrolments")
        }
        if enrolments.isEmpty { return }
        let rows = enrolments.values.sorted { $0.place < $1.place }
        var parameters = Parameters()
        parameters.append(rows.map(\.bucket))
        parameters.append(rows.map(\.id))
        parameters.append(rows.map(\.subject.id))
        parameters.append(rows.map { $0.subject.profile == nil })
        parameters.append(rows.map(\.journey))
        parameters.append(rows.map(\.version))
        parameters.append(rows.map(\.key))
        parameters.append(rows.map { Int32($0.n) })
        parameters.append(rows.map(\.phase.rawValue))
        parameters.append(rows.map(\.step))
        parameters.append(rows.map(\.startedAt))
        parameters.append(rows.map { $0.isRunning ? $0.due : nil })
        parameters.append(rows.map(\.openUntil))
        parameters.append(rows.map(\.endedAt))
        parameters.append(rows.map(\.reason))
        parameters.append(rows.map { outdated[$0.id] == nil })
        parameters.append(rows.map { String(decoding: $0.encoded, as: UTF8.self) })
        try connection.execute(
            """
            insert into enrolment as e (bucket, id, subject, by_event, journey, version, key, n, phase, step, started_at,
                due, open_until, ended_at, reason, is_latest, state)
            select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::bool[], $5::text[], $6::text[], $7::text[],
                $8::int[], $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
                $14::timestamptz[], $15::text[], $16::bool[], $17::text[])
            on conflict (bucket, id) do update set version = excluded.version, phase = excluded.phase, step = excluded.step,
                started_at = excluded.started_at, due = excluded.due, open_until = excluded.open_until,
                ended_at = excluded.ended_at, reason = excluded.reason, is_latest = e.is_latest and excluded.is_latest,
                state = excluded.state
            """, with: parameters, context: "writing enrolments")
    }

    private func writeMemories(_ connection: Connection) throws(PostgresError) {
        if memories.isEmpty { return }
        let rows = memories.sorted { ($0.key.bucket, $0.key) < ($1.key.bucket, $1.key) }
        try connection.execute(
            """
            insert into memory as m (bucket, profile_id, review, state)
            select * from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::text[])
            on conflict (bucket, profile_id) do update set review = excluded.review, state = excluded.state
            """, rows.map(\.key.bucket), rows.map(\.key), rows.map(\.value.review),
            rows.map { String(decoding: $0.value.encoded, as: UTF8.self) },
            context: "writing what journeys remember")
    }

    /// In the order in which it was decided, whatever moments it is about: a timer that was due when its enrolment
    /// began is decided behind it.
    private func ids(_ random: inout RandomSource) -> [UUID] {
        let now = Clock.system.now()
        return decisions.map { _ in UUID.v7(at: now, &random) }.sorted()
    }

    private func writeDecisions(_ random: inout RandomSource, _ connection: Connection) throws(PostgresError)
    {
        if decisions.isEmpty { return }
        var parameters = Parameters()
        parameters.append(decisions.map(\.subject.id.bucket))
        parameters.append(ids(&random))
        parameters.append(decisions.map(\.subject.id))
        parameters.append(decisions.map(\.at))
        parameters.append(decisions.map(\.journey))
        parameters.append(decisions.map(\.version))
        parameters.append(decisions.map(\.enrolment))
        parameters.append(decisions.map(\.kind.rawValue))
        parameters.append(decisions.map(\.detail))
        parameters.append(decisions.map(\.event))
        try connection.execute(
            """
            insert into decision (bucket, id, subject, at, journey, version, enrolment, kind, detail, event_id)
            select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
                $7::uuid[], $8::text[], $9::text[], $10::uuid[])
            """, with: parameters, context: "writing decisions")
    }
}

extension Enrolment {
    /// Where its row is: with its profile, else with its event.
    var bucket: Int32 { subject.id.bucket }
    /// The order in which rows are written.
    fileprivate var place: (Int32, UUID) { (bucket, id) }
}
