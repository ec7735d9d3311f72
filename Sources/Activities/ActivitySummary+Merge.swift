import Foundations

/// Two summaries as one.
extension ActivitySummary {
    /// Adds what another summary, of other events, knows. Both must have been made under the same limits.
    package mutating func merge(_ other: ActivitySummary) {
        precondition(limits == other.limits, "summaries under different limits")
        guard other.count > 0 else { return }
        if let theirs = other.first, first.map({ theirs < $0 }) ?? true { label = other.label }
        first = [first, other.first].compactMap { $0 }.min()
        last = [last, other.last].compactMap { $0 }.max()
        count += other.count
        seen += other.seen
        cut += other.cut
        members += other.members
        if let theirs = other.times {
            times =
                times.map {
                    min($0.lowerBound, theirs.lowerBound)...max($0.upperBound, theirs.upperBound)
                } ?? theirs
        }
        sourceTable.merge(other.sourceTable, limit: limits.sources)
        clientTable.merge(other.clientTable, limit: limits.sources)
        mergePaths(of: other)
    }

    private mutating func mergePaths(of other: ActivitySummary) {
        let (moves, limits) = (recent.moves, limits)
        let ranks = recent.merge(other.recent)
        paths.changeAll { $0.place($0.mask(at: moves, limits).moved(to: ranks.mine)) }
        var theirs = other.paths
        theirs.changeAll { $0.place($0.mask(at: other.recent.moves, limits).moved(to: ranks.theirs)) }
        paths.merge(theirs, limits)
    }
}
