/// What a summary remembers of the activity's history.
extension ActivitySummary {
    /// Remembers what has been entered into the history, so that it is not entered again.
    package mutating func acknowledge(_ entries: [DriftEntry]) {
        let vanished = entries.filter { $0.change == .vanished }
        guard !vanished.isEmpty else { return }
        var marks: [ParameterPath: EventMark] = [:]
        for entry in vanished { if let path = entry.path { marks[path] = entry.event } }
        var paths: [UInt64: ParameterPath] = [:]
        for place in ParameterTree(self).all { paths[place.node.hash] = place.path }
        self.paths.changeAll { node in
            guard let path = paths[node.hash], let mark = marks[path] else { return }
            node.vanished = max(node.vanished ?? mark, mark)
        }
    }
}
