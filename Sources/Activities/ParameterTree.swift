/// The paths of a summary as a tree, to be read: objects with too many differently named members are maps here.
///
/// That is a view of what is kept, made anew each time, so that it does not matter when the last name came.
struct ParameterTree {
    /// Nil for the properties themselves.
    private(set) var node: PathNode?
    private(set) var children: [ParameterTree] = []
    /// How many objects, and how many members and elements there were in all.
    private let rootCounts: (objects: Int, parts: Int)

    init(_ summary: ActivitySummary) {
        var byParent: [UInt64: [PathNode]] = [:]
        let moves = summary.recent.moves
        for var node in summary.paths.nodes {
            node.move(to: moves, summary.limits)
            byParent[node.parent, default: []].append(node)
        }
        rootCounts = (summary.count, summary.members)
        node = nil
        children = (byParent[0] ?? []).map { ParameterTree($0, byParent, summary.limits) }
        sort()
    }

    private init(_ node: PathNode, _ byParent: [UInt64: [PathNode]], _ limits: SummaryLimits) {
        self.node = node
        rootCounts = (0, 0)
        children = (byParent[node.hash] ?? []).map { ParameterTree($0, byParent, limits) }
        collapse(limits)
        sort()
    }

    /// How many values there were at its paths.
    var values: Int { children.reduce(node?.values ?? 0) { $0 + $1.values } }

    var objects: Int { node.map { Self.count($0, .object) } ?? rootCounts.objects }
    var arrays: Int { node.map { Self.count($0, .array) } ?? 0 }

    private static func count(_ node: PathNode, _ kind: ValueKind) -> Int {
        node.kinds.first { $0.kind == kind }?.count ?? 0
    }

    /// Are all members and elements that there ever were among the children?
    var isComplete: Bool {
        children.reduce(0) { $0 + ($1.node?.values ?? 0) } == node?.children ?? rootCounts.parts
    }

    /// The elements of its arrays.
    var elements: ParameterTree? { children.first { $0.node?.segment.isElement ?? false } }
    /// The members of its maps.
    var anyKey: ParameterTree? { children.first { $0.isAnyKey } }
    /// The members with names.
    var named: [ParameterTree] {
        children.filter { !$0.isAnyKey && !($0.node?.segment.isElement ?? true) }
    }

    private var isAnyKey: Bool {
        if case .anyKey = node?.segment { return true }
        return false
    }

    // MARK: - Maps

    /// Many names make a map; so do half as many where there were more than are kept.
    private mutating func collapse(_ limits: SummaryLimits) {
        var names = children.filter { !($0.node?.segment.isElement ?? true) }
        guard names.count > limits.names || names.count > limits.names / 2 && !isComplete else { return }
        guard var map = names.popLast() else { return }
        for name in names { map.merge(name, limits) }
        map.node?.segment = .anyKey
        map.node?.isCollapsed = true
        // Of members that are not kept it is only known how many there were.
        let unkept = (node?.children ?? 0) - children.reduce(0) { $0 + ($1.node?.values ?? 0) }
        let events = min((map.node?.events ?? 0) + unkept, node?.events ?? 0)
        map.node?.events = events
        children = (elements.map { [$0] } ?? []) + [map]
    }

    private mutating func merge(_ other: ParameterTree, _ limits: SummaryLimits) {
        if let theirs = other.node { node?.merge(theirs, limits) }
        for child in other.children {
            if let at = children.firstIndex(where: { $0.isSamePart(child) }) {
                children[at].merge(child, limits)
            } else {
                children.append(child)
            }
        }
    }

    private func isSamePart(_ other: ParameterTree) -> Bool {
        guard let mine = node?.segment, let theirs = other.node?.segment else { return false }
        return ParameterPath([mine]) == ParameterPath([theirs])
    }

    private mutating func sort() {
        let keyed = children.map { (ParameterPath($0.node.map { [$0.segment] } ?? []), $0) }
        children = keyed.sorted { $0.0 < $1.0 }.map { $0.1 }
    }
}
