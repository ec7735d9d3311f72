import Foundations

/// What a step wants to be done, in order; all of it is committed together with what caused it.
package enum Effect: Sendable, Equatable {
    /// A new row of enrolment, with its timer if `due` is set.
    case enrol(Enrolment)
    /// The row has changed, its end included; the timer is `due`, or there is none any more.
    case update(Enrolment)
    /// A row that goes, with its timer: of two profiles that were merged, only the older enrolment stays.
    case drop(UUID)
    case deliver(Delivery)
    /// An attribute of the profile becomes this JSON value.
    case set(name: String, json: [UInt8])
    /// The person's memory has changed, with the moment of the next review.
    case remember(Memory)
    case decided(Decision)
    /// A journey was kept from what it would have done.
    case withheld(Withheld)
}

/// Something to be sent.
package struct Delivery: Sendable, Equatable {
    /// The same, however often it is made.
    package var id: UUID
    package var webhook: String
    package var enrolment: UUID
    package var journey: String
    package var version: String
    package var subject: Subject
    package var step: String
    package var visit: Int
    /// As written, in that order.
    package var params: [(name: String, value: String)]
    /// Byte for byte as it was received.
    package var entry: Occurrence?
    /// When it is queued, in server time.
    package var at: Timestamp

    package static func == (a: Self, b: Self) -> Bool {
        a.id == b.id && a.webhook == b.webhook && a.at == b.at && a.entry == b.entry
            && a.params.elementsEqual(b.params) { $0 == $1 }
    }
}

/// One line of the trace: what happened, never what did not.
package struct Decision: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case enrolled, left, fired, restarted, goal, skipped, held
        case disprovedLate = "disproved_late"
        case moved, dropped
        /// Too much waits for a timer's decision already: this event goes by the journey.
        case passedBy = "passed_by"
        /// A timer was decided without a server that was silent for too long.
        case unwaited
    }

    package var kind: Kind
    package var journey: String
    package var version: String
    package var enrolment: UUID
    package var subject: Subject
    /// In server time.
    package var at: Timestamp
    /// For people: the reason, the webhook, the event's id.
    package var detail: String
    /// The event that caused it.
    package var event: UUID?

    package init(
        kind: Kind, journey: String, version: String, enrolment: UUID, subject: Subject, at: Timestamp,
        detail: String, event: UUID? = nil
    ) {
        (self.kind, self.journey, self.version, self.enrolment) = (kind, journey, version, enrolment)
        (self.subject, self.at, self.detail, self.event) = (subject, at, detail, event)
    }
}

/// What happens to a person.
package enum Input: Sendable, Equatable {
    /// A stored event. `attributesBefore`: what the profile was before the event changed it, if it did. `started`:
    /// journeys that it started before it got its person; it starts none of them twice. Nil: it starts nothing, as the
    /// `Sieve` knows.
    case event(Occurrence, attributesBefore: [UInt8]? = nil, started: Set<String>? = [])
    /// The profile changed without an event.
    case attributes(before: [UInt8], at: Timestamp)
    /// An enrolment's timer, as it was set. Decide it only once every living server's spool is loaded up to `due`.
    case timer(UUID, due: Timestamp)
    /// The memory's review, as it was set; the same holds.
    case review(due: Timestamp)
    /// Two profiles became this one: what one of them did, the other one's journeys see now.
    case merged(Union)
    /// What a journey was kept from, and may do now. `at`: so much later, in server time; nil: as of then.
    case resumed(Withheld, at: Timestamp?)

    package var isTimer: Bool {
        switch self {
        case .timer, .review: true
        case .event, .attributes, .merged, .resumed: false
        }
    }
}

/// What must be known of two profiles as they were before they became one.
package struct Union: Sendable, Equatable {
    /// When that was.
    package var at: Timestamp
    /// Events of the one that went which are parts of combinations.
    package var parts: Set<UUID> = []
    /// By score: the bands in which the two were.
    package var bands: [String: Set<String>] = [:]

    package init(at: Timestamp) { self.at = at }
}
