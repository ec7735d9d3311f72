import Foundations

/// What one event says about its person: the identities that it shows, what it does to traits, and whom to ask.
package struct Sign: Sendable {
    /// One identity in the form under which it is kept.
    package struct Shown: Sendable, Equatable {
        /// Its place among the rules' kinds.
        package let kind: Int
        package let value: [UInt8]
        /// How long an event without a profile waits for it, in microseconds.
        package let within: Int64
        /// The trait that it sets as well.
        package let trait: String?
    }

    /// The event's place in its batch.
    package let event: Int
    /// Its request's place among the claims.
    package let claim: Int
    package var shown: [Shown]
    package var changes: [TraitChange]
    /// Whom to ask outside, if nobody is found; nil: nobody.
    package var question: String?

    package init(
        event: Int, claim: Int, shown: [Shown] = [], changes: [TraitChange] = [], question: String? = nil
    ) {
        (self.event, self.claim, self.shown, self.changes) = (event, claim, shown, changes)
        self.question = question
    }
}

/// One thing that an event does to a trait.
package struct TraitChange: Sendable, Equatable {
    package let trait: String
    package let operation: TraitMapping.Operation
    /// JSON text.
    package let value: [UInt8]

    package init(_ trait: String, _ operation: TraitMapping.Operation, _ value: [UInt8]) {
        (self.trait, self.operation, self.value) = (trait, operation, value)
    }
}
