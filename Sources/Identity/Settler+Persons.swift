import Foundations
import Payload
import Postgres

/// What events show about their persons, within a settlement: everything is locked.
extension Settler {
    /// What the profiles and identities that may be named are, with everything locked.
    func kinship(
        _ stale: [Int], _ plan: SignPlan, _ groups: [SessionGroup], _ claims: [Claim],
        _ known: [UUID: UUID], _ taken: [IdentityRows.Row], _ identities: IdentityRows,
        _ connection: Connection
    ) throws(PostgresError) -> Kinship {
        var named = plan.subjects(groups, claims, known)
        for i in stale where !groups[i].binding.losers.isEmpty {
            named.formUnion(groups[i].binding.losers)
            groups[i].profile.map { _ = named.insert($0) }
        }
        var owners: [Kinship.Key: UUID] = [:]
        for row in taken {
            guard let owner = row.owner else { continue }
            owners[row.key] = owner
            named.insert(owner)
        }
        let (issuer, kinds) = (issuer, rules.kinds)
        var facts = try identities.facts(
            of: named, without: Set(taken.lazy.filter { $0.presumed != nil }.map(\.key)), connection)
        // A row that this very batch makes does not say so yet.
        for claim in claims where claim.basis == .fixed {
            claim.answered.map { facts[known[$0] ?? $0]?.isFixed = true }
        }
        return Kinship(
            facts: facts,
            owners: owners,
            several: kinds.map(\.several),
            newPerson: { issuer.profile(forIdentity: kinds[$0.kind].name, $0.value) })
    }

    /// A session's own profile loses to the one that was answered for it.
    func settleLosers(_ group: SessionGroup, _ kinship: inout Kinship) {
        guard let winner = group.profile else { return }
        for loser in group.binding.losers { kinship.settle(loser, into: winner, at: group.seenAt) }
    }

    /// Goes through what the events show, in their order.
    func show(
        _ plan: SignPlan, _ groups: inout [SessionGroup], _ claims: [Claim], _ known: [UUID: UUID],
        _ kinship: inout Kinship, _ settlement: inout Settlement
    ) {
        var nameless: [Sign] = []
        for sign in plan.open {
            let claim = claims[sign.claim]
            if claim.basis == .none {
                nameless.append(sign)
            } else if let i = plan.groupOf[sign.claim] {
                show(sign, by: &groups[i], claim.receivedAt, &kinship, &settlement)
            } else if let profile = claim.answered.map({ known[$0] ?? $0 }) {
                for shown in sign.shown {
                    _ = show(shown, by: profile, claim.receivedAt, canRebind: false, &kinship, &settlement)
                }
                if claim.basis != .fixed { settlement.found[sign.event] = profile }
            }
        }
        // Last, since they may be known by what came behind them.
        for sign in nameless { find(sign, claims[sign.claim], &kinship, &settlement) }
        for claim in Array(settlement.turns.keys) {
            settlement.turns[claim] = settlement.turns[claim]?.map {
                Settlement.Turn(event: $0.event, profile: kinship.now($0.profile))
            }
        }
        settlement.found = settlement.found.mapValues { kinship.now(known[$0] ?? $0) }
    }

    /// An event with a session: it goes over to whoever the device is shared with. What tells that comes first, so
    /// that nothing else of the event is taken for the one who had the device before, nor joins the two.
    private func show(
        _ sign: Sign, by group: inout SessionGroup, _ at: Timestamp, _ kinship: inout Kinship,
        _ settlement: inout Settlement
    ) {
        guard let before = group.profile else { return }
        let parting = kinship.parting(sign.shown.map(Kinship.Key.init), before)
        var shown = sign.shown
        if let parting { shown.insert(shown.remove(at: parting), at: 0) }
        for shown in shown {
            guard let profile = group.profile else { continue }
            if kinship.now(profile) != kinship.now(before),
                kinship.owner(Kinship.Key(shown)) == kinship.now(before)
            {
                counted.conflicts += 1
                continue
            }
            let outcome = show(shown, by: profile, at, canRebind: parting != nil, &kinship, &settlement)
            guard case .rebound(let person) = outcome else { continue }
            group.profile = person
            for member in group.members {
                settlement.turns[member, default: []].append(
                    Settlement.Turn(event: sign.event, profile: person))
            }
        }
    }

    private func show(
        _ shown: Sign.Shown, by profile: UUID, _ at: Timestamp, canRebind: Bool, _ kinship: inout Kinship,
        _ settlement: inout Settlement
    ) -> Kinship.Outcome {
        let key = Kinship.Key(shown)
        let wasKnown = kinship.facts(of: profile).knownAt != nil
        let outcome = kinship.show(key, by: profile, at: at, canRebind: canRebind)
        switch outcome {
        case .linked:
            settlement.newIdentities.insert(key)
            if !wasKnown { counted.known += 1 }
        case .rebound:
            counted.rebinds += 1
            if kinship.linked[key] != nil { settlement.newIdentities.insert(key) }
        case .conflict: counted.conflicts += 1
        case .nothing, .merged: break
        }
        return outcome
    }

    /// An event without a profile belongs to whom the first of its identities that is known belongs to; the others
    /// are then his as well.
    private func find(
        _ sign: Sign, _ claim: Claim, _ kinship: inout Kinship, _ settlement: inout Settlement
    ) {
        let owners = sign.shown.compactMap { kinship.owner(Kinship.Key($0)) }
        guard let person = owners.first else {
            settlement.waiting.append(sign)
            return
        }
        settlement.found[sign.event] = person
        for shown in sign.shown {
            _ = show(shown, by: person, claim.receivedAt, canRebind: false, &kinship, &settlement)
        }
    }

    /// Writes what the identities came to.
    func write(
        _ kinship: Kinship, _ taken: [IdentityRows.Row], _ identities: IdentityRows,
        _ settlement: inout Settlement, _ connection: Connection
    ) throws(PostgresError) {
        let merges = kinship.merges.all
        if merges.count > mostMerges {
            throw PostgresError(
                .server, "\(merges.count) merges at once", sqlstate: Self.tooMany, context: "merging profiles"
            )
        }
        try store.seen(kinship.made.mapValues { IdentityStore.Seen(first: $0, last: $0) }, connection)
        var assigned: [(row: IdentityRows.Row, owner: UUID)] = []
        for row in taken {
            guard let owner = kinship.owner(row.key) else { continue }
            learntOwners.append((row.key, owner))
            if kinship.linked[row.key] != nil, owner != row.presumed { assigned.append((row, owner)) }
            if row.isAwaited { settlement.awaited.append((row.key, owner)) }
        }
        try identities.assign(assigned, connection)
        settlement.gone = try store.alias(merges, connection)
        if !merges.isEmpty { try identities.move(merges, connection) }
        settlement.merges = merges.map {
            Settlement.Merge(loser: $0.loser, winner: $0.winner, at: $0.at)
        }
        learntMerges += settlement.merges
        var created: [UUID: Timestamp] = [:]
        for gone in settlement.gone {
            created[gone.winner] = min(created[gone.winner] ?? gone.createdAt, gone.createdAt)
        }
        let changed = kinship.changed.union(created.keys)
        try identities.write(
            Dictionary(uniqueKeysWithValues: changed.map { ($0, kinship.facts(of: $0)) }), createdBy: created,
            connection)
    }
}
