/// Parameters that were always there and are missing from the latest events, and those that came back.
enum Absence {
    /// So many events in a row must have had it, or its absence means nothing.
    private static let evidence = 3

    static func entries(
        for place: PathPlace, _ old: PathNode?, _ before: ActivitySummary?, _ after: ActivitySummary
    ) -> [DriftEntry] {
        let node = place.node
        let isOut = node.vanished.map { node.last < $0.key } ?? false
        if isOut { return [] }
        var entries: [DriftEntry] = []
        if let mark = node.vanished, let old, old.last < mark.key {
            entries.append(DriftEntry(.cameBack, place.path, firstEvent(with: node, after: mark, after)))
        }
        // What is in something that is missing is missing with it.
        guard isMissing(node, after), !(place.parent.map { isMissing($0, after) } ?? false) else {
            return entries
        }
        let wasThere = before.map { before in old.map { wasAlwaysThere($0, before) } ?? false } ?? false
        guard wasThere || wasAlwaysThere(node, after) else { return entries }
        let rank = (node.mask.latest ?? after.recent.count) - 1
        entries.append(DriftEntry(.vanished, place.path, after.mark(of: after.recent[rank])))
        return entries
    }

    /// Is it in none of the latest events? (The masks of a tree's nodes are those of now.)
    static func isMissing(_ node: PathNode, _ summary: ActivitySummary) -> Bool {
        (node.mask.latest ?? summary.recent.count) >= summary.limits.missing
    }

    /// In each event from its first one to its last one, as far as they are remembered.
    private static func wasAlwaysThere(_ node: PathNode, _ summary: ActivitySummary) -> Bool {
        guard let latest = node.mask.latest else { return false }
        var count = 0
        for rank in latest..<summary.recent.count where !(summary.recent[rank].key < node.first.key) {
            guard node.mask[rank] else { return false }
            count += 1
        }
        return count >= evidence
    }

    /// The first event that had it again.
    private static func firstEvent(
        with node: PathNode, after mark: EventMark, _ summary: ActivitySummary
    ) -> EventMark {
        for rank in (0..<summary.recent.count).reversed()
        where node.mask[rank] && mark.key < summary.recent[rank].key {
            return summary.mark(of: summary.recent[rank])
        }
        return EventMark(key: node.last, source: "", client: "")
    }
}

extension ActivitySummary {
    fileprivate func mark(of event: RecentEvents.Event) -> EventMark {
        EventMark(
            key: event.key, source: sourceTable.name(of: event.source),
            client: clientTable.name(of: event.client))
    }
}
