import Synchronization

/// A number that only grows; may be raised from anywhere.
package final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    package init() {}
    package func add(_ n: Int = 1) { value.wrappingAdd(n, ordering: .relaxed) }
    package var total: Int { value.load(ordering: .relaxed) }
}

/// A number that goes up and down.
package final class Gauge: Sendable {
    private let value = Atomic<Int>(0)
    package init() {}
    package func add(_ n: Int) { value.wrappingAdd(n, ordering: .relaxed) }
    package func set(_ n: Int) { value.store(n, ordering: .relaxed) }
    package var current: Int { value.load(ordering: .relaxed) }
}

/// How often something took how long: buckets by powers of two of microseconds, from 64 µs to 67 s.
package final class Histogram: Sendable {
    private let buckets = (0..<22).map { _ in Counter() }
    private let sum = Counter()

    package init() {}

    package func record(microseconds: Int) { record(microseconds: microseconds, times: 1) }
    package func record(microseconds: Int, times: Int) {
        let value = max(microseconds, 1)
        let power = Int.bitWidth - (value - 1).leadingZeroBitCount
        buckets[min(max(power - 6, 0), 21)].add(times)
        sum.add(value * times)
    }

    /// Upper bounds in microseconds with how many were at most that (cumulative); the last bound is nil: all.
    package var cumulative: [(bound: Int?, count: Int)] {
        var count = 0
        return buckets.enumerated().map { i, bucket in
            count += bucket.total
            return (i == buckets.count - 1 ? nil : 1 << (i + 6), count)
        }
    }
    package var sumMicroseconds: Int { sum.total }
}
