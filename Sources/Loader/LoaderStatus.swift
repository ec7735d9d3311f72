import Enrolments
import Foundations
import Identity

/// How the loader is, for `/readyz` and `/metrics`.
package struct LoaderStatus: Sendable {
    package var isConnected = false
    /// Why it does not load; nil while it does.
    package var fault: String?
    /// The first line of the ledger that does not add up.
    package var ledgerMismatch: String?

    package init() {}
}

/// What the loader counts.
package final class LoaderMetrics: Sendable {
    package let stored = Counter()
    package let duplicate = Counter()
    package let denied = Counter()
    package let quarantined = Counter()
    package let unsaved = Counter()
    package let batches = Counter()
    package let databaseErrors = Counter()
    package let poison = Counter()
    package let enrolled = Counter()
    package let deliveries = Counter()
    /// Timers of journeys that were decided.
    package let timers = Counter()
    /// How often PostgreSQL refused what a journey made of an event.
    package let journeyFaults = Counter()
    /// Events that went by a journey since too much waited for a timer's decision.
    package let passedBy = Counter()
    /// Goals that were reached, and evidence that was told after the decision.
    package let goals = Counter()
    package let disprovedLate = Counter()
    /// `session.start` events, and `session.end` events, that were written.
    package let sessionsStarted = Counter()
    package let sessionsEnded = Counter()
    /// Sessions whose user agent is a program's.
    package let bots = Counter()
    /// From the arrival of a request to the commit of its events.
    package let toCommit = Histogram()
    package let replays = ReplayMetrics()

    package init() {}

    func count(_ started: VisitWriter.Started) {
        sessionsStarted.add(started.visits)
        bots.add(started.bots)
    }

    func count(_ outcome: JourneyStep.Outcome) {
        enrolled.add(outcome.enrolled)
        deliveries.add(outcome.deliveries)
        journeyFaults.add(outcome.faults)
        passedBy.add(outcome.passedBy)
        goals.add(outcome.goals)
        disprovedLate.add(outcome.disprovedLate)
    }

    func count(_ outcome: Receipt.Outcome) {
        switch outcome {
        case .stored: stored.add()
        case .duplicate: duplicate.add()
        case .denied: denied.add()
        case .quarantined: quarantined.add()
        case .unsaved: unsaved.add()
        }
    }
}
