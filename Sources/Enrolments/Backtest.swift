import Foundations
import Journeys
import Postgres

/// What a journey would have done with the stored events: each person's are run through the engine in virtual time,
/// and nothing is sent or written.
///
/// SQL chooses coarsely: persons with an event that may start the journey, and of them the events of activities that
/// some definition names. Events of the thirty days before are run as well, so that what looks back finds it. Attributes
/// are those of now: what they were is not asked for.
package struct Backtest {
    /// Something that would have been sent.
    package struct Fire: Sendable, Equatable {
        package let at: Timestamp
        package let subject: UUID
        package let webhook: String
        package let key: String
        /// The entry event, where there is one.
        package let event: UUID?
    }

    /// Where it ends although not all persons were run; nothing is compared then.
    package struct Bounds: Sendable {
        /// Of the monotonic clock.
        package var until: UInt64
        /// How many fires are kept in memory.
        package var fires: Int

        package init(until: UInt64 = .max, fires: Int = .max) { (self.until, self.fires) = (until, fires) }
    }

    package struct Result: Sendable {
        /// False: it ended at its bounds.
        package var isComplete = true
        package var persons = 0
        package var events = 0
        package var enrolled = 0
        package var fires: [Fire] = []
        /// What the live version decided in that time and the backtest did not; and the other way round.
        package var onlyLive: [Fire] = []
        package var onlyBacktest: [Fire] = []
        package var live = 0
    }

    package var bounds = Bounds()

    private static let warmup: Int64 = 30 * 86_400

    private let journey: JourneyDefinition
    private let engine: Engine
    private let since: Timestamp
    private let now: Timestamp

    package init(
        _ journey: JourneyDefinition, segments: [SegmentDefinition], scores: [ScoreDefinition], zone: Zone,
        since: Timestamp, now: Timestamp
    ) {
        var journey = journey
        // It says what a journey would do; whether it does it is its state's business.
        journey.state = .live
        self.journey = journey
        engine = Engine(Rulebook(journeys: [journey], segments: segments, scores: scores, zone: zone))
        (self.since, self.now) = (since, now)
    }

    package func run(_ connection: Connection) throws(PostgresError) -> Result {
        var result = Result()
        let begin = since.adding(seconds: -Self.warmup)
        let all = engine.rules.activities
        let starting = engine.rules.starting(journey.name)
        let persons = try connection.execute(
            """
            select distinct person_of(profile_id) from event
            where received_at >= $1 and activity = any($2) and profile_id is not null order by 1
            """, since.adding(seconds: starting.isEmpty ? -Self.warmup : 0),
            starting.isEmpty ? all : starting,
            context: "choosing persons for a backtest")
        for row in 0..<persons.count where mayGoOn(&result) {
            try run(persons.uuid(row, 0), begin, all, &result, connection)
        }
        try runStrangers(begin, all, &result, connection)
        result.fires.sort { ($0.at, $0.subject) < ($1.at, $1.subject) }
        if result.isComplete { try compare(&result, connection) }
        return result
    }

    private func mayGoOn(_ result: inout Result) -> Bool {
        if result.fires.count >= bounds.fires || Clock.system.monotonic() > bounds.until {
            result.isComplete = false
        }
        return result.isComplete
    }

    private func run(
        _ person: UUID, _ begin: Timestamp, _ activities: [String], _ result: inout Result,
        _ connection: Connection
    ) throws(PostgresError) {
        let ids = try connection.execute(
            "select array(select i from ids_of($1) i)::text[], (select traits from profile where bucket = bucket_of($1) and id = $1)",
            person)
        let rows = try connection.execute(
            """
            select \(Self.columns) from event
            where profile_id = any($1::uuid[]) and received_at >= $2 and received_at < $3 and activity = any($4)
            order by received_at, id
            """, ids.texts(0, 0).compactMap { $0.flatMap { UUID($0) } }, begin, now, activities,
            context: "reading events for a backtest")
        var simulation = Simulation(engine)
        if !ids.isNull(0, 1) { simulation.set(Array(ids.json(0, 1)), of: .profile(person)) }
        for row in 0..<rows.count { simulation.take(Self.occurrence(rows, row), of: .profile(person)) }
        simulation.fire(before: now)
        result.persons += 1
        result.events += rows.count
        take(simulation, &result)
    }

    /// Events without a person: each is a subject of its own.
    private func runStrangers(
        _ begin: Timestamp, _ activities: [String], _ result: inout Result, _ connection: Connection
    ) throws(PostgresError) {
        let starting = engine.rules.starting(journey.name)
        if starting.isEmpty { return }
        var last: (received: Timestamp, id: UUID) = (since, UUID(high: 0, low: 0))
        while mayGoOn(&result) {
            let rows = try connection.execute(
                """
                select \(Self.columns) from event
                where profile_id is null and activity = any($1) and received_at >= $2 and received_at < $3
                    and (received_at, id) > ($2, $4) order by received_at, id limit 1000
                """, starting, last.received, now, last.id, context: "reading events for a backtest")
            for row in 0..<rows.count {
                var simulation = Simulation(engine)
                let occurrence = Self.occurrence(rows, row)
                simulation.take(occurrence, of: .event(occurrence.id))
                simulation.fire(before: now)
                result.events += 1
                take(simulation, &result)
                last = (occurrence.received, occurrence.id)
            }
            if rows.count < 1000 { return }
        }
    }

    private static let columns = "id, activity, label, source, time, received_at, properties"

    private static func occurrence(_ rows: Rows, _ row: Int) -> Occurrence {
        Occurrence(
            id: rows.uuid(row, 0), activity: rows.string(row, 1), label: rows.string(row, 2),
            source: rows.string(row, 3), time: rows.timestamp(row, 4), received: rows.timestamp(row, 5),
            properties: rows.isNull(row, 6) ? [] : Array(rows.json(row, 6)))
    }

    private func take(_ simulation: Simulation, _ result: inout Result) {
        var keys: [UUID: String] = [:]
        for decision in simulation.decisions where decision.at >= since {
            if decision.kind == .enrolled { result.enrolled += 1 }
            guard decision.kind == .fired else { continue }
            if keys[decision.enrolment] == nil {
                let mine = simulation.person(decision.subject)?.enrolments.first {
                    $0.id == decision.enrolment
                }
                keys[decision.enrolment] = mine?.key
            }
            result.fires.append(
                Fire(
                    at: decision.at, subject: decision.subject.id, webhook: decision.detail,
                    key: keys[decision.enrolment] ?? "", event: decision.event))
        }
    }

    // MARK: The difference

    private func compare(_ result: inout Result, _ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            """
            select d.at, person_of(d.subject), d.detail, coalesce(e.key, ''), d.event_id from decision d
                left join enrolment e on e.bucket = d.bucket and e.id = d.enrolment
            where d.journey = $1 and d.kind = 'fired' and d.at >= $2 and d.at < $3 order by d.at
            """, journey.name, since, now, context: "reading what the live journey did")
        var live: [String: [Fire]] = [:]
        for row in 0..<rows.count {
            let fire = Fire(
                at: rows.timestamp(row, 0), subject: rows.uuid(row, 1),
                webhook: rows.string(row, 2).replacingSuffix(", shadow"), key: rows.string(row, 3),
                event: rows.uuidOrNil(row, 4))
            live[fire.identity, default: []].append(fire)
        }
        result.live = rows.count
        for fire in result.fires {
            if live[fire.identity]?.isEmpty ?? true {
                result.onlyBacktest.append(fire)
            } else {
                live[fire.identity]?.removeFirst()
            }
        }
        result.onlyLive = live.values.flatMap { $0 }.sorted { ($0.at, $0.subject) < ($1.at, $1.subject) }
    }
}

extension Backtest.Fire {
    /// The same on both sides: whom, what, and by which event; without one, when.
    fileprivate var identity: String {
        "\(subject) \(webhook) \(event.map { "\($0)" } ?? "\(at.microseconds)")"
    }
}

extension String {
    fileprivate func replacingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
