import Foundations
import Payload
import Postgres

/// Settles who is who for a batch of requests, inside the loader's transaction.
///
/// Sessions that the cache knows to be stored, fresh and unchanged cost no statement. The others are upserted
/// together, sorted, so that two servers that meet on a session wait for each other and never deadlock; what
/// the row says then decides (`Binding`). What was learnt goes into the cache only after the commit.
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

        let known = try store.resolve(unsettled(claims, groups), connection)
        let stale = groups.indices.filter { !groups[$0].isFresh }
            .sorted { groups[$0].precedes(groups[$1]) }
        for i in stale { fold(&groups[i], row: nil, claims, known) }
        let saved = stale.filter { groups[$0].saves }
        let rows = try store.upsert(saved.map { groups[$0] }, connection)
        for (i, row) in zip(saved, rows) {
            fold(&groups[i], row: row, claims, known)
            groups[i].differs = groups[i].binding.profile != row.profile || groups[i].skew != row.skew
        }
        try store.rebind(saved.filter { groups[$0].differs }.map { groups[$0] }, connection)
        try store.alias(stale.flatMap { i in groups[i].losers }, connection)
        try store.seen(stale.map { groups[$0] }, connection)
        try store.fixed(claims, connection)

        for i in groups.indices { conclude(groups[i], &claims) }
        for i in saved { learn(groups[i]) }
    }

    /// Call after the commit: the cache learns what is stored now.
    package func committed(at now: Timestamp) {
        for (session, entry) in learnt {
            session.withUnsafeBytes { cache.store(session: $0, entry, now: now) }
        }
        learnt.removeAll(keepingCapacity: true)
    }

    /// Call after a rollback.
    package func rolledBack() { learnt.removeAll(keepingCapacity: true) }

    // MARK: Steps

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
            group.binding = Binding(row: entry.profile, derived: UUID(high: 0, low: 0))
        } else {
            group.prepare(issuer)
        }
    }

    private func skew(_ claim: Claim, before: Int64?) -> Int64? {
        claim.sentAt == nil
            ? before : EventClock.skew(sentAt: claim.sentAt, receivedAt: claim.receivedAt, before: before)
    }

    /// Ids whose present meaning must be asked for, because Intake could not.
    private func unsettled(_ claims: [Claim], _ groups: [SessionGroup]) -> [UUID] {
        var ids: Set<UUID> = []
        for group in groups where !group.isFresh {
            for member in group.members where !claims[member].flags.contains(.settled) {
                let claim = claims[member]
                if let sent = UUID(claim.sent), claim.basis != .fixed { ids.insert(sent) }
                if let answered = claim.answered, claim.basis == .known { ids.insert(answered) }
            }
        }
        return ids.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
    }

    /// Takes the requests of a session into account, in their order, beginning with what its row says.
    private func fold(
        _ group: inout SessionGroup, row: IdentityStore.Row?, _ claims: [Claim], _ known: [UUID: UUID]
    ) {
        group.binding = Binding(row: row?.profile, derived: group.derived)
        group.skew = row.map(\.skew) ?? group.skew
        for member in group.members {
            let claim = claims[member]
            if let answered = claim.answered {
                group.binding.take(known[answered] ?? answered, claim.strength(derived: group.derived))
            }
            if claim.basis == .derived, !claim.flags.contains(.settled), let sent = UUID(claim.sent),
                let now = known[sent] ?? (issuer.issued(sent) ? sent : nil)
            {
                group.binding.take(now, .known)
            }
            group.skew = skew(claim, before: group.skew)
        }
    }

    private func conclude(_ group: SessionGroup, _ claims: inout [Claim]) {
        for member in group.members {
            let claim = claims[member]
            switch claim.basis {
            case .none: claims[member].profile = nil
            case .fixed: claims[member].profile = claim.answered
            default: claims[member].profile = group.binding.profile
            }
            claims[member].skew = group.skew ?? 0
            claims[member].sessionSaved = group.saves
            claims[member].contested = group.binding.contested
        }
    }

    private func learn(_ group: SessionGroup) {
        var entry = SessionCache.Entry(profile: group.binding.profile)
        entry.seen = max(group.seenAt.seconds, 1)
        entry.context = group.contextHash
        entry.skew = group.skew
        learnt.append((Array(group.id), entry))
    }
}

/// The requests of one session in a batch.
struct SessionGroup {
    let id: Bytes
    let source: Bytes
    let startedAt: Timestamp
    private(set) var members: [Int]
    private(set) var seenAt: Timestamp
    /// The latest that was sent; empty: nothing to write.
    var context: Bytes
    private(set) var userAgent: Bytes
    /// A row is to be written.
    private(set) var saves: Bool
    /// The row is known to hold all of this already.
    var isFresh = false
    /// The row says something else than what was settled.
    var differs = false
    var binding = Binding(row: nil, derived: UUID(high: 0, low: 0))
    var skew: Int64?
    var contextHash: UInt64 = 0
    private(set) var bucket: Int32 = 0
    private(set) var derived = UUID(high: 0, low: 0)

    init(_ member: Int, _ claim: Claim) {
        id = claim.session
        source = claim.source
        startedAt = claim.receivedAt
        seenAt = claim.receivedAt
        members = [member]
        context = claim.context
        userAgent = claim.userAgent
        saves = claim.flags.contains(.saveSession)
    }

    mutating func add(_ member: Int, _ claim: Claim) {
        members.append(member)
        seenAt = max(seenAt, claim.receivedAt)
        if claim.context.count > 0 { context = claim.context }
        if claim.userAgent.count > 0 { userAgent = claim.userAgent }
        if claim.flags.contains(.saveSession) { saves = true }
    }

    /// What only a group that is written needs.
    mutating func prepare(_ issuer: Issuer) {
        bucket = Identity.bucket(of: id)
        derived = issuer.profile(forSession: id)
    }

    /// The order in which rows are locked.
    func precedes(_ other: SessionGroup) -> Bool {
        bucket != other.bucket ? bucket < other.bucket : id.lexicographicallyPrecedes(other.id)
    }

    /// Losers with the profile that they mean now.
    var losers: [(id: UUID, profile: UUID, at: Timestamp)] {
        guard let profile = binding.profile else { return [] }
        return binding.losers.filter { $0 != profile }.map { ($0, profile, seenAt) }
    }
}
