import Foundations
import Payload

/// What a receiver does with a delivery, and what that leads to: the brain of `webhook receive`. Pure.
///
/// It verifies signatures, drops repeats by `webhook-id`, and, told to be slow, failing or forgetful, says what such a
/// receiver would suffer.
package struct Bystander {
    package struct Behaviour: Sendable {
        /// Answers after so many microseconds.
        package var delay: Int64 = 0
        /// So many of a hundred are answered with `status`.
        package var failures = 0
        package var status = 500
        /// Does not remember which ids it had.
        package var isForgetful = false

        package init() {}
    }

    package struct Call {
        package var id: String?
        package var timestamp: String?
        package var signature: String?
        package var body: [UInt8]
        package init(id: String?, timestamp: String?, signature: String?, body: [UInt8]) {
            (self.id, self.timestamp, self.signature, self.body) = (id, timestamp, signature, body)
        }
    }

    package struct Verdict {
        package var status: Int
        package var lines: [String]
    }

    private let secrets: [SigningSecret]
    private let behaviour: Behaviour
    /// How often each id was answered with success, and the order in which they came, to forget the oldest.
    private var seen: [String: Int] = [:]
    private var order: [String] = []
    private var count = 0

    private static let remembered = 100_000
    /// How far a timestamp may be off, in seconds: what is older may be somebody's recording.
    private static let tolerance: Int64 = 300

    package init(secrets: [SigningSecret], behaviour: Behaviour) {
        (self.secrets, self.behaviour) = (secrets, behaviour)
    }

    package mutating func receive(_ call: Call, at now: Timestamp) -> Verdict {
        count += 1
        var lines = ["#\(count) \(now.iso8601) id \(call.id ?? "none"), \(call.body.count) bytes"]
        if let problem = verify(call, now) {
            lines.append("  refused with 401: \(problem)")
            lines.append(
                "  Waymark does not try again after a 401: the delivery has failed until it is replayed")
            return Verdict(status: 401, lines: lines)
        }
        if !secrets.isEmpty { lines.append("  the signature is right") }
        lines.append("  " + Self.json(of: call.body))
        if behaviour.delay > 0 { lines += Self.slowness(behaviour.delay) }
        // Spread evenly: of every hundred the first so many of each share.
        if behaviour.failures > 0, count * behaviour.failures / 100 > (count - 1) * behaviour.failures / 100 {
            lines += Self.failure(behaviour.status)
            return Verdict(status: behaviour.status, lines: lines)
        }
        lines += remember(call.id)
        return Verdict(status: 200, lines: lines)
    }

    private func verify(_ call: Call, _ now: Timestamp) -> String? {
        guard !secrets.isEmpty else { return nil }
        guard let id = call.id, let time = call.timestamp.flatMap({ Int64($0) }), let header = call.signature
        else {
            return "webhook-id, webhook-timestamp and webhook-signature must be there"
        }
        if abs(now.seconds - time) > Self.tolerance { return "the timestamp is \(now.seconds - time) s old" }
        let isRight = secrets.contains {
            $0.accepts(header: header, id: id, timestamp: time, body: call.body)
        }
        return isRight ? nil : "no signature in webhook-signature is right for these bytes and this secret"
    }

    private mutating func remember(_ id: String?) -> [String] {
        guard let id else { return ["  there is no webhook-id: a repeat could not be told"] }
        let times = (seen[id] ?? 0) + 1
        if seen.updateValue(times, forKey: id) == nil {
            order.append(id)
            if order.count > Self.remembered { seen[order.removeFirst()] = nil }
        }
        if times == 1 { return ["  answered 200"] }
        if behaviour.isForgetful {
            return [
                "  answered 200, and it was DONE AGAIN, for the \(times). time: a forgetful receiver suffers this",
                "  keep the ids of the last days, and answer 200 to a repeat without doing anything",
            ]
        }
        return ["  answered 200; a repeat, dropped by its id"]
    }

    /// The JSON in a body: of a form what `data` holds.
    static func json(of body: [UInt8]) -> String {
        guard body.starts(with: Array("data=".utf8)) else { return String(decoding: body, as: UTF8.self) }
        var text = ByteBuffer(capacity: body.count)
        body.withUnsafeBytes { bytes in
            _ = PercentDecoding.append(bytes.slice(5..<bytes.count), plusIsSpace: true, to: &text)
        }
        return text.bytes.text
    }

    private static func slowness(_ delay: Int64) -> [String] {
        let seconds = Double(delay) / 1_000_000
        let lines = ["  answers after \(seconds) s"]
        return lines
            + [
                delay >= 15_000_000
                    ? "  Waymark waits 15 s (`timeout`): it hangs up, counts a failure and tries again a minute later or more; what you did may be done again"
                    : "  each of the webhook's requests at a time (`limit.concurrency`, 10) is held up so long: at most \(Int(10 / max(seconds, 0.01))) deliveries a second"
            ]
    }

    private static func failure(_ status: Int) -> [String] {
        var lines = ["  answered \(status)"]
        switch status {
        case 410:
            lines.append("  Waymark disables the webhook: nothing is sent until `waymark webhook enable`")
        case 408, 425, 500...599:
            lines.append(
                "  Waymark tries again after 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, each ± 20 %"
            )
        case 429: lines.append("  Waymark tries again after a minute or more, or what Retry-After says")
        case 400...499:
            lines.append("  Waymark does not try again: the delivery has failed until it is replayed")
        case 201...299: lines.append("  not 200: a failure, unless the webhook says `success: 2xx`")
        default: lines.append("  a failure: it is tried again")
        }
        lines.append(
            "  where 70 % of ten or more calls in five minutes fail, the webhook is paused: one probe each 30 s"
        )
        return lines
    }
}
