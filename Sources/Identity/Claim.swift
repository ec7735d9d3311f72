import Foundations
import Payload

/// What one request says about who it is, and, once settled, who it is.
///
/// The slices must stay valid until it is settled and committed.
package struct Claim {
    package var session: Bytes
    package var source: Bytes
    /// The profile that was answered; nil: none.
    package var answered: UUID?
    package var basis: Submission.Basis
    /// The profile's id as the client sent it, trimmed.
    package var sent: Bytes
    package var flags: Submission.Flags
    package var receivedAt: Timestamp
    package var sentAt: Timestamp?
    /// JSON text; empty: the request had none.
    package var context: Bytes
    package var userAgent: Bytes

    /// Settled: the profile under which the request's events stand.
    package internal(set) var profile: UUID?
    /// Settled: what to add to the client's times, in microseconds.
    package internal(set) var skew: Int64 = 0
    /// Settled: the session's row is (or was already) written.
    package internal(set) var sessionSaved = false
    /// Settled: the session's row is locked by the transaction.
    package internal(set) var sessionLocked = false
    /// Settled: the session belongs to another known profile than the one that was answered.
    package internal(set) var contested = false

    package init(_ submission: SubmissionView, receivedAt: Timestamp) {
        session = submission.session
        source = submission.source
        answered = submission.profile
        basis = submission.basis
        sent = submission.sentProfile
        flags = submission.flags
        self.receivedAt = receivedAt
        sentAt = submission.sentAt
        context = submission.context
        userAgent = submission.userAgent
    }

    /// What somebody outside said: that there is this profile, of no session.
    init(outside profile: UUID, receivedAt: Timestamp) {
        (session, source, sent, context, userAgent) = (.empty, .empty, .empty, .empty, .empty)
        (answered, basis, flags, sentAt) = (profile, .known, [], nil)
        self.receivedAt = receivedAt
    }

    /// Forgets what was settled, before another try.
    package mutating func unsettle() {
        profile = nil
        skew = 0
        sessionSaved = false
        sessionLocked = false
        contested = false
    }

    /// How much the answer weighs against others for the same session. `derived` is the session's own id.
    func strength(derived: UUID) -> Binding.Strength {
        switch basis {
        case .none: .none
        case .fixed: .fixed
        case .derived: .derived
        case .known, .session: answered == derived ? .derived : .known
        }
    }
}

/// Bytes as the key of a dictionary; whoever uses it keeps them alive.
struct BytesKey: Hashable {
    let bytes: Bytes

    static func == (a: Self, b: Self) -> Bool { a.bytes.equals(b.bytes) }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
}
