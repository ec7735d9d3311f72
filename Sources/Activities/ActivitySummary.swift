import Foundations
import Payload

/// What is known of one activity: how often it came, and what its events carried.
///
/// It can be merged: the summaries of two halves of the events, merged in any order, are the summary of all
/// of them, also where limits were reached. Therefore nothing in it depends on the order in which events
/// come: there are counts, sums, the least and the largest, and where a limit is, what has the smallest hash
/// of all. Which paths stay is told in `PathTable`.
package struct ActivitySummary: Sendable {
    package let limits: SummaryLimits
    package internal(set) var count = 0
    package internal(set) var first: EventMark?
    package internal(set) var last: EventKey?
    /// The name as the first event had it.
    package internal(set) var label = ""
    /// When its events happened, by their senders' clocks.
    package internal(set) var times: ClosedRange<Timestamp>?

    var paths: PathTable
    var recent: RecentEvents
    var sourceTable = NameTable()
    var clientTable = NameTable()
    /// Values at all paths, kept or not, down to the last level.
    var seen = 0
    /// Objects and arrays at the last level with something in them.
    var cut = 0
    /// Members of the properties themselves.
    var members = 0
    private var serial: UInt64 = 0

    package init(limits: SummaryLimits = SummaryLimits()) {
        self.limits = limits
        paths = PathTable(limit: limits.paths)
        recent = RecentEvents(limit: limits.recent)
    }

    /// Learns from an event. An event that was observed twice counts twice.
    package mutating func observe(_ properties: JSONNode, _ facts: EventFacts) {
        serial += 1
        var visit = begin(facts)
        if properties.kind == .object {
            observeMembers(of: properties, at: .root, instance: visit.hash, &visit)
        }
    }

    private mutating func begin(_ facts: EventFacts) -> Visit {
        let key = facts.key
        count += 1
        let source = limits.hasher.hash(facts.source)
        let client = limits.hasher.hash(facts.client)
        sourceTable.add(source, facts.source, limit: limits.sources)
        clientTable.add(client, facts.client, limit: limits.sources)
        let rank = recent.insert(
            RecentEvents.Event(
                key: key, source: UInt32(truncatingIfNeeded: source),
                client: UInt32(truncatingIfNeeded: client)))
        if let rank, rank > 0 {
            let (moves, limits) = (recent.moves, limits)
            paths.changeAll { $0.insertGap(at: rank, moves, limits) }
        }
        let hash = limits.mix(limits.mix(key.id.high, key.id.low), SummaryLimits.anyKey)
        var visit = Visit(facts, hash: hash, serial: serial, rank: rank, moves: recent.moves)
        if last.map({ $0 < key }) ?? true { last = key }
        if first.map({ key < $0.key }) ?? true {
            first = visit.mark
            label = facts.label.cut(to: 256)
        }
        let time = facts.time
        if let times {
            if !times.contains(time) {
                self.times = min(times.lowerBound, time)...max(times.upperBound, time)
            }
        } else {
            times = time...time
        }
        return visit
    }

    // MARK: - Reading

    /// Values that belong to no path that is kept.
    package var truncated: Int { seen + cut - ParameterTree(self).values }
    /// Who sent it, the most frequent first.
    package var sources: [NamedCount] { sourceTable.ranked }
    package var clients: [NamedCount] { clientTable.ranked }

    /// Events a second, over the latest of them; nil for fewer than two.
    package var rate: Double? {
        guard recent.count > 1 else { return nil }
        let newest = recent[0].key.receivedAt.microseconds
        let span = newest - recent[recent.count - 1].key.receivedAt.microseconds
        return Double(recent.count - 1) / (Double(max(span, 1000)) / 1_000_000)
    }

    /// Roughly how many bytes of memory it takes.
    package var footprint: Int {
        paths.nodes.reduce(1_024 + 40 * recent.count) { $0 + $1.footprint }
    }
}

extension PathNode {
    fileprivate var footprint: Int {
        MemoryLayout<PathNode>.stride + 160 * kinds.count + 8 * table.hashes.count + 112 * table.values.count
            + 112 * samples.samples.count
    }
}
