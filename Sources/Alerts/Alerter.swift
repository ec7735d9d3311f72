import Dispatch
import Foundations
import Logging
import Outbound
import Postgres

/// Mails about webhooks that fail and that work again.
///
/// Once a second it looks at the table `webhook`; what was mailed is in the table `alert`, so that a restart repeats no
/// mail and forgets none. Of several servers, one takes a mail by moving its `try_at` ahead.
package final class Alerter: @unchecked Sendable {  // owner of all `var`s: `queue`
    /// What stands in a webhook's definition.
    package typealias Audience = @Sendable (_ webhook: String, _ definition: String) -> AlertAudience

    private let server: MailServer?
    private let audience: Audience
    private let client: OutboundClient
    private let clock: Clock
    private let logger: Logger
    private let queue = DispatchQueue(label: "waymark.alerter")
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private var conninfo: String?
    private var connection: Connection?
    /// Mails that are on their way.
    private var sending: Set<String> = []
    private var random = RandomSource()
    private let wrong = Locked<[String: String]>([:])
    /// Mails that not everybody got, by webhook, and what is said of them.
    private var unreached: [String: Unreached] = [:] {
        didSet { missed.withLock { $0 = unreached.mapValues(\.text) } }
    }
    private let missed = Locked<[String: String]>([:])
    package let mailed = Counter()
    package let failed = Counter()

    /// For how long another server leaves a mail to the one that took it, in seconds.
    private static let lease: Int64 = 60

    package init(
        server: MailServer?, client: OutboundClient, every milliseconds: Int = 1000, clock: Clock = .system,
        logger: Logger, audience: @escaping Audience
    ) {
        (self.server, self.client, self.clock, self.logger) = (server, client, clock, logger)
        self.audience = audience
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(
            deadline: .now() + .milliseconds(milliseconds), repeating: .milliseconds(milliseconds),
            leeway: .milliseconds(milliseconds / 10))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.resume()
    }

    package func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.connection?.close()
            self.connection = nil
        }
    }

    package func stop() {
        timer.cancel()
        interrupter.interrupt()
    }

    /// Why a mail cannot be sent at the moment, or whom it did not reach, for `/readyz`; nil: nothing is in the way.
    package var fault: String? {
        func first(_ texts: [String: String], _ verb: String) -> String? {
            texts.min { $0.key < $1.key }.map { "the mail about webhook \($0.key) \(verb) \($0.value)" }
        }
        return first(wrong.withLock { $0 }, "cannot be sent:")
            ?? first(missed.withLock { $0 }, "did not reach")
    }

    private func look() {
        guard let conninfo else { return }
        do throws(PostgresError) {
            let connection = try connected(conninfo)
            let now = clock.now()
            let candidates = try AlertStore.candidates(connection)
            let names = Set(candidates.map(\.facts.webhook))
            wrong.withLock { wrong in for name in wrong.keys where !names.contains(name) { wrong[name] = nil }
            }
            for candidate in candidates { try consider(candidate, now, connection) }
            try tryAgain(now, connection)
        } catch {
            connection?.close()
            connection = nil
            // The tables may not be made yet; whoever makes them says what is wrong with the database.
            logger.debug("alerts look again later", metadata: ["error": "\(error)"])
        }
    }

    private func consider(
        _ candidate: AlertStore.Candidate, _ now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let name = candidate.facts.webhook
        guard !sending.contains(name) else { return }
        let (rule, label): (AlertRule, String)
        switch audience(name, candidate.definition) {
        case .told(let known, label: let text): (rule, label) = (known, text)
        case .unknown(let reason):
            // It stays to be told: by another server, or by this one once it can.
            return note(name, reason)
        case .nobody:
            // Should there be a rule one day, it is for what fails from then on.
            wrong.withLock { $0[name] = nil }
            let (figures, memory) = (candidate.figures, candidate.memory)
            guard figures.failures > memory.mailedFailures || memory.isFailing else { return }
            return try AlertStore.pass(name, figures.failures, now: now, connection)
        }
        guard let mail = AlertPlan.due(candidate.figures, candidate.memory, rule, now: now) else {
            return wrong.withLock { $0[name] = candidate.error == nil ? nil : $0[name] }
        }
        guard let server else { return note(name, "no smtp is configured") }
        guard candidate.tryAt ?? now <= now else {
            // Also one that failed before this server started.
            if let error = candidate.error { note(name, error) }
            return
        }
        let until = now.adding(seconds: Self.lease)
        guard try AlertStore.take(name, until: until, now: now, connection) else { return }
        var facts = candidate.facts
        facts.label = label
        try AlertStore.complete(&facts, connection)
        let text = AlertText(mail, facts, now: now)
        let id = UUID.v7(at: now, &random)
        let message = MailMessage(
            from: server.from, to: rule.to, subject: text.subject, plain: text.plain, html: text.html,
            date: now,
            token: id.description)
        sending.insert(name)
        let tries = candidate.tries
        let memory = AlertPlan.after(mail, candidate.figures, candidate.memory, now: now)
        let bytes = message.bytes
        client.send(OutboundMail(server: server, to: rule.to, message: bytes)) { [weak self] result in
            guard let self else { return }
            self.queue.async {
                self.finished(name, memory, tries: tries, result)
                self.noteUnreached(name, bytes, result)
            }
        }
    }

    // MARK: Those whom a mail did not reach

    private func noteUnreached(
        _ name: String, _ message: [UInt8], _ result: Result<OutboundResponse, OutboundError>
    ) {
        guard case .success(let response) = result else { return }
        unreached[name] = Unreached(message, response.refusals, at: clock.now())
        log(name)
    }

    /// Sends mails to those again whom the mail server put off, and forgets who is not to be told any more.
    private func tryAgain(_ now: Timestamp, _ connection: Connection) throws(PostgresError) {
        guard let server, !unreached.isEmpty else { return }
        let definitions = try AlertStore.definitions(of: Array(unreached.keys), connection)
        for (name, mail) in unreached where !sending.contains(name) {
            var (mail, addresses) = (mail, [String]())
            switch definitions[name].map({ audience(name, $0) }) {
            case .told(let rule, label: _): addresses = rule.to
            case .unknown: continue
            case .nobody, nil: break
            }
            unreached[name] = mail.keep(addresses) ? mail : nil
            let due = mail.due(at: now)
            if due.isEmpty { continue }
            sending.insert(name)
            client.send(OutboundMail(server: server, to: due, message: mail.message)) { [weak self] result in
                guard let self else { return }
                self.queue.async { self.triedAgain(name, result) }
            }
        }
    }

    private func triedAgain(_ name: String, _ result: Result<OutboundResponse, OutboundError>) {
        sending.remove(name)
        let left = try? result.get().refusals
        unreached[name]?.tried(left, at: clock.now())
        if unreached[name]?.refusals.isEmpty == true { unreached[name] = nil }
        if left != nil { log(name) }
    }

    private func log(_ name: String) {
        guard let mail = unreached[name] else { return }
        logger.error(
            "an alert did not reach everybody", metadata: ["webhook": "\(name)", "without": "\(mail.text)"])
    }

    private func finished(
        _ name: String, _ memory: AlertPlan.Memory, tries: Int,
        _ result: Result<OutboundResponse, OutboundError>
    ) {
        sending.remove(name)
        let now = clock.now()
        do throws(PostgresError) {
            guard let conninfo else { return }
            let connection = try connected(conninfo)
            switch result {
            case .success:
                mailed.add()
                wrong.withLock { $0[name] = nil }
                try AlertStore.sent(name, memory, now: now, connection)
                logger.info("mailed about a webhook", metadata: ["webhook": "\(name)"])
            case .failure(let error):
                failed.add()
                note(name, error.message)
                let next = now.adding(microseconds: AlertPlan.patience(tries: tries))
                try AlertStore.notSent(name, error.message, next: next, connection)
            }
        } catch {
            logger.error("an alert cannot be noted", metadata: ["error": "\(error)"])
        }
    }

    /// Says it once in the log, and in `/readyz` for as long as it lasts.
    private func note(_ name: String, _ reason: String) {
        let isNew = wrong.withLock { wrong in
            defer { wrong[name] = reason }
            return wrong[name] != reason
        }
        if isNew {
            logger.error("an alert cannot be mailed", metadata: ["webhook": "\(name)", "error": "\(reason)"])
        }
    }

    private func connected(_ conninfo: String) throws(PostgresError) -> Connection {
        if let connection, connection.isUsable { return connection }
        let new = try Connection(conninfo, name: "waymark alerts", interrupter: interrupter)
        connection = new
        return new
    }
}
