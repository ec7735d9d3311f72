import Foundations

/// What a journey was kept from, since the database refuses what it makes of it: all that is needed to let it do so
/// later, once.
package struct Withheld: Sendable, Equatable {
    package enum Cause: Sendable, Equatable {
        /// An event that it would have reacted to.
        case event(Occurrence)
        /// A segment or a score was entered, in event time.
        case entered(Timestamp)
        /// A timer's decision, with the enrolment as it was before.
        case timer(Enrolment)
    }

    /// Empty: all that the event means to anybody.
    package var journey: String
    package var cause: Cause
    /// In server time.
    package var clock: Timestamp

    package init(journey: String, cause: Cause, clock: Timestamp) {
        (self.journey, self.cause, self.clock) = (journey, cause, clock)
    }

    /// The event that it is about, or that the enrolment began with.
    package var event: Occurrence? {
        switch cause {
        case .event(let occurrence): occurrence
        case .entered: nil
        case .timer(let enrolment): enrolment.entry
        }
    }
}
