import Foundations

/// Runs events through the engine in virtual time: each one when it arrives, each timer when it is due, evidence
/// before timers.
package struct Simulation {
    private let engine: Engine
    private var people: [Subject: Person] = [:]
    /// In the order in which they came up, which decides between timers of the same moment.
    private var order: [Subject: Int] = [:]
    /// Those with a timer.
    private var waiting: Set<Subject> = []
    private var steps: Int64 = 0
    private var histories: [Subject: Remembrance] = [:]
    package private(set) var deliveries: [Delivery] = []
    package private(set) var decisions: [Decision] = []
    /// By enrolment.
    package private(set) var keys: [UUID: String] = [:]
    /// Timers that fire one after the other without end would be a fault of ours.
    private static let mostTimers = 1_000_000

    package init(_ engine: Engine) { self.engine = engine }

    package func person(_ subject: Subject) -> Person? { people[subject] }
    package func history(_ subject: Subject) -> Remembrance { histories[subject] ?? Remembrance() }

    package mutating func set(_ attributes: [UInt8], of subject: Subject) {
        meet(subject)
        people[subject, default: Person(subject)].attributes = attributes
    }

    /// An event that arrives at its `received`; whatever is due before comes first.
    package mutating func take(_ occurrence: Occurrence, of subject: Subject) {
        fire(before: occurrence.known)
        step(occurrence, of: subject)
    }

    /// An event, whatever is due. `started`: journeys that it started before it got its person.
    mutating func step(_ occurrence: Occurrence, of subject: Subject, started: Set<String> = []) {
        meet(subject)
        var occurrence = occurrence
        steps += 1
        occurrence.step = steps
        histories[subject, default: Remembrance()].add(occurrence)
        step(subject, .event(occurrence, started: started))
    }

    /// Two turn out to be one.
    mutating func merge(_ loser: Subject, into winner: Subject, at clock: Timestamp) {
        guard loser != winner else { return }
        meet(winner)
        histories[winner, default: Remembrance()].add(history(loser))
        var union = Union(at: clock)
        if let loser = people[loser] {
            union = engine.union(of: loser, with: people[winner] ?? Person(winner), at: clock)
            unite(loser, with: winner, at: clock)
        }
        people[loser] = nil
        histories[loser] = nil
        waiting.remove(loser)
        step(winner, .merged(union))
    }

    /// What an event began by itself is its person's from now on. Returns the journeys.
    mutating func adopt(_ event: UUID, of other: Simulation, into subject: Subject, at clock: Timestamp)
        -> Set<String>
    {
        meet(subject)
        deliveries += other.deliveries
        decisions += other.decisions
        keys.merge(other.keys) { $1 }
        guard let stray = other.person(.event(event)), !stray.enrolments.isEmpty else { return [] }
        unite(stray, with: subject, at: clock)
        return Set(stray.enrolments.map(\.journey))
    }

    private mutating func unite(_ loser: Person, with winner: Subject, at clock: Timestamp) {
        var person = people[winner] ?? Person(winner)
        note(engine.merge(loser, into: &person, at: clock))
        put(person)
    }

    /// Fires all timers, to the last.
    package mutating func finish() { fire(before: Timestamp(microseconds: .max)) }

    package mutating func fire(before end: Timestamp) {
        for _ in 0..<Self.mostTimers {
            guard let (subject, input, due) = next(), due < end else { return }
            step(subject, input)
        }
    }

    private mutating func step(_ subject: Subject, _ input: Input) {
        var person = people[subject] ?? Person(subject)
        let effects = engine.step(&person, input, history: history(subject))
        put(person)
        note(effects)
    }

    private mutating func put(_ person: Person) {
        var person = person
        let subject = person.subject
        // An event without a person is remembered by its enrolments alone.
        if subject.profile == nil { person.memory = Memory() }
        people[subject] = person
        let waits = person.memory.review != nil || person.enrolments.contains { $0.due != nil }
        if waits { waiting.insert(subject) } else { waiting.remove(subject) }
    }

    private mutating func note(_ effects: [Effect]) {
        for effect in effects {
            switch effect {
            case .enrol(let enrolment): keys[enrolment.id] = enrolment.key
            case .deliver(let delivery): deliveries.append(delivery)
            case .decided(let decision): decisions.append(decision)
            default: break
            }
        }
    }

    private mutating func meet(_ subject: Subject) {
        if order[subject] == nil { order[subject] = order.count }
    }

    private func next() -> (Subject, Input, Timestamp)? {
        var best: (due: Timestamp, order: Int, id: UUID, subject: Subject, input: Input)?
        func offer(_ due: Timestamp, _ id: UUID, _ subject: Subject, _ input: Input) {
            let place = order[subject] ?? 0
            if let best, (best.due, best.order, best.id) <= (due, place, id) { return }
            best = (due, place, id, subject, input)
        }
        for subject in waiting {
            guard let person = people[subject] else { continue }
            if let due = person.memory.review {
                offer(due, UUID(high: 0, low: 0), subject, .review(due: due))
            }
            for enrolment in person.enrolments {
                if let due = enrolment.due {
                    offer(due, enrolment.id, subject, .timer(enrolment.id, due: due))
                }
            }
        }
        return best.map { ($0.subject, $0.input, $0.due) }
    }
}
