import Foundations

/// A change in what an activity carries, with the event that showed it first.
package struct DriftEntry: Hashable, Sendable {
    package enum Change: String, Sendable, CaseIterable {
        case activityAppeared = "activity-appeared"
        case appeared
        case vanished
        case cameBack = "came-back"
        /// The name differs from a known one only by case or a letter: did you mean that one?
        case similarName = "similar-name"
        /// From whole numbers to decimals: what read the old ones reads the new ones.
        case widened
        /// From one family of types to another.
        case conflict
        case arrayBecameScalar = "array-became-scalar"
        case scalarBecameArray = "scalar-became-array"
    }

    package let change: Change
    /// Nil for the activity itself.
    package let path: ParameterPath?
    /// The kind that the parameter had, and the one that it has as well now.
    package let from: ValueKind?
    package let to: ValueKind?
    /// The name that was probably meant.
    package let nearest: ParameterPath?
    /// The first event that showed it: for what vanished, the first one without it.
    package let event: EventMark
}

/// Compares what is known of an activity before and after it learnt something.
package enum Drift {
    /// The changes in the order of their events. Before the first event there is nothing (nil).
    package static func entries(before: ActivitySummary?, after: ActivitySummary) -> [DriftEntry] {
        guard before == nil, let first = after.first else { return [] }
        return [
            DriftEntry(
                change: .activityAppeared, path: nil, from: nil, to: nil, nearest: nil, event: first)
        ]
    }
}
