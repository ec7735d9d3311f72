internal import Foundations

/// Counts of one batch, gathered without atomic operations and published at its end.
struct Tally {
    private var status = 0
    private var answers = 0
    private var latencyPower = -1
    private var latencySum = 0
    private var latencies = 0
    var received = 0
    var sent = 0

    mutating func answered(_ status: Int, microseconds: Int, _ metrics: HTTPMetrics) {
        if status != self.status {
            publishAnswers(to: metrics)
            self.status = status
        }
        answers += 1
        // Latencies of one power of two share a bucket of the histogram, so their mean stands for them.
        let power = Int.bitWidth - max(microseconds - 1, 0).leadingZeroBitCount
        if power != latencyPower {
            publishLatencies(to: metrics)
            latencyPower = power
        }
        latencySum += microseconds
        latencies += 1
    }

    mutating func publish(to metrics: HTTPMetrics) {
        publishAnswers(to: metrics)
        publishLatencies(to: metrics)
        if received > 0 { metrics.bytesReceived.add(received) }
        if sent > 0 { metrics.bytesSent.add(sent) }
        (received, sent) = (0, 0)
    }

    private mutating func publishAnswers(to metrics: HTTPMetrics) {
        if answers > 0 { metrics.requests(answered: status).add(answers) }
        answers = 0
    }

    private mutating func publishLatencies(to metrics: HTTPMetrics) {
        if latencies > 0 { metrics.latency.record(microseconds: latencySum / latencies, times: latencies) }
        (latencies, latencySum) = (0, 0)
    }
}
