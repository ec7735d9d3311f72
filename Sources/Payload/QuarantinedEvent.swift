import Foundations

/// An event in the quarantine, with what a replay has to know of the request that brought it.
package struct QuarantinedEvent: Sendable {
    package var id: UUID
    package var original: Submission.Original
    package var task: UUID
    package var source: String
    /// The event as it came, JSON text.
    package var payload: String
    /// Objects and lists of the payload, and the context, may stand as strings of their JSON.
    package var isWrapped = false
    /// When it happened, by what was sent beside the event.
    package var said: Timestamp?

    /// Empty: none.
    package var session = ""
    package var sentProfile = ""
    package var userAgent = ""
    /// The session's context, JSON text; empty: none.
    package var context = ""
    package var sentAt: Timestamp?
    /// The profile that was answered, and why.
    package var profile: UUID?
    package var basis = Submission.Basis.none
    package var flags: Submission.Flags = []

    package init(id: UUID, original: Submission.Original, task: UUID, source: String, payload: String) {
        self.id = id
        self.original = original
        self.task = task
        self.source = source
        self.payload = payload
    }
}

/// What the rules of now say of an event from the quarantine.
package enum ReplayVerdict: Equatable, Sendable {
    /// It is taken: it was written as a submission.
    case taken
    /// It stays, and why. `detail` is the JSON text of a `QuarantineDetail`.
    case kept(reason: String, pointer: String, detail: String)
}
