import Foundations

/// What is kept of a person besides the enrolments: first parts of combinations, points, memberships, deliveries that
/// are capped, and events that wait for a timer's decision. One small row a person.
package struct Memory: Sendable, Equatable {
    /// A part of `all` or `seq` that was done.
    package struct Evidence: Sendable, Equatable {
        /// The parts that it can be.
        package var parts: [Int]
        package var time: Timestamp
        package var id: UUID
    }

    package struct Score: Sendable, Equatable {
        package struct Count: Sendable, Equatable {
            package var time: Timestamp
            package var count: Int
        }
        /// Of the definition that the counts were made with.
        package var version: String
        /// For each rule its events within the window, the oldest first.
        package var counts: [[Count]]
        /// The band that is known to those who wait for a change.
        package var band: String?
        /// The latest moment at which it was worked out.
        package var at: Timestamp
        /// What was counted last: when it was known, and the number of its step.
        package var known = Timestamp(microseconds: 0)
        package var step: Int64 = 0
    }

    /// Of a segment that somebody waits for.
    package struct Membership: Sendable, Equatable {
        package var isIn: Bool
        /// The latest moment at which it was worked out.
        package var at: Timestamp
        /// When time alone may change it.
        package var next: Timestamp?
    }

    /// Something that came after a timer was due which is not decided yet: it waits its turn.
    package struct Parked: Sendable, Equatable {
        package enum Cause: Sendable, Equatable {
            case event(Occurrence)
            /// `clock` is when that arrived by which it was entered.
            case entered(time: Timestamp, clock: Timestamp)
        }
        package var journey: String
        package var cause: Cause
        package var clock: Timestamp
        /// The number of the step that it came with; 0: unknown.
        package var step: Int64 = 0
        /// The event started the journey before it got its person.
        package var startsNothing = false
        /// It waits for a timer that was not due yet: what was known then was let by, so that it sees that as well.
        package var sees: Timestamp?
    }

    /// By journey, in the order of (time, arrival).
    package var evidence: [String: [Evidence]] = [:]
    package var scores: [String: Score] = [:]
    package var segments: [String: Membership] = [:]
    /// By journey with a cap: when it delivered.
    package var sent: [String: [Timestamp]] = [:]
    package var parked: [Parked] = []
    /// No more than this are parked, whatever the journeys.
    package static let mostParked = 200
    /// When time alone may change a score or a segment that somebody waits for.
    package var review: Timestamp?

    package init() {}

    package var isEmpty: Bool { self == Memory() }
}

/// A person as a step needs it. The shell loads it under the profile's lock and stores what the effects say.
package struct Person: Sendable, Equatable {
    package var subject: Subject
    /// The profile's attributes: a JSON object, or nothing.
    package var attributes: [UInt8]
    /// Those that run or are open, and of each (journey, key) the one with the largest `n`, unless the history has it.
    package var enrolments: [Enrolment]
    package var memory: Memory

    package init(
        _ subject: Subject, attributes: [UInt8] = [], enrolments: [Enrolment] = [], memory: Memory = Memory()
    ) {
        self.subject = subject
        self.attributes = attributes
        self.enrolments = enrolments
        self.memory = memory
    }
}
