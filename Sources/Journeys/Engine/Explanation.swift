import Foundations
import Payload

/// Why a journey did what it did for a person, or why not: each condition with the value it saw, what is waited for,
/// and what ended it. Worked out when it is asked.
package struct Explanation: Sendable, Equatable {
    package struct Condition: Sendable, Equatable {
        /// As it is written.
        package var text: String
        /// `true`, `false` or `unknown`.
        package var result: String
        /// What its parts came to: `price` → `9990.91`.
        package var saw: [String]
        /// It looks at the profile, of which only is known what it is now.
        package var isAsOfNow = false
    }

    /// One event that could have started the journey, or a part of what does.
    package struct Attempt: Sendable, Equatable {
        package var event: UUID?
        package var activity: String
        package var at: Timestamp
        package var conditions: [Condition]
        /// What follows from it, for people.
        package var verdict: String
    }

    /// Something that an enrolment looked at behind its start.
    package struct Look: Sendable, Equatable {
        package var enrolment: UUID
        /// `unless`, `exit`, `until` or `goal`, with the event; or `split`.
        package var what: String
        package var attempt: Attempt
    }

    /// A line of the trace, as far as an explanation goes by it.
    package struct Line: Sendable, Equatable {
        package var kind: String
        package var enrolment: UUID
        /// The event that caused it.
        package var event: UUID?
        package var detail: String

        package init(kind: String, enrolment: UUID, event: UUID?, detail: String) {
            (self.kind, self.enrolment, self.event, self.detail) = (kind, enrolment, event, detail)
        }
    }

    package var journey: String
    package var version: String
    /// `removed`: it stands in no file any more.
    package var state: String
    package var enrolments: [Enrolment]
    /// The newest first.
    package var attempts: [Attempt]
    /// Of the latest enrolments.
    package var looks: [Look]
    /// What stands in the way of everybody: a state, say.
    package var notes: [String]
}

extension Engine {
    /// Explains a journey for a person, as of a moment.
    ///
    /// - Parameters:
    ///   - since: When the version and the state that are in force now came into force; nil: not known.
    ///   - trace: What is kept of it, in any order: which event it was that enrolled somebody.
    ///   - most: How many of the person's latest events are looked at.
    package func explain(
        _ journey: String, _ person: Person, history: any History, since: Timestamp? = nil,
        trace: [Explanation.Line] = [], at now: Timestamp, most: Int = 20
    ) -> Explanation? {
        guard let rule = rules.current(journey) ?? rules.rules.last(where: { $0.journey.name == journey })
        else {
            return nil
        }
        let explainer = Explainer(
            rules: rules, rule: rule, person: person, history: history, since: since, trace: trace,
            now: now)
        return explainer.explanation(most: most)
    }
}
