import Foundations
import Postgres

/// What people and programs do with the quarantine: look, ask for replays, drop. Statements on a connection, for the
/// commands and the admin API alike.
package enum Quarantine {
    /// Which events are meant: those of which all of this is true.
    package struct Filter: Sendable {
        /// Empty: whichever.
        package var ids: [UUID] = []
        package var reasons: [String] = []
        package var source: String?
        package var activity: String?
        /// Only what this journey was kept from.
        package var journey: String?
        /// Received at that moment or later …
        package var since: Timestamp?
        /// … and before that one.
        package var before: Timestamp?
        /// Only those whose replay is asked for, or only the others; nil: whichever.
        package var isWaiting: Bool?

        package init(ids: [UUID] = [], reasons: [String] = []) {
            self.ids = ids
            self.reasons = reasons
        }

        /// Does it mean every event that there is?
        package var isEverything: Bool {
            ids.isEmpty && reasons.isEmpty && source == nil && activity == nil && journey == nil
                && since == nil && before == nil
        }
    }

    /// Events that could not be taken for the same reason, of one source and activity.
    package struct Group: Equatable, Sendable {
        package let reason: String
        package let source: String
        package let activity: String?
        /// The one that was kept from something; nil: the events could not be taken.
        package let journey: String?
        package let count: Int
        package let first: Timestamp
        package let last: Timestamp
        /// The latest of them, and what its detail says.
        package let example: UUID
        package let message: String?
    }

    /// One event, as a list shows it.
    package struct Item: Equatable, Sendable {
        package let id: UUID
        package let receivedAt: Timestamp
        package let source: String
        package let activity: String?
        /// The journey that could not do with the event, which is stored, what it wanted to; nil: the event itself
        /// could not be taken.
        package let journey: String?
        package let eventID: UUID?
        package let reason: String
        package let pointer: String?
        /// JSON text (`QuarantineDetail`); nil: there is none.
        package let detail: String?
        /// The sentence of the detail.
        package let message: String?
        package let clientID: String?
        package let sessionID: String?
        /// The profile that was answered.
        package let profileID: UUID?
        /// When a replay was asked for that is not done yet.
        package let requestedAt: Timestamp?
        /// How often a replay ended here again, and when it did last.
        package let attempts: Int
        package let replayedAt: Timestamp?
    }

    /// All that is kept of one event.
    package struct Entry: Equatable, Sendable {
        package let item: Item
        /// The event as it came, JSON text.
        package let payload: String
        /// The context of its session, JSON text.
        package let context: String?
        /// When the client said it happened, and what its clock said when it sent.
        package let time: Timestamp?
        package let sentAt: Timestamp?
        package let sentProfile: String?
        package let userAgent: String?
        package let task: UUID?
        /// The server that received it.
        package let instance: UUID?
    }

    /// A row that stays, and why.
    struct Kept {
        let id: UUID
        let reason: String
        let pointer: String
        /// JSON text.
        let detail: String
    }
}
