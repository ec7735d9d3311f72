import Foundations

/// Whom an enrolment is about: a profile, or an event that has none.
package enum Subject: Sendable, Hashable {
    case profile(UUID)
    case event(UUID)

    package var id: UUID {
        switch self {
        case .profile(let id), .event(let id): id
        }
    }

    package var profile: UUID? {
        if case .profile(let id) = self { return id }
        return nil
    }
}

/// One run of a journey for one subject: where it stands, and what it waits for.
///
/// Unique by (journey, subject, key, n). It keeps the version of the journey that it started with, and its entry event
/// byte for byte. It waits for one timer at most: `due`.
package struct Enrolment: Sendable, Equatable {
    package enum Phase: String, Sendable {
        /// For the time of `unless` to pass.
        case awaiting
        /// In a `wait` step.
        case waiting
        /// Before a webhook, for its hours.
        case held
        case ended
    }

    package var id: UUID
    package var journey: String
    package var version: String
    package var subject: Subject
    package var key: String
    package var n: Int
    /// In event time: that of the entry, or of the moment at which a score or a segment was entered.
    package var startedAt: Timestamp
    /// Of the earlier ones of its key the latest start, where that was later: this one began with a late event.
    package var lastStart: Timestamp?
    /// When the server knew.
    package var enrolledAt: Timestamp
    /// Nil: there was none, or nothing will ask for it any more.
    package var entry: Occurrence?
    package var phase = Phase.awaiting
    /// When to look at it again, in server time.
    package var due: Timestamp?
    /// The step that is waited in or comes next: step, branch, step, …
    package var path: [Int] = [0]
    /// In event time: until when evidence counts, for `unless` or for the present `wait`.
    package var until: Timestamp?
    /// In event time: when the present `wait` began.
    package var base: Timestamp?
    /// Of `unless`, once it has fired: until when evidence would have counted.
    package var firedUntil: Timestamp?
    /// Evidence came after it had fired.
    package var isDisprovedLate = false
    package var isControl = false
    /// Started in `shadow`: it never sends.
    package var isShadow = false
    /// Until when the goal counts, in event time; nil: there is none, or it was reached.
    package var goalUntil: Timestamp?
    package var goalReachedAt: Timestamp?
    package var endedAt: Timestamp?
    package var reason: String?
    /// After its end it is still looked at, for the goal and for late evidence, until that moment of server time.
    package var openUntil: Timestamp?

    package var isRunning: Bool { phase != .ended }

    /// The latest start that is known of, of its key.
    var latestStart: Timestamp { max(startedAt, lastStart ?? startedAt) }

    /// Can anything still happen to it?
    package func isOpen(at now: Timestamp) -> Bool { isRunning || openUntil.map { now <= $0 } ?? false }

    /// `2.0.1`: the second step's first branch's second step, counted from 0.
    package var step: String { path.map(String.init).joined(separator: ".") }
}
