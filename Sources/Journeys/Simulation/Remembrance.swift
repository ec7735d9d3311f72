import Foundations

/// A person's stepped events in memory: the history of simulations.
package struct Remembrance: History {
    /// By activity, in the order of (time, arrival).
    private var events: [String: [Occurrence]] = [:]

    package init() {}

    package mutating func add(_ occurrence: Occurrence) {
        var list = events[occurrence.activity] ?? []
        let at = list.lastIndex { $0.time <= occurrence.time }.map { $0 + 1 } ?? 0
        list.insert(occurrence, at: at)
        events[occurrence.activity] = list
    }

    /// What another one stepped, between its own by time and step.
    mutating func add(_ other: Remembrance) {
        for (activity, list) in other.events {
            let all = (events[activity] ?? []) + list
            events[activity] = all.sorted { ($0.time, $0.step) < ($1.time, $1.step) }
        }
    }

    package func visit(
        _ activity: String, after: Timestamp?, through: Timestamp, _ body: (Occurrence) -> Bool
    ) {
        for event in (events[activity] ?? []).reversed() where event.time <= through {
            if let after, event.time <= after { return }
            if !body(event) { return }
        }
    }
}
