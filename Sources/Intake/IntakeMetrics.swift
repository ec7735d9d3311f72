import Foundations

/// What Intake counts; read by whoever prints the metrics.
package final class IntakeMetrics: Sendable {
    package let received = Counter()
    package let stored = Counter()
    package let unsaved = Counter()
    package let denied = Counter()
    package let quarantined = Counter()
    /// Answers that were given from the certificate, since the database was away or too slow.
    package let unsettled = Counter()
    /// Answers that waited for the database in vain, and went out as `pending`.
    package let pending = Counter()
    /// Bytes of requests that wait for the disk or for a look-up.
    package let inFlight = Gauge()
    private let refusals = Refusal.codes.map { (code: $0, counter: Counter()) }

    package init() {}

    func count(_ verdicts: Verdicts) {
        if verdicts.received > 0 { received.add(verdicts.received) }
        if verdicts.stored > 0 { stored.add(verdicts.stored) }
        if verdicts.unsaved > 0 { unsaved.add(verdicts.unsaved) }
        if verdicts.denied > 0 { denied.add(verdicts.denied) }
        if verdicts.quarantined > 0 { quarantined.add(verdicts.quarantined) }
    }

    func count(_ refusal: Refusal) { refusals[refusal.number].counter.add() }

    /// Requests that were refused, by the code of the answer; those that never occurred are left out.
    package var refused: [(code: StaticString, count: Int)] {
        refusals.compactMap { $0.counter.total > 0 ? ($0.code, $0.counter.total) : nil }
    }
}
