/// What a summary remembers of the activity's history.
extension ActivitySummary {
    /// Remembers what has been entered into the history, so that it is not entered again.
    package mutating func acknowledge(_ entries: [DriftEntry]) {
        let vanished = entries.filter { $0.change == .vanished }
        guard !vanished.isEmpty else { return }
        var marks: [ParameterPath: EventMark] = [:]
        for entry in vanished { if let path = entry.path { marks[path] = entry.event } }
        let hashes = ParameterTree(self).hashes
        paths.changeAll { node in
            guard let path = hashes[node.hash], let mark = marks[path] else { return }
            node.vanished = max(node.vanished ?? mark, mark)
        }
    }
}

extension ParameterTree {
    /// The path of each node that stands for itself.
    var hashes: [UInt64: ParameterPath] {
        var found: [UInt64: ParameterPath] = [:]
        collect([], &found)
        return found
    }

    private func collect(_ segments: [ParameterPath.Segment], _ found: inout [UInt64: ParameterPath]) {
        for child in children {
            guard let node = child.node else { continue }
            let path = segments + [node.segment]
            found[node.hash] = ParameterPath(path)
            child.collect(path, &found)
        }
    }
}
