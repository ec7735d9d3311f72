/// The paths of an activity, found by their hashes.
struct PathTable: Sendable {
    private(set) var nodes: [PathNode] = []
    /// Open addressing: a node's index + 1, or 0. At most half full.
    private var slots: [UInt32] = Array(repeating: 0, count: 32)
    /// The node that gives way to the next one; known once the limit is reached.
    private var worst: Int?
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Where a path's node is; -1: it has none.
    @inline(__always) func index(of hash: UInt64) -> Int {
        slots.withUnsafeBufferPointer { slots in
            let mask = slots.count - 1
            var at = Int(truncatingIfNeeded: hash) & mask
            while slots[at] != 0 {
                let index = Int(slots[at]) - 1
                if nodes[index].hash == hash { return index }
                at = (at + 1) & mask
            }
            return -1
        }
    }

    /// Changes a node in place.
    @inline(__always) mutating func change<T>(_ index: Int, _ body: (inout PathNode) -> T) -> T {
        body(&nodes[index])
    }

    mutating func changeAll(_ body: (inout PathNode) -> Void) {
        for i in nodes.indices { body(&nodes[i]) }
    }

    /// Is there a place for such a path?
    mutating func admits(_ place: Place) -> Bool {
        guard nodes.count >= limit else { return true }
        guard limit > 0 else { return false }
        let last = nodes[worstIndex()]
        return (place.rank, place.depth, place.hash) < (last.rank, last.depth, last.hash)
    }

    /// Takes a path that is not there and was admitted. Where the nodes are may change by it.
    mutating func insert(_ node: PathNode) {
        if nodes.count >= limit {
            nodes[worstIndex()] = node
            worst = nil
            rebuild()
        } else {
            nodes.append(node)
            if nodes.count * 2 > slots.count { rebuild() } else { enter(nodes.count - 1) }
        }
    }

    /// Adds another table's paths; what is above the limit goes.
    mutating func merge(_ other: PathTable, _ limits: SummaryLimits) {
        for node in other.nodes {
            let at = index(of: node.hash)
            if at >= 0 {
                nodes[at].merge(node, limits)
            } else {
                nodes.append(node)
                if nodes.count * 2 > slots.count { rebuild() } else { enter(nodes.count - 1) }
            }
        }
        worst = nil
        guard nodes.count > limit else { return }
        nodes.sort(by: PathNode.precedes)
        nodes.removeLast(nodes.count - limit)
        rebuild()
    }

    init(_ nodes: [PathNode], limit: Int) {
        self.limit = limit
        self.nodes = Array(nodes.sorted(by: PathNode.precedes).prefix(limit))
        rebuild()
    }

    private mutating func worstIndex() -> Int {
        if let worst { return worst }
        var found = 0
        for i in 1..<max(nodes.count, 1) where PathNode.precedes(nodes[found], nodes[i]) { found = i }
        worst = found
        return found
    }

    private mutating func rebuild() {
        var size = 32
        while size < nodes.count * 2 + 2 { size *= 2 }
        slots = Array(repeating: 0, count: size)
        for i in nodes.indices { enter(i) }
    }

    private mutating func enter(_ index: Int) {
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: nodes[index].hash) & mask
        while slots[at] != 0 { at = (at + 1) & mask }
        slots[at] = UInt32(index + 1)
    }
}
