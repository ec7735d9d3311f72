import Foundations
import Payload

/// The engine of journeys: a pure step function, `(person, input) → (person, effects)`, no clock and no I/O.
///
/// The loader runs it on stored batches, a simulation on a scenario, a backtest on stored history. Two times go with
/// every step: *event time*, in which windows are measured, and *server time*, in which evidence comes in time or does
/// not. What is worked out depends on the inputs and on their order per person only, never on when a timer is looked
/// at: what arrives while a timer that was due before is undecided waits its turn.
package struct Engine: Sendable {
    package let rules: Rulebook

    package init(_ rules: Rulebook) { self.rules = rules }

    /// Does an event of that activity mean anything to anybody? Asked for every event; it takes nanoseconds.
    package func listens(to activity: Bytes) -> Bool { rules.listens(to: activity) }

    package enum Concern: Sendable, Equatable {
        /// The person need not be loaded.
        case nothing
        /// It may mean something to those who have an enrolment, or be counted; it starts nothing by itself.
        case running
        case start
    }

    /// A closer look at an event somebody listens to, before its person is loaded: see `Sieve`, which looks at many.
    package func concern(_ occurrence: Occurrence) -> Concern { Sieve(self).concern(occurrence) }

    /// The enrolments that decide whether an event starts something: journeys, and their keys, as far as the event
    /// alone says them.
    package func places(_ occurrence: Occurrence) -> [(journey: String, key: String)] {
        var places: [(journey: String, key: String)] = []
        let facts = Facts(
            event: occurrence, entry: occurrence, attributes: [], now: occurrence.received,
            time: occurrence.time, zone: rules.zone)
        func isTrue(_ condition: Expression) -> Bool { Evaluator(facts: facts).flag(condition) == true }
        for interest in rules.listeners(to: occurrence.activity)?.interests ?? [] {
            guard let start = interest.start, interest.tests?.contains(where: isTrue) ?? true else {
                continue
            }
            let journey = rules.rules[start].journey
            guard let expression = journey.key else {
                places.append((journey.name, ""))
                continue
            }
            guard expression.looksOnlyAtTheEvent else { continue }
            if let key = Stepping.key(expression, facts) { places.append((journey.name, key)) }
        }
        return places
    }

    /// Steps a person. The effects come in the order in which they happened; rows are named once, as they are at the
    /// end.
    ///
    /// - Parameters:
    ///   - history: The person's events that were stepped before, and the present one.
    ///   - withholding: Journeys that must do nothing: the effects say what they were kept from.
    ///   - now: When that is, if it may be long after what the input says: webhooks keep their hours.
    package func step(
        _ person: inout Person, _ input: Input, history: any History = NoHistory(),
        withholding: Set<String> = [], now: Timestamp? = nil
    ) -> [Effect] {
        let step = Stepping(
            rules: rules, person: person, history: history, withholding: withholding, now: now)
        step.take(input)
        let effects = step.finish()
        person = step.person
        return effects
    }
}
