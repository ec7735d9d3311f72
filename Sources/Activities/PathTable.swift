/// The paths of an activity, found by their hashes, and which of them stay when there are too many.
///
/// Paths that differ only in names below the first one are a *group* (`stock.a` and `stock.b`; `items[].price` and
/// `items[].sku`); a member of the properties themselves is a group of its own. Of the groups those stay that are
/// nearest to the properties, and then those of the smallest hash. Each has the same *quota*, the largest with which
/// all paths together are within the limit: so an object with thousands of names takes only what the others leave.
/// Within a group the paths of the smallest rank stay.
///
/// None of that depends on the order in which paths come: a group or a path that has to go once would have to go
/// whatever else is seen, and the quota only ever falls.
struct PathTable: Sendable {
    private struct Group {
        let depth: Int
        var count = 0
        /// Its path that gives way to the next one, once that is known.
        var last: (rank: UInt64, hash: UInt64)?
    }

    private(set) var nodes: [PathNode] = []
    /// How many paths of a group may be kept.
    private(set) var quota: Int
    /// Open addressing: a node's index + 1, or 0. At most half full.
    private var slots: [UInt32] = Array(repeating: 0, count: 32)
    private var groups: [UInt64: Group] = [:]
    /// The group that gives way to the next one, once that is known.
    private var lastGroup: (depth: Int, group: UInt64)?
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        quota = limit
    }

    init(_ nodes: [PathNode], limit: Int, quota: Int) {
        self.limit = limit
        self.quota = min(quota, limit)
        self.nodes = nodes
        count()
        settle()
        rebuild()
    }

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

    // MARK: - Taking paths

    /// May there be paths of this group? If not, there is none below it either.
    mutating func admits(group: UInt64, depth: Int) -> Bool {
        if groups.count < limit || groups[group] != nil { return true }
        let last = lastGroup ?? groups.max(by: Self.precedes).map { ($0.value.depth, $0.key) }
        lastGroup = last
        return last.map { (depth, group) < $0 } ?? false
    }

    /// Is there room for such a path, in a group that is admitted?
    mutating func admits(_ place: Place) -> Bool {
        guard let group = groups[place.group], group.count >= quota else { return true }
        let last = group.last ?? lastNode(of: place.group)
        groups[place.group]?.last = last
        return (place.rank, place.hash) < last
    }

    private func lastNode(of group: UInt64) -> (rank: UInt64, hash: UInt64) {
        var last: (rank: UInt64, hash: UInt64) = (0, 0)
        for i in nodes.indices where nodes[i].group == group && (nodes[i].rank, nodes[i].hash) > last {
            last = (nodes[i].rank, nodes[i].hash)
        }
        return last
    }

    /// Takes a path that is not there and was admitted. Where the nodes are may change by it.
    mutating func insert(_ node: PathNode) {
        var group = groups[node.group] ?? Group(depth: node.depth)
        if group.count >= quota { return replaceLast(of: node.group, with: node) }
        group.count += 1
        group.last = nil
        groups[node.group] = group
        lastGroup = nil
        append(node)
        if nodes.count > limit || groups.count > limit || groups.count == limit && quota > 1 { settle() }
    }

    private mutating func replaceLast(of group: UInt64, with node: PathNode) {
        let last = groups[group]?.last ?? lastNode(of: group)
        let index = index(of: last.hash)
        guard index >= 0 else { return }
        nodes[index] = node
        groups[group]?.last = nil
        rebuild()
    }

    /// Adds another table's paths; what is above the limit goes.
    mutating func merge(_ other: PathTable, _ limits: SummaryLimits) {
        quota = min(quota, other.quota)
        for node in other.nodes {
            let at = index(of: node.hash)
            if at >= 0 { nodes[at].merge(node, limits) } else { append(node) }
        }
        count()
        settle()
    }

    private mutating func append(_ node: PathNode) {
        nodes.append(node)
        if nodes.count * 2 > slots.count { rebuild() } else { enter(nodes.count - 1) }
    }

    // MARK: - Letting paths go

    private mutating func count() {
        groups.removeAll()
        lastGroup = nil
        for node in nodes { groups[node.group, default: Group(depth: node.depth)].count += 1 }
    }

    /// Lets go what there is no room for.
    private mutating func settle() {
        let before = nodes.count
        while groups.count > limit, let last = groups.max(by: Self.precedes)?.key { groups[last] = nil }
        if groups.count >= limit { nodes.removeAll { groups[$0.group] == nil } }
        // Once there are so many groups, their number stays, and so does the quota.
        if groups.count >= limit { quota = min(quota, 1) }
        while quota > 1, groups.values.reduce(0, { $0 + min($1.count, quota) }) > limit { quota -= 1 }
        for (group, entry) in groups where entry.count > quota { trim(group) }
        if nodes.count < before { rebuild() }
    }

    private mutating func trim(_ group: UInt64) {
        var members: [(rank: UInt64, hash: UInt64)] = []
        for i in nodes.indices where nodes[i].group == group {
            members.append((nodes[i].rank, nodes[i].hash))
        }
        members.sort(by: <)
        let doomed = Set(members[quota...].lazy.map(\.hash))
        nodes.removeAll { doomed.contains($0.hash) }
        groups[group]?.count = quota
        groups[group]?.last = members[quota - 1]
    }

    private static func precedes(_ a: (key: UInt64, value: Group), _ b: (key: UInt64, value: Group)) -> Bool {
        (a.value.depth, a.key) < (b.value.depth, b.key)
    }

    // MARK: - The index

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
