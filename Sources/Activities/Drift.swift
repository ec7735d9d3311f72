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
///
/// What changed follows from what is kept of the events, not from when it was looked at: a parameter appeared if
/// its first event isn't the activity's, a type was added if its first event is later than another type's. So
/// it does not matter in how many portions events were learnt, except for what vanished and came back again
/// between two looks.
package enum Drift {
    /// The changes in the order of their events. Before the first event there is nothing (nil).
    package static func entries(before: ActivitySummary?, after: ActivitySummary) -> [DriftEntry] {
        guard let first = after.first else { return [] }
        var entries: [DriftEntry] = []
        let isNew = before.map { $0.count == 0 } ?? true
        if isNew { entries.append(DriftEntry(.activityAppeared, nil, first)) }
        guard isNew || before.map({ mayHaveChanged($0, after) }) ?? true else { return [] }
        let known = before.map {
            Dictionary(ParameterTree($0).all.map { ($0.path, $0) }) { one, _ in one }
        }
        for place in ParameterTree(after).all {
            let old = known?[place.path]?.node
            if old == nil, let appeared = Appearance.entry(for: place, in: after, known ?? [:]) {
                entries.append(appeared)
            }
            entries += TypeChange.entries(for: place, old)
            entries += Absence.entries(for: place, old, before, after)
        }
        return entries.sorted { $0.precedes($1) }
    }

    /// A look at what is cheap to compare: mostly nothing has changed.
    private static func mayHaveChanged(_ before: ActivitySummary, _ after: ActivitySummary) -> Bool {
        after.paths.nodes.contains { node in
            let index = before.paths.index(of: node.hash)
            guard index >= 0 else { return true }
            if node.kinds.count != before.paths.nodes[index].kinds.count || node.vanished != nil {
                return true
            }
            let mask = node.mask(at: after.recent.moves, after.limits)
            guard (mask.latest ?? after.recent.count) >= after.limits.missing else { return false }
            // What has been out of the latest events for long was entered then, or never will be.
            return !mask.isEmpty
                || !before.paths.nodes[index].mask(at: before.recent.moves, before.limits).isEmpty
        }
    }
}

extension DriftEntry {
    init(
        _ change: Change, _ path: ParameterPath?, _ event: EventMark, from: ValueKind? = nil,
        to: ValueKind? = nil,
        nearest: ParameterPath? = nil
    ) {
        self.init(change: change, path: path, from: from, to: to, nearest: nearest, event: event)
    }

    fileprivate func precedes(_ other: DriftEntry) -> Bool {
        if event.key != other.event.key { return event.key < other.event.key }
        switch (path, other.path) {
        case (nil, nil): break
        case (nil, _): return true
        case (_, nil): return false
        case (let mine?, let theirs?): if mine != theirs { return mine < theirs }
        }
        return (change.rawValue, to?.rawValue ?? 0) < (other.change.rawValue, other.to?.rawValue ?? 0)
    }
}

/// A path with what is around it.
struct PathPlace {
    let path: ParameterPath
    let node: PathNode
    /// Nil at the top.
    let parent: PathNode?
    let siblings: [PathNode]
}

extension ParameterTree {
    /// All paths, parents before their children.
    var all: [PathPlace] {
        var list: [PathPlace] = []
        collect([], &list)
        return list
    }

    private func collect(_ segments: [ParameterPath.Segment], _ list: inout [PathPlace]) {
        let siblings = children.compactMap(\.node)
        for child in children {
            guard let own = child.node else { continue }
            let path = segments + [own.segment]
            list.append(PathPlace(path: ParameterPath(path), node: own, parent: node, siblings: siblings))
            child.collect(path, &list)
        }
    }
}
