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
        fire(before: occurrence.received)
        meet(subject)
        var occurrence = occurrence
        steps += 1
        occurrence.step = steps
        histories[subject, default: Remembrance()].add(occurrence)
        step(subject, .event(occurrence))
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
        people[subject] = person
        let waits = person.memory.review != nil || person.enrolments.contains { $0.due != nil }
        if waits { waiting.insert(subject) } else { waiting.remove(subject) }
        for effect in effects {
            switch effect {
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
        var best: (due: Timestamp, order: Int, subject: Subject, input: Input)?
        func offer(_ due: Timestamp, _ subject: Subject, _ input: Input) {
            let place = order[subject] ?? 0
            if let best, (best.due, best.order) <= (due, place) { return }
            best = (due, place, subject, input)
        }
        for subject in waiting {
            guard let person = people[subject] else { continue }
            if let due = person.memory.review { offer(due, subject, .review(due: due)) }
            for enrolment in person.enrolments {
                if let due = enrolment.due { offer(due, subject, .timer(enrolment.id, due: due)) }
            }
        }
        return best.map { ($0.subject, $0.input, $0.due) }
    }
}
