import Foundations
import Payload

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
    /// Settled: the profile under which the session's events stand.
    var profile: UUID?
    var binding = Binding(row: nil, derived: UUID(high: 0, low: 0))
    var skew: Int64?
    var contextHash: UInt64 = 0
    /// What sources' own ids mean that were merged into other profiles before.
    private(set) var fixed: [UUID: UUID] = [:]
    private(set) var bucket: Int32 = 0
    private(set) var derived = UUID(high: 0, low: 0)
    /// Intake made it already.
    private var answeredDerived: UUID?

    init(_ member: Int, _ claim: Claim) {
        id = claim.session
        source = claim.source
        startedAt = claim.receivedAt
        seenAt = claim.receivedAt
        members = [member]
        context = claim.context
        userAgent = claim.userAgent
        saves = claim.flags.contains(.saveSession)
        take(claim)
    }

    mutating func add(_ member: Int, _ claim: Claim) {
        members.append(member)
        seenAt = max(seenAt, claim.receivedAt)
        if claim.context.count > 0 { context = claim.context }
        if claim.userAgent.count > 0 { userAgent = claim.userAgent }
        if claim.flags.contains(.saveSession) { saves = true }
        take(claim)
    }

    /// What only a group that is written needs.
    mutating func prepare(_ issuer: Issuer) {
        bucket = Identity.bucket(of: id)
        derived = answeredDerived ?? issuer.profile(forSession: id)
    }

    mutating func settleFixed(_ claims: [Claim], _ now: (UUID) -> UUID) {
        for member in members where claims[member].basis == .fixed {
            guard let id = claims[member].answered, now(id) != id else { continue }
            fixed[id] = now(id)
        }
    }

    /// Is the profile the one that is made from this session's id?
    var isDerived: Bool { profile == derived }

    /// Whether a row's profile needs no look at the aliases any more: nobody but the holder of this session's row
    /// makes an alias of the derived one, and what was folded already was looked at.
    func expects(_ row: UUID) -> Bool { row == derived || row == profile }

    private mutating func take(_ claim: Claim) {
        if claim.basis == .derived { answeredDerived = claim.answered }
    }

    /// The order in which rows are locked.
    func precedes(_ other: SessionGroup) -> Bool {
        bucket != other.bucket ? bucket < other.bucket : id.lexicographicallyPrecedes(other.id)
    }
}
