import Foundations

/// What a mail about a webhook says.
package struct AlertFacts: Sendable {
    package var webhook: String
    package var label: String
    package var state: String
    package var reason: String?
    package var failingSince: Timestamp?
    package var lastSuccessAt: Timestamp?
    package var lastFailureAt: Timestamp?
    /// Of the last failure, as what follows: an attempt that arrived since is not what somebody is told of.
    package var lastStatus: Int?
    package var lastError: String?
    package var lastExcerpt: String?
    package var waiting = 0
    package var oldestWaiting: Timestamp?
    /// Deliveries that failed for good.
    package var failed = 0

    package init(webhook: String, label: String, state: String) {
        (self.webhook, self.label, self.state) = (webhook, label, state)
    }
}

/// The words of a mail: a heading, facts, and what to do; as plain text and as HTML.
struct AlertText {
    let subject: String
    private let heading: String
    private var facts: [(name: String, value: String)] = []
    private var advice: [(words: String, command: String)] = []

    init(_ mail: AlertPlan.Mail, _ alert: AlertFacts, now: Timestamp) {
        switch mail {
        case .failure(let new):
            let state = alert.state == "active" ? "fails" : "is \(alert.state)"
            let count = new > 0 ? ": \(new) failed attempt\(new == 1 ? "" : "s")" : ""
            subject = "Webhook \(alert.webhook) \(state)\(count)"
            heading =
                alert.failingSince == nil
                ? "Deliveries to \(alert.label) failed for a while; the last one arrived."
                : "Deliveries to \(alert.label) fail."
        case .recovery:
            subject = "Webhook \(alert.webhook) works again"
            heading = "Deliveries to \(alert.label) arrive again."
        }
        describe(mail, alert, now)
        advise(mail, alert)
    }

    private mutating func describe(_ mail: AlertPlan.Mail, _ alert: AlertFacts, _ now: Timestamp) {
        add("Webhook", "\(alert.webhook) (\(alert.label))")
        if alert.state != "active" { add("State", alert.state + (alert.reason.map { ": \($0)" } ?? "")) }
        if let since = alert.failingSince {
            add("Failing since", "\(since.readable), for \(Self.duration(now, since))")
        }
        switch mail {
        case .failure(let new), .recovery(let new):
            if new > 0 { add("Failed attempts", "\(new) since the last mail") }
        }
        if let last = alert.lastSuccessAt { add("Last success", last.readable) }
        if let last = alert.lastFailureAt { add("Last failure", last.readable) }
        if let error = alert.lastError { add("Last error", error) }
        if let status = alert.lastStatus { add("Last status", "\(status)") }
        if let excerpt = alert.lastExcerpt { add("It answered", excerpt) }
        add("Waiting", "\(alert.waiting) deliver\(alert.waiting == 1 ? "y" : "ies")")
        if let oldest = alert.oldestWaiting {
            add("Oldest waiting", "\(oldest.readable), for \(Self.duration(now, oldest))")
        }
        if alert.failed > 0 { add("Failed for good", "\(alert.failed), not tried again by themselves") }
    }

    private mutating func advise(_ mail: AlertPlan.Mail, _ alert: AlertFacts) {
        if alert.state != "active" {
            advice.append(
                (
                    "Once the receiver is mended, let it have what waits:",
                    "waymark webhook enable \(alert.webhook)"
                ))
        }
        if case .failure = mail {
            advice.append(("Try it and see the answer:", "waymark webhook test \(alert.webhook)"))
        } else if alert.failed == 0 {
            return
        }
        let words =
            alert.failed > 0
            ? "Send again what failed for good:"
            : "What waits is tried again by itself. What fails for good is sent again with:"
        advice.append((words, "waymark webhook replay \(alert.webhook) --since 14d"))
    }

    private mutating func add(_ name: String, _ value: String) { facts.append((name, Self.lines(value))) }

    /// With `\n` alone at line ends, whatever came: else a receiver's answer could look like lines of ours.
    private static func lines(_ text: String) -> String {
        text.replacing("\r\n", with: "\n").unicodeScalars.reduce(into: "") { result, scalar in
            let isEnd = (10...13).contains(scalar.value) || [0x85, 0x2028, 0x2029].contains(scalar.value)
            result.unicodeScalars.append(isEnd ? "\n" : scalar)
        }
    }

    var plain: String {
        let width = facts.map { $0.name.count }.max() ?? 0
        let lines = facts.map { name, value in
            let gap = String(repeating: " ", count: width - name.count)
            let value = value.split(separator: "\n", omittingEmptySubsequences: false)
                .joined(separator: "\n" + String(repeating: " ", count: width + 3))
            return "\(name):\(gap)  \(value)"
        }
        let commands = advice.map { "\($0.words)\n\n    \($0.command)" }
        return ([heading, lines.joined(separator: "\n")] + commands + ["Waymark"]).joined(separator: "\n\n")
            + "\n"
    }

    var html: String {
        let rows = facts.map { name, value in
            "<tr><th align=\"left\" valign=\"top\">\(Self.escaped(name))</th><td style=\"white-space:pre-wrap\">"
                + "\(Self.escaped(value))</td></tr>"
        }
        let commands = advice.map {
            "<p>\(Self.escaped($0.words))</p>\n<pre>\(Self.escaped($0.command))</pre>"
        }
        return """
            <!DOCTYPE html>
            <html><head><meta charset="utf-8"><title>\(Self.escaped(subject))</title></head>
            <body style="font-family:sans-serif">
            <h2>\(Self.escaped(heading))</h2>
            <table cellpadding="4">
            \(rows.joined(separator: "\n"))
            </table>
            \(commands.joined(separator: "\n"))
            <p>Waymark</p>
            </body></html>

            """
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `2 d 3 h`, `5 min`, `12 s`.
    static func duration(_ now: Timestamp, _ then: Timestamp) -> String {
        let seconds = max(now.seconds - then.seconds, 0)
        if seconds < 120 { return "\(seconds) s" }
        if seconds < 7200 { return "\(seconds / 60) min" }
        if seconds < 172_800 { return "\(seconds / 3600) h" }
        return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }
}

extension Timestamp {
    /// `2026-11-22 06:00:00 UTC`
    fileprivate var readable: String {
        let text = iso8601
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) UTC"
    }
}
