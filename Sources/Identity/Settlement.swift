import Foundations
import Payload

/// What settling a batch came to, for the steps that follow it in the same transaction.
package struct Settlement {
    package init() {}

    /// From an event on, a session stands under another profile: a device that is shared.
    struct Turn {
        let event: Int
        let profile: UUID
    }

    /// Profiles that are not any more: each is an alias of the winner now. Journeys move enrolments by it.
    package struct Merge: Sendable {
        package let loser: UUID
        package let winner: UUID
        package let at: Timestamp
    }

    /// A profile as it was when it was merged into another one.
    struct Gone {
        let id: UUID
        let winner: UUID
        /// JSON text.
        let traits: [UInt8]
        let createdAt: Timestamp
    }

    package internal(set) var merges: [Merge] = []
    var gone: [Gone] = []
    /// By claim: what its events stand under, as long as no turn says otherwise.
    var before: [Int: UUID] = [:]
    /// By claim, in the order of the events.
    var turns: [Int: [Turn]] = [:]
    /// By event: the person of an event without a profile of its own.
    var found: [Int: UUID] = [:]
    /// Signs of events that nobody is known by yet.
    package internal(set) var waiting: [Sign] = []
    /// Identities that events waited for, and whose they are now.
    package internal(set) var awaited: [(key: Kinship.Key, profile: UUID)] = []
    /// Identities that became somebody's here.
    var newIdentities: Set<Kinship.Key> = []

    /// The profile that an event stands under, where it is not its request's.
    package func profile(ofEvent event: Int, claim: Int) -> UUID? {
        if let profile = found[event] { return profile }
        guard let turns = turns[claim] else { return nil }
        return turns.last { $0.event <= event }?.profile ?? before[claim]
    }

    /// Identities that became somebody's are traits of his as well.
    package func changes(by sign: Sign) -> [TraitChange] {
        sign.shown.compactMap { shown in
            guard let trait = shown.trait, newIdentities.contains(Kinship.Key(shown)) else { return nil }
            var json = ByteBuffer(capacity: shown.value.count + 2)
            shown.value.withUnsafeBytes { _ = appendJSONString($0, to: &json) }
            return TraitChange(trait, .set, Array(json.bytes))
        }
    }

    /// Do all events stand under their request's profile?
    package var isPlain: Bool { turns.isEmpty && found.isEmpty }
}
