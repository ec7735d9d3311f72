import Foundations
import Payload

/// Which of a batch's signs the caches cannot answer, and what the transaction has to know for them.
///
/// A sign that shows only what its profile is known by already costs nothing.
struct SignPlan {
    /// The signs to be settled, in the order of the events.
    private(set) var open: [Sign] = []
    /// Sessions whose rows must be held, since they may go over to somebody else.
    private(set) var groups: Set<Int> = []
    /// By claim: its session's group; nil: its profile is not its session's.
    private(set) var groupOf: [Int?]
    /// Profiles of which the caches say enough, but whose traits will change.
    private var touched: [UUID: Timestamp] = [:]
    private let signs: [Sign]

    init(
        _ signs: [Sign], _ claims: [Claim], _ groups: [SessionGroup], sessions: SessionCache,
        owners: IdentityCache, into settlement: inout Settlement
    ) {
        self.signs = signs
        groupOf = Array(repeating: nil, count: claims.count)
        if signs.isEmpty { return }
        for (i, group) in groups.enumerated() {
            for member in group.members where claims[member].basis != .none && claims[member].basis != .fixed
            {
                groupOf[member] = i
            }
        }
        var isOpen = Array(repeating: false, count: signs.count)
        for (i, sign) in signs.enumerated() {
            let claim = claims[sign.claim]
            let first = sign.shown.first.flatMap { owners.owner(Kinship.Key($0)) }
            let isAgreed = sign.shown.allSatisfy { owners.owner(Kinship.Key($0)) == first }
            if claim.basis == .none {
                guard let first, isAgreed else {
                    isOpen[i] = true
                    continue
                }
                settlement.found[sign.event] = first
                if !sign.changes.isEmpty { touched[first] = claim.receivedAt }
            } else if let group = groupOf[sign.claim] {
                let profile = sessions.entry(ofSession: groups[group].id)?.profile
                if sign.shown.isEmpty || isAgreed && first != nil && first == profile { continue }
                self.groups.insert(group)
            } else if let profile = claim.answered {
                let isKnown = isAgreed && first == profile
                isOpen[i] = !sign.shown.isEmpty && !isKnown
                if !sign.changes.isEmpty || isKnown && claim.basis != .fixed {
                    touched[profile] = claim.receivedAt
                }
                if isKnown, claim.basis != .fixed { settlement.found[sign.event] = profile }
            }
        }
        // A session that may go over to somebody takes all that it shows along, in its order.
        for (i, sign) in signs.enumerated() where groupOf[sign.claim].map(self.groups.contains) ?? isOpen[i] {
            if !sign.shown.isEmpty || claims[sign.claim].basis == .none { open.append(sign) }
        }
    }

    /// What an event says counts once: a repeat must not take a session back to whoever had it before.
    mutating func forget(_ events: Set<Int>) {
        if !events.isEmpty { open.removeAll { events.contains($0.event) } }
    }

    var isEmpty: Bool { open.isEmpty && touched.isEmpty }

    /// Sessions that are fresh and whose events change traits: their profiles have to be certain.
    mutating func touch(_ groups: [SessionGroup], _ claims: [Claim]) {
        for sign in signs where !sign.changes.isEmpty {
            guard let i = groupOf[sign.claim], groups[i].isFresh, let profile = groups[i].profile else {
                continue
            }
            touched[profile] = claims[sign.claim].receivedAt
        }
    }

    /// Ids whose present meaning must be asked for.
    func profiles(_ claims: [Claim]) -> Set<UUID> {
        var ids = Set(touched.keys)
        for sign in open where groupOf[sign.claim] == nil {
            if let answered = claims[sign.claim].answered { ids.insert(answered) }
        }
        return ids
    }

    /// The identities to be looked at, with whose they will probably be.
    func wanted(
        _ groups: [SessionGroup], _ claims: [Claim], _ known: [UUID: UUID]
    ) -> [Kinship.Key: UUID?] {
        var wanted: [Kinship.Key: UUID?] = [:]
        for sign in open {
            let profile = subject(sign, groups, claims, known)
            for shown in sign.shown {
                let key = Kinship.Key(shown)
                if let before = wanted[key], before != nil { continue }
                wanted[key] = .some(profile)
            }
        }
        return wanted
    }

    /// The profile that shows what the sign says; nil: it is an event without one.
    private func subject(
        _ sign: Sign, _ groups: [SessionGroup], _ claims: [Claim], _ known: [UUID: UUID]
    ) -> UUID? {
        let claim = claims[sign.claim]
        if let group = groupOf[sign.claim] { return groups[group].profile }
        return claim.basis == .none ? nil : claim.answered.map { known[$0] ?? $0 }
    }

    func subjects(_ groups: [SessionGroup], _ claims: [Claim], _ known: [UUID: UUID]) -> Set<UUID> {
        Set(open.compactMap { subject($0, groups, claims, known) })
    }

    /// Adds the profiles that have to be locked.
    func note(
        _ times: inout [UUID: IdentityStore.Seen], _ groups: [SessionGroup], _ claims: [Claim],
        _ known: [UUID: UUID], owners: [UUID]
    ) {
        func note(_ id: UUID, _ at: Timestamp) {
            times[id, default: IdentityStore.Seen(first: at, last: at)].extend(at, at)
        }
        for sign in open {
            if let subject = subject(sign, groups, claims, known) {
                note(subject, claims[sign.claim].receivedAt)
            }
        }
        for (id, at) in touched { note(known[id] ?? id, at) }
        let latest = latest(claims)
        for owner in owners { note(owner, latest) }
    }

    /// When the last of the open signs came.
    func latest(_ claims: [Claim]) -> Timestamp {
        open.lazy.map { claims[$0.claim].receivedAt }.max() ?? Timestamp(microseconds: 0)
    }
}

extension Kinship.Key {
    init(_ shown: Sign.Shown) { self.init(shown.kind, shown.value) }
}
