import Foundations

/// When things happened, told from three clocks: the client's for the event, the client's when it sent, and ours.
package enum EventClock {
    /// Less than this between the client's clock and ours is taken for the way of the request, not for a wrong
    /// clock.
    package static let tolerance: Int64 = 2_000_000
    /// As long as a session's clock stays within this of what it was, its first correction holds, so that
    /// the jitter of the network cannot put one device's events into another order.
    package static let jitter: Int64 = 60_000_000
    /// A hundred years: no clock is as wrong as that, and sums of such times would overflow.
    static let implausible: UInt64 = 3_155_760_000_000_000
    /// How far ahead of its arrival an event may be.
    package static let future: Int64 = 300_000_000

    /// What to add to a client's times, in microseconds. `before` is what was added for the same session so far.
    package static func skew(sentAt: Timestamp?, receivedAt: Timestamp, before: Int64?) -> Int64 {
        guard let sentAt else { return before ?? 0 }
        let (now, overflow) = receivedAt.microseconds.subtractingReportingOverflow(sentAt.microseconds)
        if overflow || now.magnitude > implausible { return before ?? 0 }
        if let before, abs(now - before) <= jitter { return before }
        return abs(now) <= tolerance ? 0 : now
    }

    /// The time that everything else uses: what was said, corrected by the skew, at most five minutes ahead.
    package static func corrected(said: Timestamp?, skew: Int64, receivedAt: Timestamp) -> Timestamp {
        guard let said else { return receivedAt }
        let (sum, overflow) = said.microseconds.addingReportingOverflow(skew)
        if overflow { return receivedAt }
        return min(Timestamp(microseconds: sum), receivedAt.adding(microseconds: future))
    }
}
