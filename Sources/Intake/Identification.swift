import Foundations
import Identity
import Payload

/// Who a request is from, decided by the contract's table of sessions and profiles.
///
/// Pure: what the cache and the database know comes in as values. A profile that is made is derived from the
/// session's id, so whoever decides later, or elsewhere, arrives at the same.
struct Identification {
    /// What the request says.
    struct Sent {
        /// The session's id; nil: a request without any (`/collect` without one).
        var session: Bytes?
        /// The session's id was made here, for this request: nobody can know it.
        var isNewSession = false
        /// As it was sent, trimmed; empty: none.
        var profile = Bytes.empty
        var isProfileLess = false
        /// The source brings its own profile ids.
        var isFixed = false
    }

    /// What is answered, and why.
    struct Decision: Equatable {
        var profile: UUID?
        var basis: Submission.Basis
        var settled: Bool
    }

    enum Step: Equatable {
        case decided(Decision)
        /// The database has to be asked for the session, for a profile, or for both.
        case ask(session: Bool, profile: UUID?)
    }

    let sent: Sent

    /// What can be said without the database. `cached`: what the cache holds for the session.
    func begin(cached: UUID?, issuer: Issuer) -> Step {
        if sent.isFixed, !sent.profile.isEmpty {
            return .decided(Decision(profile: Issuer.fixed(sent.profile), basis: .fixed, settled: true))
        }
        guard !sent.isProfileLess, let session = sent.session else {
            return .decided(Decision(profile: nil, basis: .none, settled: true))
        }
        if !sent.isNewSession, let cached {
            return .decided(Decision(profile: cached, basis: .session, settled: true))
        }
        if sent.isNewSession, sent.profile.isEmpty {
            let made = issuer.profile(forSession: session)
            return .decided(Decision(profile: made, basis: .derived, settled: true))
        }
        // What is not a uuid can only have come in by a source with static ids, under the uuid made from it.
        return .ask(
            session: !sent.isNewSession, profile: sent.profile.isEmpty ? nil : Issuer.fixed(sent.profile))
    }

    /// The rest, with what the database said (nothing, when it is away).
    func decide(sessionProfile: UUID?, profile: UUID?, settled: Bool, issuer: Issuer) -> Decision {
        if let sessionProfile { return Decision(profile: sessionProfile, basis: .session, settled: settled) }
        if let profile { return Decision(profile: profile, basis: .known, settled: settled) }
        // Issued, but in no row yet: its events may still be in a spool, here or on another server.
        if let id = UUID(sent.profile), issuer.issued(id) {
            return Decision(profile: id, basis: .known, settled: settled)
        }
        let made = sent.session.map { issuer.profile(forSession: $0) }
        return Decision(profile: made, basis: made == nil ? .none : .derived, settled: settled)
    }
}

extension Identification.Sent {
    init(_ found: Examiner.Case) {
        session = found.session
        isNewSession = found.isNewSession
        profile = found.envelope.profile
        isProfileLess = found.isProfileLess
        isFixed = found.source.hasStaticProfiles
    }
}
