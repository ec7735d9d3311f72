import Foundations
import Journeys
import Webhooks

extension JourneyStep {
    /// What became of a range of events; counts only once it is committed.
    package struct Outcome {
        /// Webhooks with something to send.
        package var webhooks: Set<String> = []
        package var deliveries = 0
        package var enrolled = 0
        /// How often the database refused what a journey made of an event.
        package var faults = 0
        /// Events that went by a journey since too much waited for a timer's decision.
        package var passedBy = 0
        /// Goals that were reached.
        package var goals = 0
        /// Evidence that was told after the decision.
        package var disprovedLate = 0
        /// Timers that were still set, and are decided.
        package var timers = 0
        /// What the steps of this transaction's events are counted from; nil: none was stepped.
        package private(set) var base: Int64?
        /// By the place of the event.
        package private(set) var numbers: [Int: Int64] = [:]
        package var warnings: [DeliveryQueue.Warning] = []
        /// Of an attempt.
        var withheld: [Kept] = []

        package init() {}

        package mutating func add(_ other: Outcome) {
            webhooks.formUnion(other.webhooks)
            deliveries += other.deliveries
            enrolled += other.enrolled
            faults += other.faults
            passedBy += other.passedBy
            goals += other.goals
            disprovedLate += other.disprovedLate
            timers += other.timers
            warnings += other.warnings
            base = other.base ?? base
            numbers.merge(other.numbers) { $1 }
        }

        /// Takes the number of an event's step; of one that nobody stepped, what it would have been.
        package func number(_ place: Int) -> Int64? {
            numbers[place] ?? base.map { JourneyStep.number(place, from: $0) }
        }

        /// Nobody was stepped: what all are counted from.
        package mutating func number(_ base: Int64) { self.base = base }

        mutating func count(_ decision: Decision) {
            switch decision.kind {
            case .passedBy: passedBy += 1
            case .goal: goals += 1
            case .disprovedLate: disprovedLate += 1
            default: break
            }
        }

        mutating func number(_ steps: [Step], from base: Int64) {
            self.base = base
            for case let place? in steps.lazy.map(\.place) {
                numbers[place] = JourneyStep.number(place, from: base)
            }
        }
    }
}
