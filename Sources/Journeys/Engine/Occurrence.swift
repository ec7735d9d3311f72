import Foundations

/// An event as journeys see it: when it happened, when the server had it, and what it carries.
package struct Occurrence: Sendable, Equatable {
    package var id: UUID
    /// The activity's key.
    package var activity: String
    /// As it was sent.
    package var label: String
    package var source: String
    /// When it happened, corrected and clamped: what windows are measured in.
    package var time: Timestamp
    /// When it was answered: what decides whether evidence came in time.
    package var received: Timestamp
    /// The properties as received: a JSON object, or nothing.
    package var properties: [UInt8]
    /// When it was known whose it is, if that was later than it was received.
    package var seen: Timestamp?
    /// The person's steps are numbered, from 1; what was parked must not see what was stepped behind it. 0: unknown.
    package var step: Int64 = 0

    package init(
        id: UUID, activity: String, label: String? = nil, source: String = "", time: Timestamp,
        received: Timestamp? = nil, properties: [UInt8] = [], seen: Timestamp? = nil, step: Int64 = 0
    ) {
        (self.seen, self.step) = (seen, step)
        self.id = id
        self.activity = activity
        self.label = label ?? activity
        self.source = source
        self.time = time
        self.received = received ?? time
        self.properties = properties
    }

    /// When the person's journeys could know of it.
    package var known: Timestamp { max(received, seen ?? received) }
}

/// A person's stored events, as far as they were stepped, the one under test included. The shell asks the database,
/// a simulation its memory.
///
/// The functions do not throw: a shell that fails remembers it, answers with nothing, and discards the step.
package protocol History {
    /// Calls for each event of the activity with `after < time ≤ through`, the newest first (of the same instant, the
    /// one that was stepped last first), until the body says false.
    func visit(
        _ activity: String, after: Timestamp?, through: Timestamp, _ body: (Occurrence) -> Bool)

    /// The last enrolment of a journey and key, where the person may not have been loaded with it; nil: there is none,
    /// or the person has it.
    func last(_ journey: String, key: String) -> Enrolment?
}

extension History {
    package func last(_ journey: String, key: String) -> Enrolment? { nil }
}

/// For expressions that ask for no history.
package struct NoHistory: History {
    package init() {}
    package func visit(
        _ activity: String, after: Timestamp?, through: Timestamp, _ body: (Occurrence) -> Bool
    ) {}
}

/// A history that knows less: up to a step, or what was known at a moment.
struct Horizon: History {
    let history: any History
    var step = Int64.max
    var known = Timestamp(microseconds: .max)

    func last(_ journey: String, key: String) -> Enrolment? { history.last(journey, key: key) }

    func visit(
        _ activity: String, after: Timestamp?, through: Timestamp, _ body: (Occurrence) -> Bool
    ) {
        history.visit(activity, after: after, through: through) { event in
            event.step > step || event.known > known ? true : body(event)
        }
    }
}
