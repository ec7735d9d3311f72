import Foundations
import Identity
import Journeys
import Logging
import Payload
import Postgres
import Webhooks

/// Steps journeys with stored events, inside the transaction that stores them: the event, the enrolment, the timer, the
/// queued delivery and the line of the trace exist together or not at all.
package final class JourneyStep {
    /// An event that somebody listens to, or looks back at.
    package struct Event {
        package let occurrence: Occurrence
        package let profile: UUID?
        /// Where it stands in its transaction, from 0.
        package let place: Int
        /// False: nobody finds it later.
        package let isStored: Bool
        /// False: it means something only to those who are in a journey, or were.
        package let mayStart: Bool

        package init(
            _ occurrence: Occurrence, profile: UUID?, place: Int = 0, isStored: Bool = true,
            mayStart: Bool = true
        ) {
            (self.occurrence, self.profile) = (occurrence, profile)
            (self.place, self.isStored, self.mayStart) = (place, isStored, mayStart)
        }
    }

    /// What an event made of its person's attributes.
    package struct Turn {
        package let profile: UUID
        /// Where the event stands in its transaction.
        package let place: Int
        let at: Timestamp
        let traits: [TraitTurn]

        package init(profile: UUID, place: Int, at: Timestamp, traits: [TraitTurn]) {
            (self.profile, self.place, self.at, self.traits) = (profile, place, at, traits)
        }
    }

    /// A profile whose attributes something else than an event may have changed, as they were before.
    package struct Change {
        package let profile: UUID
        let before: [UInt8]
        let at: Timestamp
    }

    /// What a journey was kept from.
    struct Kept {
        let subject: Subject
        let what: Withheld
        /// Of an event: where it stands in its transaction.
        let place: Int?
    }

    package var rules: RulesInForce { didSet { sieve = Sieve(rules.engine) } }
    private var sieve: Sieve
    private let identity: IdentityRules
    private let metrics: IdentityMetrics
    private var random = RandomSource()
    /// Locked by `idle` for the step that follows it in the same transaction.
    private var locked: Set<Subject> = []

    package init(_ rules: RulesInForce, identity: IdentityRules, metrics: IdentityMetrics) {
        (self.rules, self.identity, self.metrics) = (rules, identity, metrics)
        sieve = Sieve(rules.engine)
    }

    /// Reads what is in force anew.
    package func read(
        _ setting: RulesInForce.Setting, _ connection: Connection, _ logger: Logger
    ) throws(PostgresError) {
        var faults: [String] = []
        rules = try RulesInForce(setting, faults: &faults, connection)
        for fault in faults {
            logger.error(
                "a stored definition cannot be read, and is left out", metadata: ["what": "\(fault)"])
        }
    }

    /// Does anybody listen to that activity? Asked for every event.
    package func listens(to activity: Bytes) -> Bool {
        !rules.isEmpty && rules.engine.listens(to: activity)
    }

    /// What may an event mean to somebody? It is asked for as a whole only where a condition wants to know more than the
    /// properties.
    package func concern(
        activity: Bytes, properties: Bytes, time: Timestamp, received: Timestamp,
        _ occurrence: () -> Occurrence
    ) -> Engine.Concern {
        sieve.concern(of: activity, properties: properties, time: time, received: received, occurrence)
    }

    /// Journeys whose timers wait for the journey.
    package var resting: [String] { rules.engine.rules.resting }

    /// May somebody look back at events of that activity?
    package func looksBack(at activity: Bytes) -> Bool {
        rules.engine.listens(to: activity) || rules.engine.rules.looksBack(at: activity)
    }

    /// Does a change of a profile alone mean something to anybody?
    package var watchesAttributes: Bool { !rules.isEmpty && rules.engine.rules.watchesAttributes }

    /// What profiles are before a transaction changes them. They are persons, or become ones.
    package func attributes(
        of profiles: Set<UUID>, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Change] {
        let sorted = profiles.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        let rows = try connection.execute(
            """
            select q.id, p.traits from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                left join profile p on p.bucket = q.bucket and p.id = q.id
            """, sorted.map(\.bucket), sorted, context: "reading profiles for journeys")
        return (0..<rows.count).map { row in
            let before = rows.isNull(row, 1) ? Array("{}".utf8) : Array(rows.json(row, 1))
            return Change(profile: rows.uuid(row, 0), before: before, at: now)
        }
    }

    /// Those of the profiles whose persons have no enrolment that runs, or may still reach a goal: events that start
    /// nothing mean nothing to them. They and the others are locked, so that none gets one meanwhile.
    package func idle(
        _ profiles: Set<UUID>, besides others: Set<UUID>, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Set<UUID> {
        locked = []
        if profiles.isEmpty { return [] }
        let persons = try PersonTable.resolve(profiles.union(others), connection)
        func subject(_ profile: UUID) -> Subject { .profile(persons[profile] ?? profile) }
        let all = Set(profiles.union(others).map(subject))
        try PersonTable.lock(all, at: now, connection)
        locked = all
        let enrolled = try PersonTable.enrolled(Set(profiles.map(subject)), at: now, connection)
        return profiles.filter { !enrolled.contains(subject($0)) }
    }

    /// Those of the events that may mean something to somebody.
    package func concerning(_ events: [Event]) -> [Event] {
        events.filter { sieve.concern($0.occurrence) != .nothing }
    }

    /// Steps the persons of these events, in their order; before them, persons whose attributes have changed, and
    /// those who were merged. Each event finds its person as it was then, though all that the events make of attributes
    /// is stored already.
    ///
    /// - Parameters:
    ///   - events: Those that concern somebody.
    ///   - others: Further events of the same persons, which somebody may look back at.
    ///   - turns: What events made of attributes, these and others.
    ///   - attached: They were stored, and perhaps stepped, without their persons.
    package func step(
        _ events: [Event], others: [Event] = [], changes: [Change] = [], turns: [Turn] = [],
        merged: Set<UUID> = [], attached: Bool = false, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Outcome {
        defer { locked = [] }
        var profiles = merged.union(events.compactMap(\.profile)).union(changes.map(\.profile))
            .union(others.compactMap(\.profile))
        // Of others nobody is told what they become.
        let turns = watchesAttributes ? turns : turns.filter { profiles.contains($0.profile) }
        profiles.formUnion(turns.map(\.profile))
        if profiles.isEmpty, events.isEmpty { return Outcome() }
        let persons = try PersonTable.resolve(profiles, connection)
        var steps: [Step] = []
        for change in changes {
            let person = persons[change.profile] ?? change.profile
            // What a merged profile was is none of the other one's past.
            guard person == change.profile else { continue }
            steps.append(
                Step(subject: .profile(person), input: .attributes(before: change.before, at: change.at)))
        }
        var traits = Dictionary(turns.map { ($0.place, $0.traits) }) { $1 }
        func step(_ event: Event, isOnlyRemembered: Bool) -> Step {
            let profile = event.profile.map { persons[$0] ?? $0 }
            return Step(
                subject: profile.map(Subject.profile) ?? .event(event.occurrence.id),
                input: .event(event.occurrence, started: event.mayStart ? [] : nil), place: event.place,
                traits: isOnlyRemembered ? [] : traits.removeValue(forKey: event.place) ?? [],
                isRemembered: event.isStored, isOnlyRemembered: isOnlyRemembered, isAttached: attached)
        }
        var placed = events.map { step($0, isOnlyRemembered: false) }
        placed += others.map { step($0, isOnlyRemembered: true) }
        for turn in turns {
            guard let traits = traits[turn.place] else { continue }
            let person = persons[turn.profile] ?? turn.profile
            placed.append(
                Step(
                    subject: .profile(person), input: .attributes(before: [], at: turn.at), place: turn.place,
                    traits: traits))
        }
        if !others.isEmpty || !turns.isEmpty { placed.sort { ($0.place ?? 0) < ($1.place ?? 0) } }
        steps = steps.isEmpty ? placed : steps + placed
        return try run(steps, besides: Set(merged.map { .profile(persons[$0] ?? $0) }), at: now, connection)
    }

    /// Decides timers that are due, each as it was set; one that is not set any more is left alone.
    func decide(
        _ timers: [(subject: Subject, input: Input)], without absent: [AbsentServer], at now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) -> Outcome {
        let persons = try PersonTable.resolve(Set(timers.compactMap(\.subject.profile)), connection)
        let timers = timers.map { timer in
            let person = timer.subject.profile.map { Subject.profile(persons[$0] ?? $0) }
            return Step(subject: person ?? timer.subject, input: timer.input)
        }
        return try run(timers, besides: [], without: absent, at: now, connection)
    }

    /// The enrolments that decide whether these steps start something, as far as that is known before.
    private func places(of steps: some Sequence<Step>) -> Set<Place> {
        var places: Set<Place> = []
        for step in steps {
            guard case .event(let occurrence, _, .some) = step.input else { continue }
            for (journey, key) in rules.engine.places(occurrence) {
                places.insert(Place(step.subject, journey, key))
            }
        }
        return places
    }

    /// Lets a journey do what it was kept from.
    func resume(
        _ what: Withheld, of subject: Subject, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Outcome {
        var person = subject
        if let profile = subject.profile {
            person = .profile(try PersonTable.resolve([profile], connection)[profile] ?? profile)
        }
        return try attempt(
            [Step(subject: person, input: .resumed(what, at: now))], besides: [], behind: [:], turning: [],
            without: [], withholding: [], at: now, connection)
    }

    /// What the database refuses of it goes into the quarantine, and the rest is done.
    private func run(
        _ steps: [Step], besides others: Set<Subject>, without absent: [AbsentServer] = [], at now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) -> Outcome {
        let careful = CarefulSteps(self, without: absent, at: now, connection)
        let (outcome, faults) = try careful.run(steps, besides: others)
        try JourneyFault.write(faults, at: now, &random, connection)
        return outcome
    }

    /// Steps all of it, or fails. `past`: what was stepped before and is not in the table yet. `turning`: these steps and
    /// those to come whose events have changed attributes.
    func attempt(
        _ steps: [Step], besides others: Set<Subject>,
        behind past: [Subject: [Occurrence]], turning: [Step], without absent: [AbsentServer],
        withholding: Set<String>, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Outcome {
        var table = PersonTable()
        let stepped = steps.lazy.filter { !$0.isOnlyRemembered }
        let strays = stepped.compactMap(\.stray)
        try PersonTable.lock(events: strays.map(\.event), connection)
        try PersonTable.lock(
            others.union(stepped.map(\.subject)).subtracting(locked), at: now, connection)
        try table.load(
            others.union(stepped.map(\.subject)), places: places(of: stepped),
            besides: steps.compactMap(\.input.timer),
            strays: Dictionary(strays.map { ($0.event, $0.profile) }) { a, _ in a }, before: turning,
            with: rules.engine, at: now, connection)
        let ends = try ends(stepped, table.ids, connection)
        let coming = Set(steps.compactMap(\.stray?.event))
        var histories: [Subject: StoredHistory] = [:]
        var outbox = Outbox(rules)
        var (outcome, traits) = (Outcome(), [ProfileChange]())
        if stepped.contains(where: { $0.place != nil }) {
            outcome.number(steps, from: try Self.number(connection))
        }
        func perform(
            _ input: Input, of subject: Subject, at place: Int? = nil, _ history: StoredHistory
        ) throws(PostgresError) {
            let effects = table.step(
                subject, input, with: rules.engine, history, withholding: withholding, at: now)
            if let failure = history.failure { throw failure }
            table.note(
                table.alsoUnwaited(input, of: subject, effects, absent).map(Effect.decided), of: subject)
            for effect in effects {
                switch effect {
                case .deliver(let delivery):
                    outcome.deliveries += 1
                    outbox.add(
                        delivery, of: table.persons[subject],
                        ids: subject.profile.flatMap { table.ids[$0] } ?? [])
                case .set(let name, let json):
                    guard let profile = subject.profile else { continue }
                    traits.append(change(profile, name, json, input))
                case .enrol: outcome.enrolled += 1
                case .withheld(let what):
                    outcome.withheld.append(Kept(subject: subject, what: what, place: place))
                case .decided(let decision): outcome.count(decision)
                default: break
                }
            }
        }
        func history(of subject: Subject) -> StoredHistory {
            if let history = histories[subject] { return history }
            let history = StoredHistory(
                subject.profile.flatMap { table.ids[$0] } ?? [], until: ends[subject], enrolmentsOf: subject,
                besides: table.known[subject] ?? [], without: coming, connection)
            history.recent = past[subject] ?? []
            histories[subject] = history
            return history
        }
        for (subject, union) in try table.merged(others, connection) {
            try perform(.merged(union), of: subject, history(of: subject))
        }
        for i in steps.indices where table.persons[steps[i].subject] != nil {
            var step = steps[i]
            let subject = step.subject
            if let before = table.turn(step) { step.follow(before) }
            let history = history(of: subject)
            if let (event, profile) = step.stray, !step.isOnlyRemembered {
                // Nothing but itself is evidence for an event without a person: what was due is decided.
                var last: Input?
                while let timer = table.dueTimer(of: .event(event), before: step.known), timer != last {
                    try perform(timer, of: .event(event), StoredHistory([], connection))
                    last = timer
                }
                step.forbid(table.adopt(event, into: profile, with: rules.engine, at: now))
            }
            if let base = outcome.base { step.number(from: base) }
            if let occurrence = step.input.newcomer { history.recent.append(occurrence) }
            if step.isOnlyRemembered || !table.isStillSet(step.input, of: subject) { continue }
            let input = step.input
            if let decision = table.unwaited(input, of: subject, absent) {
                table.note([.decided(decision)], of: subject)
            }
            try perform(input, of: subject, at: step.place, history)
            // One that nobody here can decide stays as it was.
            if input.isTimer, !table.isStillSet(input, of: subject) { outcome.timers += 1 }
            if !step.isRemembered { history.recent.removeLast() }
        }
        try table.write(&random, connection)
        try TraitWriter.write(traits, after: Settlement(), identity, metrics, connection)
        outcome.warnings = try outbox.write(connection)
        outcome.webhooks = outbox.webhooks
        return outcome
    }

    /// Of persons with events: the moment behind which nothing of them is stored, where that is before the first of
    /// these events.
    private func ends(
        _ steps: some Sequence<Step>, _ ids: [UUID: [UUID]], _ connection: Connection
    ) throws(PostgresError) -> [Subject: Timestamp] {
        var firsts: [UUID: Timestamp] = [:]
        for step in steps {
            guard let profile = step.subject.profile, case .event(let occurrence, _, _) = step.input else {
                continue
            }
            firsts[profile] = min(firsts[profile] ?? occurrence.time, occurrence.time)
        }
        let later = try StoredHistory.goesOn(after: firsts, ids: ids, connection)
        var ends: [Subject: Timestamp] = [:]
        for (profile, first) in firsts where !later.contains(profile) { ends[.profile(profile)] = first }
        return ends
    }

    private func change(_ profile: UUID, _ name: String, _ json: [UInt8], _ input: Input) -> ProfileChange {
        let stamp: TraitState.Stamp
        switch input {
        case .event(let occurrence, _, _): stamp = TraitState.Stamp(occurrence.time, occurrence.id)
        case .attributes(_, let at): stamp = TraitState.Stamp(at, profile)
        case .merged(let union): stamp = TraitState.Stamp(union.at, profile)
        case .timer(let id, let due): stamp = TraitState.Stamp(due, id)
        case .review(let due): stamp = TraitState.Stamp(due, profile)
        case .resumed(let what, _):
            stamp =
                what.event.map { TraitState.Stamp($0.time, $0.id) } ?? TraitState.Stamp(what.clock, profile)
        }
        return ProfileChange(profile, TraitChange(name, .set, json), stamp, source: "@journey")
    }
}

extension Input {
    /// An event that is not in the history yet.
    fileprivate var newcomer: Occurrence? {
        switch self {
        case .event(let occurrence, _, _): occurrence
        case .resumed(let what, .some):
            if case .event(let occurrence) = what.cause { occurrence } else { nil }
        default: nil
        }
    }

    /// The enrolment that it resumes: it has ended.
    fileprivate var timer: UUID? {
        if case .resumed(let what, _) = self, case .timer(let enrolment) = what.cause {
            enrolment.id
        } else {
            nil
        }
    }
}

extension PersonTable {
    /// What the trace says of a timer that is decided without servers that may have had evidence.
    fileprivate func unwaited(_ input: Input, of subject: Subject, _ absent: [AbsentServer]) -> Decision? {
        guard !absent.isEmpty, case .timer(let id, let due) = input,
            let timer = persons[subject]?.enrolments.first(where: { $0.id == id })
        else { return nil }
        return absent.decision(on: timer, due: due)
    }

    /// The same of timers that had to be decided before it: what was due earlier, or was waiting for that.
    fileprivate func alsoUnwaited(
        _ input: Input, of subject: Subject, _ effects: [Effect], _ absent: [AbsentServer]
    ) -> [Decision] {
        guard !absent.isEmpty, case .timer(let id, _) = input else { return [] }
        var fired: [UUID: Timestamp] = [:]
        for case .decided(let decision) in effects where decision.kind == .fired && decision.enrolment != id {
            fired[decision.enrolment] = decision.at
        }
        return (persons[subject]?.enrolments ?? []).compactMap { enrolment in
            fired[enrolment.id].flatMap { absent.decision(on: enrolment, due: $0) }
        }
    }

    /// A timer that another server decided meanwhile, or that an event has moved, is nothing any more.
    fileprivate func isStillSet(_ input: Input, of subject: Subject) -> Bool {
        switch input {
        case .timer(let id, let due):
            persons[subject]?.enrolments.contains { $0.id == id && $0.due == due && $0.isRunning } ?? false
        case .review(let due): persons[subject]?.memory.review == due
        case .attributes(let before, _): persons[subject]?.attributes != before
        default: true
        }
    }
}
