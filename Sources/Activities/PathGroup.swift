/// Which paths are a group, and their order in it (see `PathTable`).
enum PathGroup {
    /// Of a path by its hash, its depth and what it is in its parent (`kind`; nil: a member with a name).
    static func of(
        _ hash: UInt64, depth: Int, kind: UInt64?, in parent: (group: UInt64, rank: UInt64),
        _ limits: SummaryLimits
    ) -> (group: UInt64, rank: UInt64) {
        if depth == 1 { return (hash, 0) }
        if let kind { return (limits.mix(parent.group, kind), parent.rank) }
        // Sorted by the first names that differ, and only then by the last.
        let rank = parent.rank == 0 ? max(hash, 1) : parent.rank & ~0xffff | hash >> 48
        return (limits.mix(parent.group, SummaryLimits.anyName), rank)
    }

    /// Puts nodes into groups that were written without, each with its parents.
    static func grouped(_ nodes: [PathNode], _ limits: SummaryLimits) -> [PathNode] {
        var known: [UInt64: (group: UInt64, rank: UInt64)] = [:]
        return nodes.sorted { $0.depth < $1.depth }.map { node in
            let (group, rank) = of(
                node.hash, depth: node.depth, kind: node.kind, in: known[node.parent] ?? (0, 0), limits)
            known[node.hash] = (group, rank)
            return PathNode(node, group: group, rank: rank)
        }
    }
}
