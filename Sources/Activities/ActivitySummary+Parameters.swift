import Foundations

/// What a summary says of its parameters.
extension ActivitySummary {
    /// By path, in the order of their names at each level.
    package var parameters: [ParameterSummary] {
        var list: [ParameterSummary] = []
        var tables = 0
        collect(ParameterTree(self), [], &tables, &list)
        return list
    }

    private func collect(
        _ tree: ParameterTree, _ segments: [ParameterPath.Segment], _ tables: inout Int,
        _ list: inout [ParameterSummary]
    ) {
        let columns = ParallelArrays.columns(of: tree, &tables)
        for (child, column) in zip(tree.children, columns) {
            guard let node = child.node else { continue }
            let path = segments + [node.segment]
            let parents = node.segment.isElement ? node.values : tree.objects
            list.append(ParameterSummary(node, path, parents: parents, table: column, self))
            collect(child, path, &tables, &list)
        }
    }
}

extension ParameterSummary {
    init(
        _ node: PathNode, _ segments: [ParameterPath.Segment], parents: Int, table: Int?,
        _ summary: ActivitySummary
    ) {
        path = ParameterPath(segments)
        kinds = node.kinds
        values = node.values
        events = node.events
        allEvents = summary.count
        self.parents = parents
        first = node.first
        last = node.last
        personal = node.personal
        numbers = node.numbers.range
        textLength = node.texts.range
        arrayLength = node.arrays.range
        self.node = node
        self.table = table
        vanished = node.vanished.flatMap { node.last < $0.key ? $0 : nil }
    }
}

/// Finds the most frequent values among what was kept.
enum Frequency {
    static func values(of node: PathNode) -> [FrequentValue] {
        let kept = node.table.values.map {
            FrequentValue(text: $0.text, kind: $0.kind, count: $0.count, isExact: true)
        }
        guard !node.table.holdsAllValues else { return sorted(kept) }
        // There are more values than are kept: those that came twice among the samples are frequent as well.
        let samples = node.samples.samples
        let groups = Dictionary(grouping: samples) { Array($0.text.utf8) }
        let known = Set(kept.map { Array($0.text.utf8) })
        let scalars = node.kinds.reduce(0) {
            [.null, .object, .array].contains($1.kind.family) ? $0 : $0 + $1.count
        }
        let estimated = groups.compactMap { text, group -> FrequentValue? in
            guard group.count > 1, !known.contains(text) else { return nil }
            let count = scalars * group.count / samples.count
            return FrequentValue(text: group[0].text, kind: group[0].kind, count: count, isExact: false)
        }
        return sorted(kept + estimated)
    }

    private static func sorted(_ values: [FrequentValue]) -> [FrequentValue] {
        values.sorted {
            $0.count == $1.count ? $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) : $0.count > $1.count
        }
    }
}

/// Recognises arrays side by side whose lengths have always agreed: the columns of one table.
enum ParallelArrays {
    /// For each child of a tree the number of its table, if it has one.
    static func columns(of tree: ParameterTree, _ tables: inout Int) -> [Int?] {
        struct Print: Hashable { let presence, length: UInt64 }
        var groups: [Print: [Int]] = [:]
        for (i, child) in tree.children.enumerated() {
            guard let node = child.node, isColumn(child, node) else { continue }
            groups[Print(presence: node.presencePrint, length: node.lengthPrint), default: []].append(i)
        }
        var columns = [Int?](repeating: nil, count: tree.children.count)
        for members in groups.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
            tables += 1
            for i in members { columns[i] = tables }
        }
        return columns
    }

    /// Always an array, once with more than one element, and no container in it.
    private static func isColumn(_ tree: ParameterTree, _ node: PathNode) -> Bool {
        guard case .name = node.segment, node.kinds.count == 1, node.kinds[0].kind == .array else {
            return false
        }
        guard node.arrays.most > 1, let elements = tree.elements?.node else { return false }
        return elements.kinds.allSatisfy { $0.kind != .object && $0.kind != .array }
    }
}
