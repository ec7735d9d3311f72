import Foundations
import Payload
import Postgres

/// Settles who is who for a batch of requests, inside the loader's transaction.
///
/// Sessions that the cache knows to be stored, fresh and unchanged cost no statement. The others are upserted
/// together, sorted, so that two servers that meet on a session wait for each other and never deadlock; what
/// the row says then decides (`Binding`). Identities that the cache does not know are taken next, in the same way.
/// Then the profiles are locked, winners and losers together, and only then ids become aliases (`Kinship`): so no
/// id becomes an alias while another transaction binds a session to it. What was learnt goes into the caches only
/// after the commit.
package final class Settler {
    private let cache: SessionCache
    let issuer: Issuer
    let store = IdentityStore()
    private let contextHash = SipHash()
    private var learnt: [(session: [UInt8], entry: SessionCache.Entry)] = []
    var learntOwners: [(key: Kinship.Key, owner: UUID)] = []
    var learntMerges: [Settlement.Merge] = []
    private var owners = IdentityCache()
    private let metrics: IdentityMetrics
    var counted = Tally()

    /// What is looked for in events; may be replaced between two batches.
    package var rules: IdentityRules {
        didSet { owners = IdentityCache() }
    }

    /// The most merges in one transaction; more are refused with `tooMany`, to be tried in smaller parts.
    package var mostMerges = Int.max
    /// Of the error that says so: a class of our own.
    package static let tooMany = "WM001"

    /// `last_seen_at` is written when it would be this much newer.
    private static let freshness: Int64 = 30

    package init(
        cache: SessionCache, issuer: Issuer, rules: IdentityRules = .none,
        metrics: IdentityMetrics = IdentityMetrics()
    ) {
        self.cache = cache
        self.issuer = issuer
        self.rules = rules
        self.metrics = metrics
    }

    /// Writes sessions, identities, aliases and profiles, and fills in the settled part of each claim. `signs`:
    /// what the events say, in their order; `repeats`: which of these events came before, under the same ids.
    @discardableResult
    package func settle(
        _ claims: inout [Claim], _ signs: [Sign] = [], _ connection: Connection,
        repeats: ([Int]) throws(PostgresError) -> Set<Int> = { _ in [] }
    ) throws(PostgresError) -> Settlement {
        var groups = grouped(claims)
        var settlement = Settlement()
        var plan = SignPlan(signs, claims, groups, sessions: cache, owners: owners, into: &settlement)
        plan.forget(try repeats(plan.open.map(\.event)))
        for i in groups.indices {
            takeFromCache(&groups[i], claims, mayBeFresh: !plan.groups.contains(i))
        }
        plan.touch(groups, claims)
        let stale = groups.indices.filter { !groups[$0].isFresh }
            .sorted { groups[$0].precedes(groups[$1]) }
        if !stale.isEmpty || !plan.isEmpty {
            try settle(stale, plan, &groups, claims, &settlement, connection)
        }
        for group in groups { conclude(group, &claims) }
        try store.fixed(claims, connection)
        try store.fix(claims, connection)
        for i in stale { learn(groups[i]) }
        return settlement
    }

    /// Call after the commit: the caches learn what is stored now.
    package func committed(at now: Timestamp) {
        for (session, entry) in learnt {
            session.withUnsafeBytes {
                if entry.seen > 0 {
                    cache.store(session: $0, entry, now: now)
                } else {
                    cache.remember(session: $0, skew: entry.skew, now: now)
                }
            }
        }
        for (key, owner) in learntOwners { owners.store(key, owner) }
        if !learntMerges.isEmpty {
            cache.redirect(Dictionary(learntMerges.map { ($0.loser, $0.winner) }) { $1 })
        }
        counted.add(to: metrics, merges: learntMerges.count)
        rolledBack(to: Mark())
    }

    /// How much was learnt since the last commit.
    package struct Mark {
        var sessions = 0
        var owners = 0
        var merges = 0
        var tally = Tally()
        package init() {}
    }

    package var mark: Mark {
        var mark = Mark()
        mark.sessions = learnt.count
        mark.owners = learntOwners.count
        mark.merges = learntMerges.count
        mark.tally = counted
        return mark
    }

    /// Call after a rollback: what was learnt since that mark is not so.
    package func rolledBack(to mark: Mark) {
        learnt.removeSubrange(mark.sessions...)
        learntOwners.removeSubrange(mark.owners...)
        learntMerges.removeSubrange(mark.merges...)
        counted = mark.tally
    }

    /// What became of identities, counted with the commit.
    struct Tally {
        var known = 0
        var rebinds = 0
        var conflicts = 0

        func add(to metrics: IdentityMetrics, merges: Int) {
            metrics.known.add(known)
            metrics.rebinds.add(rebinds)
            metrics.conflicts.add(conflicts)
            metrics.merges.add(merges)
        }
    }

    // MARK: Steps

    private func settle(
        _ stale: [Int], _ plan: SignPlan, _ groups: inout [SessionGroup], _ claims: [Claim],
        _ settlement: inout Settlement, _ connection: Connection
    ) throws(PostgresError) {
        var known = try store.resolve(
            mentioned(stale, groups, claims).union(plan.profiles(claims)).sorted(), connection)
        for i in stale { fold(&groups[i], row: nil, claims, known) }
        let rows = try rows(stale, groups, connection)
        let strangers = stale.compactMap { i in
            rows[i]?.profile.flatMap { groups[i].expects($0) ? nil : $0 }
        }
        known.merge(try store.resolve(Array(Set(strangers)), connection)) { _, new in new }
        for i in groups.indices where groups[i].isFresh {
            groups[i].profile = groups[i].profile.map { known[$0] ?? $0 }
        }
        for i in stale { if let row = rows[i] { fold(&groups[i], row: row, claims, known) } }

        let identities = IdentityRows(kinds: rules.kinds)
        let taken = try identities.take(
            plan.wanted(groups, claims, known), at: plan.latest(claims), connection)
        var times = seen(stale, groups, claims, known)
        plan.note(&times, groups, claims, known, owners: taken.compactMap(\.owner))
        try store.seen(times, connection)
        try store.verify(Set(times.keys), connection)

        var kinship = try kinship(stale, plan, groups, claims, known, taken, identities, connection)
        let before = groups.map(\.profile)
        for i in stale { settleLosers(groups[i], &kinship) }
        show(plan, &groups, claims, known, &kinship, &settlement)
        try write(kinship, taken, identities, &settlement, connection)

        for i in groups.indices { groups[i].profile = groups[i].profile.map(kinship.now) }
        for i in stale { groups[i].settleFixed(claims) { kinship.now(known[$0] ?? $0) } }
        for (claim, group) in plan.groupOf.enumerated() where settlement.turns[claim] != nil {
            settlement.before[claim] = group.flatMap { before[$0] }.map(kinship.now)
        }
        let differing = stale.filter { i in
            guard groups[i].saves, let row = rows[i] else { return false }
            return row.profile != groups[i].profile || row.skew != groups[i].skew
        }
        try store.rebind(differing.map { groups[$0] }, connection)
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
    private func takeFromCache(_ group: inout SessionGroup, _ claims: [Claim], mayBeFresh: Bool) {
        group.contextHash = group.context.count > 0 ? contextHash.hash(group.context) : 0
        let known = cache.entry(ofSession: group.id)
        group.skew = known?.skew
        guard let entry = known, entry.seen != 0 else { return group.prepare(issuer) }
        if group.contextHash == 0 || group.contextHash == entry.context {
            group.contextHash = entry.context
            group.context = .empty
        }
        let unchanged = group.members.allSatisfy { member in
            let claim = claims[member]
            guard claim.answered == entry.profile || claim.basis == .none else { return false }
            if claim.basis == .derived, claim.sent.count > 0, !claim.flags.contains(.settled) { return false }
            return claim.sentAt == nil || skew(claim, group) == entry.skew
        }
        let fresh = group.seenAt.seconds - entry.seen < Self.freshness
        if mayBeFresh, unchanged, fresh, group.context.count == 0 || !group.saves {
            group.isFresh = true
            group.profile = entry.profile
        } else {
            group.prepare(issuer)
        }
    }

    /// What another server cannot know, since it is not written down, must be large to be believed: else the way that a
    /// request took here would put a device's events into another order than they have there.
    private func skew(_ claim: Claim, _ group: SessionGroup) -> Int64? {
        guard claim.sentAt != nil else { return group.skew }
        let before = group.skew ?? (group.saves ? nil : 0)
        return EventClock.skew(sentAt: claim.sentAt, receivedAt: claim.receivedAt, before: before)
    }

    /// Ids whose present meaning must be asked for: those that were known when they were answered may be aliases
    /// by now, and what was sent while the database was away was not looked at.
    private func mentioned(_ stale: [Int], _ groups: [SessionGroup], _ claims: [Claim]) -> Set<UUID> {
        var ids: Set<UUID> = []
        for i in stale {
            // The session's own profile may have been merged by what other sessions showed.
            ids.insert(groups[i].derived)
            for member in groups[i].members {
                let claim = claims[member]
                switch claim.basis {
                case .none: break
                case .fixed, .known, .session:
                    if let answered = claim.answered { ids.insert(answered) }
                case .derived:
                    if let sent = unsettled(claim) { ids.insert(sent) }
                }
            }
        }
        return ids
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
            group.skew = skew(claim, group)
        }
        group.profile = group.binding.profile
    }

    /// When each profile was seen: those of the sessions, those that are fixed, and those that are to become
    /// aliases, which must be locked as well.
    private func seen(
        _ stale: [Int], _ groups: [SessionGroup], _ claims: [Claim], _ known: [UUID: UUID]
    ) -> [UUID: IdentityStore.Seen] {
        var times: [UUID: IdentityStore.Seen] = [:]
        func note(_ id: UUID?, _ first: Timestamp, _ last: Timestamp) {
            guard let id else { return }
            times[id, default: IdentityStore.Seen(first: first, last: last)].extend(first, last)
        }
        for group in stale.map({ groups[$0] }) {
            note(group.profile, group.startedAt, group.seenAt)
            for loser in group.binding.losers { note(loser, group.seenAt, group.seenAt) }
            for member in group.members where claims[member].basis == .fixed {
                let profile = claims[member].answered.map { known[$0] ?? $0 }
                note(profile, claims[member].receivedAt, claims[member].receivedAt)
            }
        }
        return times
    }

    private func conclude(_ group: SessionGroup, _ claims: inout [Claim]) {
        for member in group.members {
            let claim = claims[member]
            switch claim.basis {
            case .none: claims[member].profile = nil
            case .fixed: claims[member].profile = claim.answered.map { group.fixed[$0] ?? $0 }
            default: claims[member].profile = group.profile
            }
            claims[member].skew = group.skew ?? 0
            claims[member].sessionSaved = group.saves
            claims[member].sessionLocked = group.saves && !group.isFresh
            claims[member].contested = group.binding.contested
        }
    }

    /// Of a session without a row only the first correction is kept, so that it holds.
    private func learn(_ group: SessionGroup) {
        guard group.saves || group.skew != nil else { return }
        var entry = SessionCache.Entry(profile: group.profile)
        entry.seen = group.saves ? max(group.seenAt.seconds, 1) : 0
        entry.context = group.contextHash
        entry.skew = group.skew
        learnt.append((Array(group.id), entry))
    }
}
