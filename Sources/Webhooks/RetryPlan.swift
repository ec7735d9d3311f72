import Foundations

/// What a delivery's attempt came to.
package enum AttemptOutcome: Sendable, Equatable {
    /// The receiver answered; seconds of its `Retry-After`, if it said so.
    case status(Int, retryAfter: Int64?)
    /// It did not answer in time.
    case timeout
    /// Nobody listened, or the connection could not be made; how long it took in milliseconds.
    case unconnected(milliseconds: Int)
    /// Any other failure: TLS, a broken answer, an address that is not allowed.
    case broken
    /// Nothing can be sent: the request itself is wrong.
    case invalid
}

/// What happens next to a delivery. Pure: the same id and attempt give the same times everywhere.
package enum RetryPlan {
    package enum Decision: Sendable, Equatable {
        case sent
        /// Microseconds from now; `isExtra`: at once, and not one of the plan's.
        case retry(after: Int64, isExtra: Bool = false)
        /// For good, until somebody replays it.
        case failed
        /// The receiver says it is gone: the delivery waits for the webhook to be enabled again.
        case disable
    }

    private static let second: Int64 = 1_000_000
    private static let minute = 60 * second
    private static let hour = 60 * minute

    /// After the first attempt, the second, …
    package static let delays: [Int64] = [
        5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
    ]

    /// So long after each of these attempts the next one comes at the latest, if the receiver asks for no more patience;
    /// with some time for writing it down.
    static let longestPlanned = delays.map { max($0 * 6 / 5, minute) + 10 * second }

    /// A receiver may ask for so much patience and no more.
    static let longestRetryAfter = 24 * hour

    /// - Parameters:
    ///   - attempt: 1 for the first one.
    ///   - hadExtra: There was a retry at once already.
    package static func decide(
        _ outcome: AttemptOutcome, id: UUID, attempt: Int, hadExtra: Bool, webhook: WebhookDefinition
    ) -> Decision {
        var least: Int64 = 0
        switch outcome {
        case .status(let status, let retryAfter):
            if webhook.success.includes(status) { return .sent }
            if status == 410 { return .disable }
            let isTemporary = [408, 425, 429].contains(status)
            if (400...499).contains(status), !isTemporary, !webhook.retries4xx { return .failed }
            if status == 429 { least = minute }
            // What the receiver says is any number at all.
            if let retryAfter {
                least = max(least, min(max(retryAfter, 0), longestRetryAfter / second) * second)
            }
        case .timeout: least = minute
        case .unconnected(let milliseconds):
            // The receiver may just be restarting behind its balancer.
            if !hadExtra, milliseconds < 1000 { return .retry(after: 0, isExtra: true) }
        case .broken, .invalid: break
        }
        let planned = max(attempt - (hadExtra ? 1 : 0), 1)
        guard planned <= delays.count else { return .failed }
        let jittered = delays[planned - 1] * (800 + jitter(id, attempt)) / 1000
        return .retry(after: max(jittered, least))
    }

    /// 0 to 400 thousandths, by id and attempt.
    private static func jitter(_ id: UUID, _ attempt: Int) -> Int64 {
        var word = id.high ^ id.low &* 0x9e37_79b9_7f4a_7c15 &+ UInt64(truncatingIfNeeded: attempt)
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return Int64((word ^ word >> 31) % 401)
    }

    /// The seconds of a `Retry-After`: a number, however large, or a date (RFC 9110, 10.2.3).
    package static func retryAfter(_ header: String?, now: Timestamp) -> Int64? {
        guard let header, !header.isEmpty else { return nil }
        if header.utf8.allSatisfy({ (48...57).contains($0) }) { return Int64(header) ?? .max }
        return HTTPDate.seconds(header, now: now).map { max($0 - now.seconds, 0) }
    }
}
