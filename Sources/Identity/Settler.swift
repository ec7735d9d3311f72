import Foundations
import Payload
import Postgres

/// Settles who is who for a batch of requests, inside the loader's transaction.
///
/// Sessions that the cache knows to be stored, fresh and unchanged cost no statement. The others are upserted
/// together, sorted, so that two servers that meet on a session wait for each other and never deadlock; what
/// the row says then decides (`Binding`). Then the profiles are locked, winners and losers together, and only
/// then ids become aliases: so no id becomes an alias while another transaction binds a session to it, and
/// aliases never form chains. What was learnt goes into the cache only after the commit.
package final class Settler {
    private let cache: SessionCache
    private let issuer: Issuer
    private let store = IdentityStore()
    private let contextHash = SipHash()
    private var learnt: [(session: [UInt8], entry: SessionCache.Entry)] = []

    /// `last_seen_at` is written when it would be this much newer.
    private static let freshness: Int64 = 30

    package init(cache: SessionCache, issuer: Issuer) {
        self.cache = cache
        self.issuer = issuer
    }

    /// Writes sessions, aliases, profiles and identities, and fills in the settled part of each claim.
    package func settle(_ claims: inout [Claim], _ connection: Connection) throws(PostgresError) {
        var groups = grouped(claims)
        for i in groups.indices { takeFromCache(&groups[i], claims) }
        let stale = groups.indices.filter { !groups[$0].isFresh }
            .sorted { groups[$0].precedes(groups[$1]) }
        if !stale.isEmpty { try settle(stale, &groups, claims, connection) }
        try store.fixed(claims, connection)
        for group in groups { conclude(group, &claims) }
        for i in stale where groups[i].saves { learn(groups[i]) }
    }

    /// Call after the commit: the cache learns what is stored now.
    package func committed(at now: Timestamp) {
        for (session, entry) in learnt {
            session.withUnsafeBytes { cache.store(session: $0, entry, now: now) }
        }
        learnt.removeAll(keepingCapacity: true)
    }

    /// How much was learnt since the last commit.
    package var mark: Int { learnt.count }

    /// Call after a rollback: what was learnt since that mark is not so. 0: all of it.
    package func rolledBack(to mark: Int) { learnt.removeSubrange(mark...) }

    // MARK: Steps

    private func settle(
        _ stale: [Int], _ groups: inout [SessionGroup], _ claims: [Claim], _ connection: Connection
    ) throws(PostgresError) {
        var known = try store.resolve(mentioned(stale, groups, claims), connection)
        for i in stale { fold(&groups[i], row: nil, claims, known) }
        let rows = try rows(stale, groups, connection)
        let strangers = stale.compactMap { i in rows[i]?.profile.flatMap { groups[i].expects($0) ? nil : $0 }
        }
        known.merge(try store.resolve(Array(Set(strangers)), connection)) { _, new in new }
        for i in stale { if let row = rows[i] { fold(&groups[i], row: row, claims, known) } }

        var merges = Merges()
        for i in stale {
            guard let winner = groups[i].profile else { continue }
            for loser in groups[i].binding.losers { merges.merge(loser, into: winner, at: groups[i].seenAt) }
        }
        for i in stale { groups[i].profile = groups[i].profile.map(merges.target(of:)) }

        try store.seen(seen(stale, groups, claims, merges), connection)
        let certain = stale.filter { groups[$0].binding.strength != .fixed && !groups[$0].isDerived }
        try store.verify(Set(certain.compactMap { groups[$0].profile }), connection)
        let differing = stale.filter { i in
            guard groups[i].saves, let row = rows[i] else { return false }
            return row.profile != groups[i].profile || row.skew != groups[i].skew
        }
        try store.rebind(differing.map { groups[$0] }, connection)
        try store.alias(merges.all, connection)
    }

    private func grouped(_ claims: [Claim]) -> [SessionGroup] {
        var groups: [SessionGroup] = []
        var index: [BytesKey: Int] = [:]
        for (i, claim) in claims.enumerated() where claim.session.count > 0 {
            if let known = index[BytesKey(bytes: claim.session)] {
                groups[known].add(i, claim)
            } else {
                index[BytesKey(bytes: claim.session)] = groups.count
                groups.append(SessionGroup(i, claim))
            }
        }
        return groups
    }

    /// Nothing to write if the cache knows the row, and nothing new was said.
    private func takeFromCache(_ group: inout SessionGroup, _ claims: [Claim]) {
        group.contextHash = group.context.count > 0 ? contextHash.hash(group.context) : 0
        guard let entry = cache.entry(ofSession: group.id), entry.seen != 0 else {
            return group.prepare(issuer)
        }
        if group.contextHash == 0 || group.contextHash == entry.context {
            group.contextHash = entry.context
            group.context = .empty
        }
        group.skew = entry.skew
        let unchanged = group.members.allSatisfy { member in
            let claim = claims[member]
            guard claim.answered == entry.profile || claim.basis == .none else { return false }
            if claim.basis == .derived, claim.sent.count > 0, !claim.flags.contains(.settled) { return false }
            return claim.sentAt == nil || skew(claim, before: entry.skew) == entry.skew
        }
        let fresh = group.seenAt.seconds - entry.seen < Self.freshness
        if unchanged, fresh, group.context.count == 0 || !group.saves {
            group.isFresh = true
            group.profile = entry.profile
        } else {
            group.prepare(issuer)
        }
    }

    private func skew(_ claim: Claim, before: Int64?) -> Int64? {
        claim.sentAt == nil
            ? before : EventClock.skew(sentAt: claim.sentAt, receivedAt: claim.receivedAt, before: before)
    }

    /// Ids whose present meaning must be asked for: those that were known when they were answered may be aliases
    /// by now, and what was sent while the database was away was not looked at.
    private func mentioned(_ stale: [Int], _ groups: [SessionGroup], _ claims: [Claim]) -> [UUID] {
        var ids: Set<UUID> = []
        for i in stale {
            for member in groups[i].members {
                let claim = claims[member]
                switch claim.basis {
                case .none, .fixed: break
                case .known, .session:
                    if let answered = claim.answered, answered != groups[i].derived { ids.insert(answered) }
                case .derived:
                    if let sent = unsettled(claim) { ids.insert(sent) }
                }
            }
        }
        return Array(ids)
    }

    /// The profile's id that a client sent while nobody could say whether it is known. What is no UUID can only
    /// be known from a source with static ids.
    private func unsettled(_ claim: Claim) -> UUID? {
        guard claim.basis == .derived, !claim.flags.contains(.settled), claim.sent.count > 0 else {
            return nil
        }
        return Issuer.fixed(claim.sent)
    }

    /// The rows of the sessions: those to be saved are written first, and locked with it.
    private func rows(
        _ stale: [Int], _ groups: [SessionGroup], _ connection: Connection
    ) throws(PostgresError) -> [Int: IdentityStore.Row] {
        let saved = stale.filter { groups[$0].saves }
        let others = stale.filter { !groups[$0].saves }
        let written = try store.upsert(saved.map { groups[$0] }, connection)
        let found = try store.read(others.map { groups[$0] }, connection)
        var rows = Dictionary(minimumCapacity: stale.count) as [Int: IdentityStore.Row]
        for (i, row) in zip(saved, written) { rows[i] = row }
        for (i, row) in zip(others, found) { rows[i] = row }
        return rows
    }

    /// Takes the requests of a session into account, in their order, beginning with what its row says.
    private func fold(
        _ group: inout SessionGroup, row: IdentityStore.Row?, _ claims: [Claim], _ known: [UUID: UUID]
    ) {
        group.binding = Binding(row: row?.profile.map { known[$0] ?? $0 }, derived: group.derived)
        group.skew = row.map(\.skew) ?? group.skew
        for member in group.members {
            let claim = claims[member]
            if let answered = claim.answered {
                group.binding.take(known[answered] ?? answered, claim.strength(derived: group.derived))
            }
            if let sent = unsettled(claim), let now = known[sent] ?? (issuer.issued(sent) ? sent : nil) {
                group.binding.take(now, now == group.derived ? .derived : .known)
            }
            group.skew = skew(claim, before: group.skew)
        }
        group.profile = group.binding.profile
    }

    /// When each profile was seen: those of the sessions, those that are fixed, and those that are to become
    /// aliases, which must be locked as well.
    private func seen(
        _ stale: [Int], _ groups: [SessionGroup], _ claims: [Claim], _ merges: Merges
    ) -> [UUID: IdentityStore.Seen] {
        var times: [UUID: IdentityStore.Seen] = [:]
        func note(_ id: UUID?, _ first: Timestamp, _ last: Timestamp) {
            guard let id else { return }
            times[id, default: IdentityStore.Seen(first: first, last: last)].extend(first, last)
        }
        for group in stale.map({ groups[$0] }) {
            note(group.profile, group.startedAt, group.seenAt)
            for member in group.members where claims[member].basis == .fixed {
                note(claims[member].answered, claims[member].receivedAt, claims[member].receivedAt)
            }
        }
        for merge in merges.all { note(merge.loser, merge.at, merge.at) }
        return times
    }

    private func conclude(_ group: SessionGroup, _ claims: inout [Claim]) {
        for member in group.members {
            let claim = claims[member]
            switch claim.basis {
            case .none: claims[member].profile = nil
            case .fixed: claims[member].profile = claim.answered
            default: claims[member].profile = group.profile
            }
            claims[member].skew = group.skew ?? 0
            claims[member].sessionSaved = group.saves
            claims[member].sessionLocked = group.saves && !group.isFresh
            claims[member].contested = group.binding.contested
        }
    }

    private func learn(_ group: SessionGroup) {
        var entry = SessionCache.Entry(profile: group.profile)
        entry.seen = max(group.seenAt.seconds, 1)
        entry.context = group.contextHash
        entry.skew = group.skew
        learnt.append((Array(group.id), entry))
    }
}
