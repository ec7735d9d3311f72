import Foundations
import Postgres

/// What the sender wants from the database at one time: all of it is few statements, however much it is.
struct Errand: Sendable {
    struct Transition: Sendable {
        let webhook: String
        let state: WebhookStatus.State
        let reason: String?
    }

    enum Batch: Sendable {
        /// Deliveries that shall become one.
        case new([Claimed])
        /// One that was stored before its first attempt.
        case stored(Claimed)

        var webhook: String {
            switch self {
            case .new(let claims): claims.first?.webhook ?? ""
            case .stored(let claim): claim.webhook
            }
        }
    }

    /// Claimed and not sent: somebody else may have them.
    var giveBack: [Claimed] = []
    var results: [AttemptResult] = []
    var transitions: [Transition] = []
    var batches: [Batch] = []
    /// What each of them takes on its way.
    var places: [Int] = []
    /// How many deliveries each webhook has room for, and until when they are ours.
    var rooms: [(webhook: String, room: Int)] = []
    var leaseUntil = Timestamp(seconds: 0)
    /// Whether to take along what other servers leave lying.
    var takesStrays = false
    /// Paused webhooks for which it is time to ask whether they work again.
    var probes: [String] = []
    /// Paused webhooks with a probe to send: if nothing of theirs is due, what is next.
    var early: [String] = []
    var tallies: [(name: String, tally: Lane.Tally)] = []
    /// When the webhooks that we know were applied; nil: they are not read this time.
    var known: [String: Timestamp]?
    var beats = false
    var share = Claim.Share()
    var now: Timestamp

    init(now: Timestamp) { self.now = now }

    var isEmpty: Bool {
        giveBack.isEmpty && results.isEmpty && transitions.isEmpty && batches.isEmpty && rooms.isEmpty
            && probes.isEmpty && tallies.isEmpty && known == nil && !beats
    }

    /// What came of it. After an error what was done until then stands, and the rest was not begun.
    struct Outcome: Sendable {
        struct Status: Sendable {
            let name: String
            let state: WebhookStatus.State
            let appliedAt: Timestamp
            let failingSince: Timestamp?
            let probeAt: Timestamp?
            let changedAt: Timestamp
            /// JSON text, if we did not have it.
            var applied: String?
        }

        var isRecorded = false
        var claimed: [Claimed]?
        /// Probes that are ours.
        var probes: [String] = []
        /// For each of the wanted batches; nil: it is somebody else's by now.
        var batches: [(claim: Claimed, body: [UInt8])?] = []
        /// Of the transitions those that were made, and whether the webhook was in another state before.
        var transitions: [Bool] = []
        var areTalliesWritten = false
        var statuses: [Status]?
        var share: Claim.Share?
        var error: PostgresError?
    }
}
