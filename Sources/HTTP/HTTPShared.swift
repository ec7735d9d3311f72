internal import Foundations
import Synchronization

/// What all lanes of a server share; immutable, or atomic.
final class HTTPShared: Sendable {
    let clock: Clock
    let metrics: HTTPMetrics
    let trustedProxies: [Network]
    private let latest = Atomic<Int64>(.min)

    init(clock: Clock, metrics: HTTPMetrics, trustedProxies: [Network]) {
        self.clock = clock
        self.metrics = metrics
        self.trustedProxies = trustedProxies
    }

    /// The wall clock, but never earlier than it was on any lane before.
    func now() -> Timestamp {
        let time = clock.now().microseconds
        return Timestamp(microseconds: latest.max(time, ordering: .relaxed).newValue)
    }
}
