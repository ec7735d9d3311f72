import Foundations

/// Which profile a session is bound to, decided from what its row says and what its requests were answered.
///
/// Pure, so that the order of requests, servers and crashes can be tested without any of them. A *derived* id
/// (made from this very session's id) always loses to a known one that was answered for the session; a fixed id
/// (of a source with static profile ids) wins over everything; between two known ones the first stays, for a
/// person must not be merged with another because two requests raced. A derived loser becomes an alias.
package struct Binding: Equatable, Sendable {
    package enum Strength: Int, Sendable, Comparable {
        case none, derived, known, fixed
        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    /// The profile that the session has now.
    package private(set) var profile: UUID?
    package private(set) var strength: Strength
    /// Derived ids that lost, in the order in which they did.
    package private(set) var losers: [UUID] = []
    /// Two known profiles were answered for one session.
    package private(set) var contested = false

    /// `derived` is the id that is made from the session's own id.
    package init(row profile: UUID?, derived: UUID) {
        self.profile = profile
        strength = profile == nil ? .none : profile == derived ? .derived : .known
    }

    /// Takes a request's answer into account. `answered` is resolved: never an alias.
    package mutating func take(_ answered: UUID, _ claim: Strength) {
        guard let current = profile, current != answered else {
            profile = answered
            strength = max(strength, claim)
            return
        }
        switch (strength, claim) {
        case (_, .none): break
        case (_, .fixed), (.derived, .known):
            if strength == .derived { losers.append(current) }
            profile = answered
            strength = claim
        case (_, .derived):
            losers.append(answered)
        default:
            contested = true
        }
    }
}
