import Foundations
import Journeys
import Postgres

/// What a journey would have done with the stored events: each person's are run through the engine in virtual time, in
/// the order in which they were stepped (`Replay`), and nothing is sent or written.
///
/// SQL chooses coarsely: persons with an event that may start the journey, and of them the events of activities that it
/// names, by itself or through segments and scores. Events from before are run as well, as far as a run may take and as
/// conditions look back. What was not kept cannot be asked for; `Result.notes` says what that means for this journey.
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
        /// What it went by, and what it could not know: a sentence each.
        package var notes: [String] = []
        /// Events that have no number, and stand where they were received.
        var unnumbered = 0
    }

    package var bounds = Bounds()

    /// At least so much is read before what is asked for, in seconds.
    private static let warmup: Int64 = 30 * 86_400
    /// So many persons are read at once.
    private static let page = 200

    let journey: JourneyDefinition
    let engine: Engine
    let reach: JourneyReach
    let since: Timestamp
    let now: Timestamp

    package init(
        _ journey: JourneyDefinition, segments: [SegmentDefinition], scores: [ScoreDefinition], zone: Zone,
        since: Timestamp, now: Timestamp
    ) {
        var journey = journey
        // It says what a journey would do; whether it does it is its state's business.
        journey.state = .live
        self.journey = journey
        reach = JourneyReach(journey, segments: segments, scores: scores)
        engine = Engine(
            Rulebook(journeys: [journey], segments: reach.segments, scores: reach.scores, zone: zone))
        (self.since, self.now) = (since, now)
    }

    /// From when on events are read: a run that began before may fire now, and conditions look back from its beginning.
    var begin: Timestamp {
        guard let lookback = reach.lookback else { return Timestamp(microseconds: 0) }
        let usual = since.adding(seconds: -Self.warmup)
        return min(usual, since.adding(microseconds: -reach.span - lookback))
    }

    package func run(_ connection: Connection) throws(PostgresError) -> Result {
        var result = Result()
        let persons = try chosen(connection)
        for start in stride(from: 0, to: persons.count, by: Self.page) {
            let page = Array(persons[start..<min(start + Self.page, persons.count)])
            if !mayGoOn(&result) { break }
            for person in try read(page, connection) where mayGoOn(&result) { run(person, &result) }
        }
        try runStrangers(&result, connection)
        result.fires.sort { ($0.at, $0.subject) < ($1.at, $1.subject) }
        if result.isComplete { try compare(&result, connection) }
        result.notes = try notes(result, connection)
        return result
    }

    private func mayGoOn(_ result: inout Result) -> Bool {
        if result.fires.count >= bounds.fires || Clock.system.monotonic() > bounds.until {
            result.isComplete = false
        }
        return result.isComplete
    }

    private func run(_ person: StoredPerson, _ result: inout Result) {
        let simulation = Replay(engine).run(person.entries, attributes: person.attributes, until: now)
        result.persons += 1
        result.events += person.events
        result.unnumbered += person.unnumbered
        take(simulation, of: person.id, &result)
    }

    /// Events without a person: each is a subject of its own.
    private func runStrangers(_ result: inout Result, _ connection: Connection) throws(PostgresError) {
        var last: (received: Timestamp, id: UUID)?
        while mayGoOn(&result) {
            let events = try readStrangers(after: last, connection)
            for event in events {
                var simulation = Simulation(engine)
                simulation.take(event, of: .event(event.id))
                simulation.fire(before: now)
                take(simulation, of: nil, &result)
                last = (event.received, event.id)
            }
            result.events += events.count
            if events.isEmpty { return }
        }
    }

    /// All ids of a person are that person; an event that had none yet stands for itself.
    private func take(_ simulation: Simulation, of person: UUID?, _ result: inout Result) {
        for decision in simulation.decisions where decision.at >= since {
            if decision.kind == .enrolled { result.enrolled += 1 }
            guard decision.kind == .fired else { continue }
            let subject =
                decision.subject.profile == nil ? decision.subject.id : person ?? decision.subject.id
            result.fires.append(
                Fire(
                    at: decision.at, subject: subject, webhook: decision.detail,
                    key: simulation.keys[decision.enrolment] ?? "", event: decision.event))
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
