import Foundations

/// Which profiles are one person, and who survives: what a batch's identities come to.
///
/// Pure: it knows what was read under locks, takes what events show one after the other, and says what is to be
/// written. The survivor of two profiles is decided by what they are, never by who came first to the database, so
/// that servers that load the same merges in another order, twice, or at the same instant end at the same one:
///
///     1. an id that a source or an import brought (a fixed one) goes before one that we made; two fixed ones are
///        never merged
///     2. a known profile goes before an anonymous one, and of two known ones the one that was known first
///     3. the lower id
package struct Kinship {
    /// What is known of a profile, besides its id.
    package struct Facts: Sendable, Equatable {
        /// The kinds of identities that it is known by, as places in the rules.
        package var kinds: Set<Int> = []
        /// When it first showed an identity; nil: anonymous.
        package var knownAt: Timestamp?
        package var isFixed = false

        package init(kinds: Set<Int> = [], knownAt: Timestamp? = nil, isFixed: Bool = false) {
            (self.kinds, self.knownAt, self.isFixed) = (kinds, knownAt, isFixed)
        }
    }

    /// An identity in the form under which it is kept.
    package struct Key: Hashable, Sendable {
        package let kind: Int
        package let value: [UInt8]
        package init(_ kind: Int, _ value: [UInt8]) { (self.kind, self.value) = (kind, value) }
    }

    /// What an event's identity did to the profile that showed it.
    package enum Outcome: Equatable, Sendable {
        /// It was its own already.
        case nothing
        /// It is its own from now on.
        case linked
        /// The two profiles are one.
        case merged
        /// The session goes over to this profile: the device is shared.
        case rebound(UUID)
        /// It belongs to somebody else, and stays there.
        case conflict
    }

    private var facts: [UUID: Facts]
    private var owners: [Key: UUID]
    /// Is a person of this kind known by several at a time?
    private let several: [Bool]
    private let newPerson: (Key) -> UUID
    private(set) var merges = Merges()

    /// Identities that got their owner here.
    private(set) var linked: [Key: Timestamp] = [:]
    /// Profiles that were made here, for somebody who shares a device.
    private(set) var made: [UUID: Timestamp] = [:]
    /// Profiles whose facts changed.
    private(set) var changed: Set<UUID> = []

    /// `facts`: of every profile that may be named, none of them an alias; `owners`: of every identity that will
    /// be shown and has one; `newPerson`: the id of somebody of whom nothing else is known.
    package init(
        facts: [UUID: Facts], owners: [Key: UUID], several: [Bool], newPerson: @escaping (Key) -> UUID
    ) {
        (self.facts, self.owners, self.several, self.newPerson) = (facts, owners, several, newPerson)
    }

    /// The profile that an id means by now.
    package func now(_ id: UUID) -> UUID { merges.target(of: id) }
    package func owner(_ key: Key) -> UUID? { owners[key].map(now) }
    package func facts(of id: UUID) -> Facts { facts[now(id)] ?? Facts() }

    /// Which of the identities of one event tells that it is not this profile's person who shows them; nil: none.
    /// The first one of which a person has but one decides: with his own address it is himself, whatever else he
    /// shows.
    func parting(_ keys: [Key], _ id: UUID) -> Int? {
        let profile = now(id)
        let own = facts(of: profile)
        func parts(_ key: Key) -> Bool {
            guard let owner = owner(key) else { return own.kinds.contains(key.kind) && !several[key.kind] }
            if owner == profile { return false }
            return own.kinds.contains(key.kind) || own.isFixed && facts(of: owner).isFixed
        }
        let decisive = keys.firstIndex { !several[$0.kind] && (owner($0) == profile || parts($0)) }
        guard let decisive else { return keys.firstIndex(where: parts) }
        return owner(keys[decisive]) == profile ? nil : decisive
    }

    /// A session's own profile loses to the known one that was answered for it, whatever the two are; unless both
    /// are known by the same kind: then they are two persons, and the session merely goes over.
    package mutating func settle(_ loser: UUID, into winner: UUID, at: Timestamp) {
        let (loser, winner) = (now(loser), now(winner))
        if loser == winner { return }
        let (a, b) = (facts(of: loser), facts(of: winner))
        if !a.kinds.isDisjoint(with: b.kinds) || a.isFixed { return }
        unite(loser, into: winner, at: at)
    }

    /// An event of the profile shows an identity. `canRebind`: it came with a session, which can go over to
    /// somebody else.
    package mutating func show(_ key: Key, by id: UUID, at: Timestamp, canRebind: Bool) -> Outcome {
        let profile = now(id)
        let own = facts(of: profile)
        let isKnownByKind = own.kinds.contains(key.kind)
        guard let owner = owner(key) else {
            if isKnownByKind, canRebind, !several[key.kind] {
                let person = newPerson(key)
                made[person] = at
                link(key, to: person, at: at)
                return .rebound(now(person))
            }
            link(key, to: profile, at: at)
            return .linked
        }
        if owner == profile { return .nothing }
        if isKnownByKind { return canRebind ? .rebound(owner) : .conflict }
        let other = facts(of: owner)
        if own.isFixed, other.isFixed { return canRebind ? .rebound(owner) : .conflict }
        // What is shown now makes the profile known: that counts when the two are compared.
        var mine = own
        mine.knownAt = min(own.knownAt ?? at, at)
        if Self.precedes((profile, mine), (owner, other)) {
            facts[profile] = mine
            unite(owner, into: profile, at: at)
        } else {
            facts[profile] = mine
            unite(profile, into: owner, at: at)
        }
        return .merged
    }

    private mutating func link(_ key: Key, to id: UUID, at: Timestamp) {
        let profile = now(id)
        owners[key] = profile
        linked[key] = at
        var own = facts(of: profile)
        own.kinds.insert(key.kind)
        own.knownAt = min(own.knownAt ?? at, at)
        facts[profile] = own
        changed.insert(profile)
    }

    private mutating func unite(_ loser: UUID, into winner: UUID, at: Timestamp) {
        let (a, b) = (facts(of: loser), facts(of: winner))
        merges.merge(loser, into: winner, at: at)
        let known = [a.knownAt, b.knownAt].compactMap { $0 }.min()
        facts[winner] = Facts(kinds: a.kinds.union(b.kinds), knownAt: known, isFixed: a.isFixed || b.isFixed)
        changed.remove(loser)
        changed.insert(winner)
    }

    /// Does the first survive?
    static func precedes(_ a: (id: UUID, facts: Facts), _ b: (id: UUID, facts: Facts)) -> Bool {
        if a.facts.isFixed != b.facts.isFixed { return a.facts.isFixed }
        let (x, y) = (
            a.facts.knownAt ?? Timestamp(microseconds: .max), b.facts.knownAt ?? Timestamp(microseconds: .max)
        )
        return x == y ? a.id < b.id : x < y
    }
}
