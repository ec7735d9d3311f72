import Foundations

/// Pauses a webhook whose calls fail: when of ten or more calls in five minutes 70 % or more failed. Pure.
package struct Breaker: Sendable, Equatable {
    /// Calls by slices of ten seconds, the newest last.
    private var slices: [(at: Int64, calls: Int, failures: Int)] = []

    package static let window: Int64 = 300
    package static let least = 10
    package static let slice: Int64 = 10
    /// Between two probes of a paused webhook.
    package static let probeEvery: Int64 = 30_000_000

    package init() {}

    /// Notes a call; true: it is time to pause.
    package mutating func note(success: Bool, at now: Timestamp) -> Bool {
        let slice = now.seconds / Self.slice
        slices.removeAll { $0.at <= slice - Self.window / Self.slice }
        if slices.last?.at != slice { slices.append((slice, 0, 0)) }
        slices[slices.count - 1].calls += 1
        if !success { slices[slices.count - 1].failures += 1 }
        if success { return false }
        let calls = slices.reduce(0) { $0 + $1.calls }
        let failures = slices.reduce(0) { $0 + $1.failures }
        return calls >= Self.least && failures * 10 >= calls * 7
    }

    /// A success after a pause: what was before counts no more.
    package mutating func reset() { slices = [] }

    package static func == (a: Self, b: Self) -> Bool {
        a.slices.elementsEqual(b.slices) { $0 == $1 }
    }
}
