package import Foundations

/// What a server counts; read by whoever prints the metrics.
package final class HTTPMetrics: Sendable {
    private let codes = (100..<600).map { _ in Counter() }

    package let bytesReceived = Counter()
    package let bytesSent = Counter()
    /// Connections that are open now, over all lanes.
    package let connections = Gauge()
    package let connectionsAccepted = Counter()
    /// Connections that were turned away because there were too many.
    package let connectionsRefused = Counter()
    /// Connections that said nothing and were closed because others wanted in.
    package let connectionsDisplaced = Counter()
    /// Connections that were closed because their peer was too slow.
    package let connectionsTimedOut = Counter()
    /// What all connections' buffers take now, in bytes.
    package let bufferedBytes = Gauge()
    /// From a request's last byte to its answer.
    package let latency = Histogram()

    package init() {}

    func requests(answered status: Int) -> Counter { codes[min(max(status, 100), 599) - 100] }

    /// How many requests were answered with each status; those that never occurred are left out.
    package var requests: [(status: Int, count: Int)] {
        codes.enumerated().compactMap { i, counter in
            counter.total > 0 ? (i + 100, counter.total) : nil
        }
    }
}
