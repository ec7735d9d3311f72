import Foundations

/// What some events of one session come to that follow each other without silence: when, how many, on which pages.
///
/// Two runs merge into one, in any order with the same result; that is what makes visits independent of the order
/// in which events arrive.
package struct VisitRun: Equatable, Sendable {
    package var first: Timestamp
    package var last: Timestamp
    package var events: Int
    /// The first page, with where the visitor came from; nil: no event named one.
    package var entry: Sighting?
    package var exit: Sighting?

    /// A page that was seen at a time.
    package struct Sighting: Equatable, Comparable, Sendable {
        package let at: Timestamp
        package let page: String
        package var arrival = Arrival()

        package init(at: Timestamp, page: String, arrival: Arrival = Arrival()) {
            (self.at, self.page, self.arrival) = (at, page, arrival)
        }

        /// Events of the same moment must not depend on who is asked first.
        package static func < (a: Self, b: Self) -> Bool {
            a.at != b.at ? a.at < b.at : a.page.utf8.lexicographicallyPrecedes(b.page.utf8)
        }
    }

    package init(at time: Timestamp, events: Int = 1, entry: Sighting? = nil, exit: Sighting? = nil) {
        (first, last, self.events, self.entry, self.exit) = (time, time, events, entry, exit)
    }

    package mutating func merge(_ other: VisitRun) {
        first = min(first, other.first)
        last = max(last, other.last)
        events += other.events
        if let its = other.entry { entry = entry.map { min($0, its) } ?? its }
        if let its = other.exit { exit = exit.map { max($0, its) } ?? its }
    }

    /// Is there less than the silence between the two?
    package func touches(_ other: VisitRun, silence: Int64) -> Bool {
        other.first.microseconds - last.microseconds < silence
            && first.microseconds - other.last.microseconds < silence
    }

    /// The runs that the times, which are sorted, fall into: the indices where each begins and ends.
    static func split(_ times: some Collection<Timestamp>, silence: Int64) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var (begin, before) = (0, times.first)
        for (i, time) in times.enumerated() {
            if let before, time.microseconds - before.microseconds >= silence {
                runs.append(begin..<i)
                begin = i
            }
            before = time
        }
        if !times.isEmpty { runs.append(begin..<times.count) }
        return runs
    }
}
