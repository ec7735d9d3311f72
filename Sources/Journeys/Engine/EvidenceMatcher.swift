import Foundations

/// Finds events that together are an `all` or a `seq`: any choice that fits will do, but the event that came last must
/// be among them.
struct EvidenceMatcher {
    let parts: Int
    let within: Int64
    let isSequence: Bool

    /// The indices of the chosen events, one for each part; nil: there is no choice.
    ///
    /// - Parameter events: In the order of (time, arrival); `latest` is the index of the one that came last.
    func match(_ events: [Memory.Evidence], latest: Int) -> [Int]? {
        isSequence ? sequence(events, latest) : all(events, latest)
    }

    /// For each part that the last event can be: the nearest events before it and behind it. No other choice spans
    /// less time.
    private func sequence(_ events: [Memory.Evidence], _ latest: Int) -> [Int]? {
        for part in events[latest].parts {
            var chosen = [Int](repeating: -1, count: parts)
            chosen[part] = latest
            var at = latest
            var isWhole = true
            for before in stride(from: part - 1, through: 0, by: -1) {
                guard let i = events[..<at].lastIndex(where: { $0.parts.contains(before) }) else {
                    isWhole = false
                    break
                }
                (chosen[before], at) = (i, i)
            }
            at = latest
            for after in part + 1..<max(parts, part + 1) where isWhole {
                guard let i = events[(at + 1)...].firstIndex(where: { $0.parts.contains(after) }) else {
                    isWhole = false
                    break
                }
                (chosen[after], at) = (i, i)
            }
            if isWhole, fits(events[chosen[0]].time, events[chosen[parts - 1]].time) { return chosen }
        }
        return nil
    }

    private func fits(_ first: Timestamp, _ last: Timestamp) -> Bool {
        last.microseconds - first.microseconds <= within
    }

    /// Slides a window over the events; within it each part needs an event of its own (a matching, by augmenting paths).
    private func all(_ events: [Memory.Evidence], _ latest: Int) -> [Int]? {
        let time = events[latest].time
        for first in events.indices where events[first].time <= time && fits(events[first].time, time) {
            let window = events.indices.filter {
                events[$0].time >= events[first].time && fits(events[first].time, events[$0].time)
            }
            for part in events[latest].parts {
                if let chosen = assign(events, window, latest, to: part) { return chosen }
            }
        }
        return nil
    }

    private func assign(_ events: [Memory.Evidence], _ window: [Int], _ latest: Int, to part: Int) -> [Int]? {
        var taken: [Int: Int] = [:]
        func place(_ wanted: Int, _ tried: inout Set<Int>) -> Bool {
            for i in window where i != latest && events[i].parts.contains(wanted) && tried.insert(i).inserted
            {
                if let other = taken[i] {
                    guard place(other, &tried) else { continue }
                }
                taken[i] = wanted
                return true
            }
            return false
        }
        for wanted in 0..<parts where wanted != part {
            var tried: Set<Int> = []
            guard place(wanted, &tried) else { return nil }
        }
        var chosen = [Int](repeating: latest, count: parts)
        for (i, part) in taken { chosen[part] = i }
        return chosen
    }
}
