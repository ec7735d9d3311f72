import Dispatch
import Foundations
import Logging
import Outbound
import Postgres

/// Sends what is queued: claims due deliveries for all webhooks, posts them, and records what came of it.
///
/// Each webhook is a `Lane` with its own queue, concurrency and rate, so that one that hangs holds up no other. All of a
/// round is few statements, however many deliveries it moves. A crash between sending and recording makes the same
/// delivery go out again when the lease ends, under the same id.
package final class Sender: @unchecked Sendable {  // owner of all `var`s: `queue`
    package struct Options: Sendable {
        package var host = "localhost"
        /// Between two looks when nothing happens, in milliseconds.
        package var idle = 100
        /// How much longer than its time-out a delivery stays ours, in seconds.
        package var slack: Int64 = 30
        package var environment: @Sendable (String) -> String?

        package init(environment: @escaping @Sendable (String) -> String?) { self.environment = environment }
    }

    /// No lease is longer, in seconds: the largest time-out and the slack.
    static let longestLease: Int64 = 330

    let options: Options
    let logger: Logger
    let clock: Clock
    private let client: OutboundClient
    private let queue = DispatchQueue(label: "waymark.sender")
    private let interrupter = Interrupter()
    private let id: UUID
    private var conninfo: String?
    private var connection: Connection?
    var lanes: [String: Lane] = [:]
    var share = Claim.Share()
    private var lastRefresh: UInt64 = 0
    private var lastHeartbeat: UInt64 = 0
    private var retryAt: UInt64 = 0
    private var fault: String?
    private var isStopping = false
    private var onStopped: (@Sendable () -> Void)?
    private var alarm: UInt64?

    private struct Inbox {
        var results: [(claim: Claimed, at: Timestamp, result: Result<OutboundResponse, OutboundError>)] = []
        var woken: Set<String> = []
        var isWoken = false
    }
    private let inbox = Locked(Inbox())
    private var results: [AttemptResult] = []
    package let metrics = SenderMetrics()

    package init(client: OutboundClient, options: Options, clock: Clock = .system, logger: Logger) {
        (self.client, self.options, self.clock, self.logger) = (client, options, clock, logger)
        var random = RandomSource()
        id = .v4(&random)
    }

    /// Says where PostgreSQL is; nil: nowhere at the moment.
    package func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.disconnect()
            self.work()
        }
    }

    /// There is something new in the queue for these webhooks.
    package func wake(_ webhooks: Set<String> = []) {
        let isFirst = inbox.withLock { inbox in
            inbox.woken.formUnion(webhooks)
            defer { inbox.isWoken = true }
            return !inbox.isWoken
        }
        if isFirst { queue.async { self.work() } }
    }

    /// Sends no more, gives back what it has not sent, and waits so long for answers.
    package func stop(within milliseconds: Int, _ done: @escaping @Sendable () -> Void) {
        queue.async {
            self.isStopping = true
            self.onStopped = done
            self.giveBackAll()
            self.work()
            self.queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { self.finish() }
        }
    }

    // MARK: A round

    private func work() {
        drain()
        let now = clock.monotonic()
        if conninfo != nil, now >= retryAt {
            do throws(PostgresError) {
                try round(try connected(), now)
                fault = nil
            } catch {
                failed(error)
            }
        }
        if isStopping, results.isEmpty, lanes.values.allSatisfy({ $0.inFlight == 0 }) { return finish() }
        schedule()
    }

    /// Takes what came in: answers, and what was woken for.
    private func drain() {
        let (arrived, woken) = inbox.withLock { inbox in
            inbox.isWoken = false
            defer { (inbox.results, inbox.woken) = ([], []) }
            return (inbox.results, inbox.woken)
        }
        for name in woken { lanes[name]?.askAt = nil }
        for (claim, at, result) in arrived { note(claim, at, result) }
    }

    private func round(_ connection: Connection, _ now: UInt64) throws(PostgresError) {
        try dispatch(connection)
        try record(connection)
        // Meanwhile answers came, and each makes room for a request.
        drain()
        try dispatch(connection)
        if now - lastRefresh > 1_000_000_000 || lastRefresh == 0 {
            lastRefresh = now
            try flush(connection)
            try refresh(connection)
            if !lanes.isEmpty, now - lastHeartbeat > 3_000_000_000 || lastHeartbeat == 0 {
                lastHeartbeat = now
                try heartbeat(connection)
            }
        }
        if isStopping { return try flush(connection) }
        if try claim(connection) {
            drain()
            try dispatch(connection)
        }
    }

    /// Looks again at once when there is more to do, else after a while.
    private func schedule() {
        guard conninfo != nil else { return }
        let now = clock.now()
        let looks = lanes.values.compactMap { $0.nextLook(at: now) }.map {
            max($0.microseconds - now.microseconds, 0)
        }
        let soonest = results.isEmpty ? min(Int64(options.idle) * 1000, looks.min() ?? .max) : 0
        let at = clock.monotonic() + UInt64(max(soonest, 1000)) * 1000
        if let alarm, alarm <= at, alarm > clock.monotonic() { return }
        alarm = at
        queue.asyncAfter(deadline: .now() + .microseconds(Int(max(soonest, 1000)))) { [weak self] in
            guard let self, self.alarm == at else { return }
            self.alarm = nil
            self.work()
        }
    }

    // MARK: Claiming

    /// Whether something came.
    private func claim(_ connection: Connection) throws(PostgresError) -> Bool {
        let now = clock.now()
        try takeProbes(now, connection)
        let rooms = lanes.values.map { (webhook: $0.name, room: $0.room(at: now)) }.filter { $0.room > 0 }
        guard !rooms.isEmpty else { return false }
        let longest = rooms.map { lanes[$0.webhook]?.definition.timeout ?? 0 }.max() ?? 0
        let leaseUntil = now.adding(microseconds: longest + options.slack * 1_000_000)
        var claimed = try Claim.take(rooms, share: share, leaseUntil: leaseUntil, now: now, connection)
        for (webhook, _) in rooms where lanes[webhook]?.state == .paused {
            // Its deliveries may all wait for hours: a probe does not.
            if claimed.contains(where: { $0.webhook == webhook }) { continue }
            claimed += try Claim.takeEarly(webhook, leaseUntil: leaseUntil, now: now, connection)
        }
        var counts: [String: Int] = [:]
        for claim in claimed {
            lanes[claim.webhook]?.ready.append(claim)
            counts[claim.webhook, default: 0] += 1
        }
        for (webhook, room) in rooms {
            let count = counts[webhook] ?? 0
            lanes[webhook]?.claimed(count, of: room)
            // One that has nothing is asked again at the next look that is due to nothing.
            let pause = now.adding(microseconds: Int64(options.idle) * 1000 - 1000)
            lanes[webhook]?.askAt = count == 0 ? pause : nil
        }
        metrics.claimed.add(claimed.count)
        return !claimed.isEmpty
    }

    private func takeProbes(_ now: Timestamp, _ connection: Connection) throws(PostgresError) {
        for lane in lanes.values where lane.state == .paused && !lane.isProbing && lane.inFlight == 0 {
            guard let probeAt = lane.probeAt, probeAt <= now else { continue }
            let isOurs = try WebhookStore.takeProbe(lane.name, at: now, connection)
            lanes[lane.name]?.isProbing = isOurs
            lanes[lane.name]?.probeAt = now.adding(microseconds: Breaker.probeEvery)
        }
    }

    // MARK: Sending

    private func dispatch(_ connection: Connection) throws(PostgresError) {
        var requests: [(request: OutboundRequest, completion: OutboundCompletion)] = []
        defer { if !requests.isEmpty { client.send(requests) } }
        for name in lanes.filter({ !$0.value.ready.isEmpty }).keys {
            let now = clock.now()
            while lanes[name]?.ready.isEmpty == false, lanes[name]?.admits(at: now) == true {
                guard let claims = lanes[name]?.next(at: now), !claims.isEmpty else {
                    lanes[name]?.giveBackToken()
                    break
                }
                let isUrgent = claims.contains {
                    $0.leaseUntil < now.adding(microseconds: timeout(name) + 2_000_000)
                }
                // What lay too long would still be on its way when the lease ends: somebody finds it then.
                guard !isUrgent, let (claim, body) = try request(claims, at: now, connection) else {
                    lanes[name]?.giveBackToken()
                    continue
                }
                guard let endpoint = lanes[name]?.endpoint else { break }
                lanes[name]?.inFlight += 1
                let message = endpoint.request(id: claim.batch ?? claim.id, body: body, at: now)
                requests.append((message, { [weak self] result in self?.completed(claim, at: now, result) }))
            }
        }
    }

    private func timeout(_ name: String) -> Int64 { lanes[name]?.definition.timeout ?? 0 }

    /// The bytes of a request; nil: it cannot be sent (any more).
    private func request(
        _ claims: [Claimed], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> (claim: Claimed, body: [UInt8])? {
        guard let first = claims.first else { return nil }
        if first.batch != nil { return try BatchStore.read(first, connection) }
        if claims.count > 1 { return try BatchStore.form(claims, at: now, connection) }
        guard let envelope = WireBody.Envelope(first.envelope) else { return nil }
        return (first, WireBody.make([first.item], envelope, at: now))
    }

    /// On libcurl's thread: hands over.
    private func completed(_ claim: Claimed, at: Timestamp, _ result: Result<OutboundResponse, OutboundError>)
    {
        let isFirst = inbox.withLock { inbox in
            inbox.results.append((claim, at, result))
            defer { inbox.isWoken = true }
            return !inbox.isWoken
        }
        if isFirst { queue.async { self.work() } }
    }

    // MARK: Recording

    private func note(_ claim: Claimed, _ at: Timestamp, _ result: Result<OutboundResponse, OutboundError>) {
        guard let lane = lanes[claim.webhook] else { return }
        if case .failure(let error) = result, error.kind == .stopped {
            // It was not an attempt of the receiver's: the lease ends, and another server sends it.
            lanes[claim.webhook]?.inFlight -= 1
            return
        }
        let attempt = AttemptResult(claim, result, at: at, webhook: lane.definition)
        results.append(attempt)
        metrics.count(attempt)
        let turn = lanes[claim.webhook]?.note(attempt) ?? .none
        if attempt.decision == .disable {
            transitions.append((claim.webhook, .disabled, "the receiver answered 410 Gone"))
        } else if turn == .pause {
            transitions.append((claim.webhook, .paused, "most calls of the last five minutes failed"))
        } else if turn == .resume {
            transitions.append((claim.webhook, .active, nil))
        }
    }

    private var transitions: [(webhook: String, state: WebhookStatus.State, reason: String?)] = []

    private func record(_ connection: Connection) throws(PostgresError) {
        if !results.isEmpty {
            do throws(PostgresError) {
                try ResultStore.record(results, now: clock.now(), connection)
            } catch {
                guard error.isDataFault else { throw error }
                try recordOneByOne(connection)
            }
            results = []
        }
        for (name, state, reason) in transitions {
            let from: [WebhookStatus.State] =
                switch state {
                case .active: [.paused]
                case .paused: [.active]
                case .disabled: [.active, .paused]
                }
            let now = clock.now()
            let isNew = try WebhookStore.change(
                name, from: from, to: state, reason: reason, at: now, connection)
            lanes[name]?.state = state
            lanes[name]?.probeAt = now.adding(microseconds: Breaker.probeEvery)
            if isNew {
                logger.log(
                    level: state == .active ? .info : .warning, "webhook \(name) is \(state.rawValue)",
                    metadata: reason.map { ["reason": "\($0)"] })
            }
            if state != .active { try giveBack(name, connection) }
        }
        transitions = []
    }

    /// A result that no table takes must not keep the others from being recorded. Its delivery goes out again.
    private func recordOneByOne(_ connection: Connection) throws(PostgresError) {
        for result in results {
            do throws(PostgresError) {
                try ResultStore.record([result], now: clock.now(), connection)
            } catch {
                guard error.isDataFault else { throw error }
                logger.error(
                    "an attempt cannot be recorded",
                    metadata: ["delivery": "\(result.claim.id)", "error": "\(error)"])
            }
        }
    }

    private func giveBack(_ name: String, _ connection: Connection) throws(PostgresError) {
        guard let claims = lanes[name]?.empty() else { return }
        try Claim.release(claims, until: clock.now(), connection)
    }

    private func giveBackAll() {
        guard let connection, connection.isUsable else { return }
        for name in lanes.keys { try? giveBack(name, connection) }
    }

    // MARK: What the tables say

    /// Writes how the webhooks fared, all in one statement, and disables those that failed for too long.
    private func flush(_ connection: Connection) throws(PostgresError) {
        var tallies: [(name: String, tally: Lane.Tally)] = []
        for name in lanes.keys.sorted() {
            guard let tally = lanes[name]?.takeTally(), !tally.isEmpty else { continue }
            tallies.append((name, tally))
        }
        try TallyStore.write(tallies, connection)
        let now = clock.now()
        for lane in lanes.values where lane.state != .disabled {
            guard let since = lane.failingSince,
                now.microseconds - since.microseconds >= lane.definition.disableAfter
            else { continue }
            transitions.append(
                (lane.name, .disabled, "no success for \(lane.definition.disableAfter / 3_600_000_000) h"))
        }
        if !transitions.isEmpty { try record(connection) }
    }

    /// Takes over what was applied, paused, enabled or disabled elsewhere.
    private func refresh(_ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            "select \(WebhookStatus.columns) from webhook w", context: "reading webhooks")
        var seen: Set<String> = []
        for row in 0..<rows.count {
            let status = WebhookStatus(rows, row)
            seen.insert(status.name)
            try take(status, connection)
        }
        for name in lanes.keys where !seen.contains(name) && lanes[name]?.inFlight == 0 { lanes[name] = nil }
    }

    private func take(_ status: WebhookStatus, _ connection: Connection) throws(PostgresError) {
        var lane = lanes[status.name]
        if lane == nil || lane?.applied != status.applied {
            guard let definition = status.definition else {
                return logger.error("the definition of webhook \(status.name) cannot be read")
            }
            var endpoint: Endpoint?
            do throws(Endpoint.Fault) {
                endpoint = try Endpoint(definition, environment: options.environment)
            } catch {
                logger.error("\(error)", metadata: ["webhook": "\(status.name)"])
            }
            var new = lane ?? Lane(definition, endpoint)
            new.take(definition, endpoint)
            new.applied = status.applied
            lane = new
        }
        lane?.servers = Int(share.count)
        lane?.failingSince = status.failingSince
        lane?.probeAt = status.probeAt
        let changed = lane?.state != status.state
        lane?.state = status.state
        lanes[status.name] = lane
        if changed, status.state != .active { try giveBack(status.name, connection) }
    }

    /// Says that we are there, and learns who else is.
    private func heartbeat(_ connection: Connection) throws(PostgresError) {
        let now = clock.now()
        try connection.execute(
            """
            insert into sender (id, host, seen_at) values ($1, $2, $3)
            on conflict (id) do update set seen_at = excluded.seen_at
            """, id, options.host, now, context: "saying that we send")
        try connection.execute("delete from sender where seen_at < $1", now.adding(seconds: -3600))
        let rows = try connection.execute(
            "select id from sender where seen_at > $1 order by id", now.adding(seconds: -10))
        let all = (0..<rows.count).map { rows.uuid($0, 0) }
        let new = Claim.Share(
            index: Int32(all.firstIndex(of: id) ?? 0), count: Int32(max(all.count, 1)))
        if new != share {
            share = new
            logger.info(
                "deliveries are shared", metadata: ["servers": "\(new.count)", "our": "\(new.index)"])
        }
    }

    // MARK: The connection

    private func connected() throws(PostgresError) -> Connection {
        if let connection, connection.isUsable { return connection }
        guard let conninfo else { throw PostgresError(.lost, "no database yet", context: "connecting") }
        let new = try Connection(conninfo, name: "waymark sender", interrupter: interrupter)
        do {
            try migrate(new, Schema.migrations)
        } catch {
            throw PostgresError(.lost, "\(error)", context: "connecting")
        }
        connection = new
        lastRefresh = 0
        lastHeartbeat = 0
        return new
    }

    /// What was claimed is forgotten: its leases end by themselves. Answers that come are kept and recorded later.
    private func disconnect() {
        connection?.close()
        connection = nil
        for name in lanes.keys { lanes[name]?.ready = [] }
    }

    private func failed(_ error: PostgresError) {
        // A deadlock with another server, say: the same again, and nothing that was claimed is lost.
        if error.origin == .server, error.isRetryable, !error.isConnectionLost {
            logger.debug("a round of sending is tried again", metadata: ["error": "\(error)"])
            retryAt = clock.monotonic() + 20_000_000
            return
        }
        disconnect()
        if error.origin == .interrupted { return }
        if fault == nil { logger.error("sending pauses", metadata: ["error": "\(error)"]) }
        fault = "\(error)"
        retryAt = clock.monotonic() + 500_000_000
    }

    private func finish() {
        guard let done = onStopped else { return }
        onStopped = nil
        if let connection, connection.isUsable {
            try? record(connection)
            _ = try? connection.execute("delete from sender where id = $1", id)
        }
        conninfo = nil
        interrupter.interrupt()
        disconnect()
        done()
    }
}
