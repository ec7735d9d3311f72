import Foundations
import Identity

/// What became of replays, and what is in the quarantine.
package final class ReplayMetrics: Sendable {
    private let outcomes = Locked<[String: Int]>([:])
    private let rows = Locked<[(reason: String, count: Int)]>([])

    /// By outcome: `stored`, `duplicate`, `unsaved`, `ran` (through its journey), or `quarantined` again.
    package var replays: [(outcome: String, count: Int)] {
        outcomes.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
    }

    /// Events in the quarantine by reason, as they were counted last.
    package var quarantine: [(reason: String, count: Int)] { rows.withLock { $0 } }

    func count(_ outcome: Receipt.Outcome) { count(outcome.name) }
    func count(_ outcome: String) { outcomes.withLock { $0[outcome, default: 0] += 1 } }
    func note(_ counts: [(reason: String, count: Int)]) { rows.withLock { $0 = counts } }
}
