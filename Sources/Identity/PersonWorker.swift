import Dispatch
import Foundations
import Logging
import Outbound
import Postgres

/// What becomes of persons apart from the loader, and never in its way: questions to other systems, what was too
/// much for one transaction, and events that waited long enough.
///
/// It works on a queue of its own with a connection of its own, a short transaction at a time. Any number of servers
/// may do it at once.
package final class PersonWorker: @unchecked Sendable {  // owner of all `var`s: `queue`
    private let queue = DispatchQueue(label: "waymark.persons", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private let cache: SessionCache
    private let installation: Installation
    private let metrics: IdentityMetrics
    private let isReady: @Sendable () -> Bool
    private let clock: Clock
    private let logger: Logger
    private var rules: IdentityRules
    private var conninfo: String?
    private var connection: Connection?
    private var settler: Settler?
    private var client: OutboundClient?
    private var answers = AnswerCache()
    private var asking = 0
    private var tidiedAt: UInt64 = 0
    private var isFailing = false

    /// Questions on their way at a time.
    private static let most = 16
    /// For how long nobody else asks what this server asks, in seconds: longer than any time-out.
    private static let lease: Int64 = 90

    package init(
        _ rules: IdentityRules, cache: SessionCache, installation: Installation, metrics: IdentityMetrics,
        clock: Clock = .system, logger: Logger, every milliseconds: Int = 500,
        isReady: @escaping @Sendable () -> Bool
    ) {
        (self.rules, self.cache, self.installation, self.metrics) = (rules, cache, installation, metrics)
        (self.clock, self.logger, self.isReady) = (clock, logger, isReady)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .milliseconds(milliseconds), repeating: .milliseconds(milliseconds))
        timer.setEventHandler { [weak self] in self?.run() }
        timer.resume()
    }

    /// Says where PostgreSQL is; nil: nowhere at the moment.
    package func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.disconnect()
        }
    }

    /// The configuration was read again.
    package func use(_ rules: IdentityRules) {
        queue.async {
            self.rules = rules
            self.settler?.rules = rules
            self.answers = AnswerCache()
        }
    }

    package func stop() {
        timer.cancel()
        interrupter.interrupt()
        queue.async { self.client?.stop() }
    }

    private func run() {
        guard conninfo != nil, isReady() else { return }
        do {
            let connection = try connected()
            for chore in try Chores.open(connection) { try work(chore, connection) }
            try ask(connection)
            try tidy(connection)
            isFailing = false
        } catch {
            failed(error)
        }
    }

    private func failed(_ error: any Error) {
        disconnect()
        if interrupter.isInterrupted || isFailing { return }
        isFailing = true
        logger.warning("persons are seen to later", metadata: ["error": "\(error)"])
    }

    // MARK: Chores

    private func work(_ chore: Chores.Chore, _ connection: Connection) throws {
        let isDone = try transaction(connection) { () throws(PostgresError) in
            switch chore.kind {
            case "merge":
                try UUID(chore.key).map { id throws(PostgresError) in try Chores.shorten(id, connection) }
            default: try attach(chore, connection)
            }
        }
        if isDone != false { try Chores.close(chore, connection) }
    }

    /// True: no more events wait for it.
    private func attach(_ chore: Chores.Chore, _ connection: Connection) throws(PostgresError) -> Bool {
        let parts = chore.key.split(separator: "\n", maxSplits: 1).map(String.init)
        guard parts.count == 2, let kind = rules.kind(named: parts[0]),
            let owner = try People.find(kind: parts[0], value: parts[1], connection)
        else { return true }
        guard let person = try Chores.lock(owner, connection) else { return false }
        let key = Kinship.Key(kind, Array(parts[1].utf8))
        let (attached, changes) = try WaitingEvents.attach(
            [(key, person)], at: clock.now(), rules, connection)
        try TraitWriter.write(changes, after: Settlement(), rules, metrics, connection)
        metrics.attached.add(attached.count)
        return attached.count < WaitingEvents.mostAttached
    }

    private func tidy(_ connection: Connection) throws {
        guard clock.monotonic() - tidiedAt > 10_000_000_000 || tidiedAt == 0 else { return }
        tidiedAt = max(clock.monotonic(), 1)
        metrics.expired.add(try Chores.expire(at: clock.now(), connection))
        try Chores.forget(at: clock.now(), connection)
    }

    // MARK: Asking outside

    private func ask(_ connection: Connection) throws {
        if rules.lookups.isEmpty { return }
        let room = Self.most - asking
        if room <= 0 { return }
        let due = try LookupQueue.claim(room, at: clock.now(), lease: Self.lease, connection)
        for question in due {
            guard let options = rules.lookups[question.source] else {
                metrics.lookupsFailed.add()
                let error = "the source has no lookup any more"
                try LookupQueue.finish(question, state: "failed", status: nil, error: error, connection)
                continue
            }
            if let answer = answers.answer(question.url, at: clock.now()) {
                try settle(question, answer, status: nil, connection)
            } else {
                try send(question, options)
            }
        }
    }

    private func send(_ question: LookupQueue.Question, _ options: OutsideLookup) throws {
        let client = try self.client ?? OutboundClient(logger: logger)
        self.client = client
        var request = OutboundRequest(
            method: "GET", url: question.url, headers: [(name: "Accept", value: "application/json")])
        if let user = options.user {
            request.authorization = .basic(user: user, password: options.password ?? "")
        }
        request.timeout = Int(options.timeout / 1000)
        request.connectTimeout = min(request.connectTimeout, request.timeout)
        request.allowNetworks = options.allowNetworks
        request.maxResponse = 64 << 10
        asking += 1
        client.send(request) { [weak self] result in
            guard let self else { return }
            self.queue.async { self.answered(question, options, result) }
        }
    }

    private func answered(
        _ question: LookupQueue.Question, _ options: OutsideLookup,
        _ result: Result<OutboundResponse, OutboundError>
    ) {
        asking -= 1
        guard conninfo != nil else { return }
        do {
            let connection = try connected()
            switch result {
            case .failure(let error):
                if error.kind == .stopped { return }
                try retry(question, status: nil, "\(error)", connection)
            case .success(let response): try take(response, question, options, connection)
            }
        } catch {
            // The lease ends, and it is asked again.
            failed(error)
        }
    }

    private func take(
        _ response: OutboundResponse, _ question: LookupQueue.Question, _ options: OutsideLookup,
        _ connection: Connection
    ) throws {
        var answer: OutsideAnswer?
        switch response.status {
        case 204, 404: answer = .nobody
        case 200..<300 where !response.isTruncated:
            answer = OutsideAnswer(response.body, rules, country: rules.country)
        default: break
        }
        guard let answer else {
            let found =
                response.isTruncated ? "more than 64 KiB" : "status \(response.status), no object of JSON"
            let error = "wanted 200 with an object of JSON, or 404; found \(found)"
            return try retry(question, status: response.status, error, connection)
        }
        answers.keep(answer, question.url, until: clock.now().adding(microseconds: options.cache))
        try settle(question, answer, status: response.status, connection)
    }

    private func retry(
        _ question: LookupQueue.Question, status: Int?, _ error: String, _ connection: Connection
    ) throws {
        var next: Timestamp?
        switch OutsideRetry.verdict(attempt: question.attempt, status: status) {
        case .again(let seconds): next = clock.now().adding(seconds: seconds)
        case .never: break
        }
        (next == nil ? metrics.lookupsFailed : metrics.lookupsRetried).add()
        logger.warning(
            next == nil ? "a look-up failed" : "a look-up is tried again",
            metadata: ["source": "\(question.source)", "event": "\(question.event)", "error": "\(error)"])
        try LookupQueue.finish(
            question, state: "failed", status: status, error: String(error.prefix(500)), next: next,
            connection)
    }

    /// Writes whom the event is about, and what is known of him.
    private func settle(
        _ question: LookupQueue.Question, _ answer: OutsideAnswer, status: Int?, _ connection: Connection
    ) throws {
        guard let first = answer.shown.first, let settler, let issuer = installation.issuer else {
            metrics.lookupsEmpty.add()
            return try LookupQueue.finish(question, state: "nobody", status: status, error: nil, connection)
        }
        let now = clock.now()
        // Whoever is known by none of it becomes a person of that name.
        let person = issuer.profile(forIdentity: rules.kinds[first.kind].name, first.value)
        let sign = Sign(event: 0, claim: 0, shown: answer.shown, changes: answer.changes)
        try transaction(connection) { () throws(PostgresError) in
            var claims = [Claim(outside: person, receivedAt: now)]
            let settlement = try settler.settle(&claims, [sign], connection)
            guard let profile = settlement.profile(ofEvent: 0, claim: 0) else { return }
            let event = WaitingEvents.Found(
                event: question.event, receivedAt: question.receivedAt, bucket: question.event.bucket,
                profile: profile, effects: question.effects)
            let mine = try WaitingEvents.attach([event], at: now, connection)
            let others = try WaitingEvents.attach(settlement.awaited, at: now, rules, connection)
            let stamp = TraitState.Stamp(now, question.event)
            let told = (settlement.changes(by: sign) + answer.changes).map {
                ProfileChange(profile, $0, stamp, source: question.source)
            }
            try TraitWriter.write(
                mine.changes + others.changes + told, after: settlement, rules, metrics, connection)
            try LookupQueue.finish(question, state: "found", status: status, error: nil, connection)
            metrics.attached.add(mine.attached.count + others.attached.count)
        }
        metrics.lookupsFound.add()
    }

    // MARK: The database

    /// A transaction that meets another server's is tried again.
    @discardableResult
    private func transaction<Result>(
        _ connection: Connection, _ body: () throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        var tries = 0
        while true {
            do throws(PostgresError) {
                let result = try connection.transaction(context: "seeing to persons") {
                    () throws(PostgresError) in
                    try connection.script("set local enable_seqscan = off")
                    return try body()
                }
                settler?.committed(at: clock.now())
                return result
            } catch {
                settler?.rolledBack(to: Settler.Mark())
                tries += 1
                guard error.isCollision, tries < 5 else { throw error }
            }
        }
    }

    private func connected() throws -> Connection {
        if let connection, connection.isUsable { return connection }
        guard let conninfo else { throw PostgresError(.lost, "no database yet", context: "connecting") }
        let new = try Connection(conninfo, name: "waymark persons", interrupter: interrupter)
        settler = installation.issuer.map {
            Settler(cache: cache, issuer: $0, rules: rules, metrics: metrics)
        }
        connection = new
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
        settler = nil
    }
}

/// Answers of other systems, for as long as they are good.
private struct AnswerCache {
    private var answers: [String: (answer: OutsideAnswer, until: Timestamp)] = [:]
    private static let most = 10_000

    func answer(_ url: String, at now: Timestamp) -> OutsideAnswer? {
        answers[url].flatMap { $0.until > now ? $0.answer : nil }
    }

    /// When it is full, all of it goes: that is rare, and costs a question each.
    mutating func keep(_ answer: OutsideAnswer, _ url: String, until: Timestamp) {
        if answers.count >= Self.most { answers.removeAll() }
        answers[url] = (answer, until)
    }
}
