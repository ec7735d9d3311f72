import Foundations

/// When each marked event was answered, and when the webhook that it fires arrived: two moments of the same clock.
///
/// A mark is `mark-` and ten digits, the event's number. It stands in the event's properties, and so in the body of
/// the webhook, where percent-encoding leaves it as it is.
final class HookTimes: Sendable {
    static let prefix = Array("mark-".utf8)
    static let digits = 10

    private struct Times {
        /// By the event's number; 0: not yet.
        var answered: [UInt64] = []
        var arrived: [UInt64] = []
        var repeats = 0
        /// Answered and not arrived, of those that are waited for.
        var missing = 0

        mutating func make(room count: Int) {
            if count <= answered.count { return }
            let more = max(count, 2 * answered.count) - answered.count
            answered += repeatElement(0, count: more)
            arrived += repeatElement(0, count: more)
        }
    }

    private let times = Locked(Times())
    /// Of so many activities in turn; what the first one fires is not counted if it is the one that may hang.
    private let isCounted: @Sendable (Int) -> Bool

    init(isCounted: @escaping @Sendable (Int) -> Bool) { self.isCounted = isCounted }

    func answered(_ marks: Range<Int>, at now: UInt64) {
        times.withLock { times in
            times.make(room: marks.upperBound)
            for mark in marks {
                times.answered[mark] = now
                if times.arrived[mark] == 0, isCounted(mark) { times.missing += 1 }
            }
        }
    }

    func arrived(_ mark: Int, at now: UInt64) {
        times.withLock { times in
            times.make(room: mark + 1)
            if times.arrived[mark] > 0 { return times.repeats += 1 }
            times.arrived[mark] = now
            if times.answered[mark] > 0, isCounted(mark) { times.missing -= 1 }
        }
    }

    var missing: Int { times.withLock { $0.missing } }
    var repeats: Int { times.withLock { $0.repeats } }

    /// Microseconds from the answer to the arrival, sorted, of what was answered within a time.
    func latencies(from begin: UInt64, to end: UInt64) -> [UInt32] {
        times.withLock { times in
            times.answered.indices.compactMap { i in
                let (answered, arrived) = (times.answered[i], times.arrived[i])
                guard answered >= begin, answered < end, arrived > 0, isCounted(i) else { return nil }
                // A webhook may well be quicker than the answer's way back to us.
                return UInt32(clamping: (max(arrived, answered) - answered) / 1000)
            }.sorted()
        }
    }
}
