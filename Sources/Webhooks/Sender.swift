import ConfigurationFile
import Dispatch
import Foundations
import Logging
import Outbound
import Postgres

/// Sends what is queued: claims due deliveries for all webhooks, posts them, and records what came of it.
///
/// Each webhook is a `Lane` with its own queue, concurrency and rate, so that one that hangs holds up no other. The
/// database is asked by one `Errand` at a time, each of few statements however many deliveries it moves, while requests
/// go out and come back. A crash between sending and recording makes the same delivery go out again when the lease
/// ends, under the same id.
package final class Sender: @unchecked Sendable {  // owner of all `var`s: `queue`
    package struct Options: Sendable {
        package var host = "localhost"
        /// Between two looks when nothing happens, in milliseconds, beside other servers; alone it is ten times that,
        /// since whoever queues something here says so.
        package var idle = 100
        /// Between the beginnings of two errands at least, in milliseconds: what comes meanwhile shares one.
        package var pace = 10
        /// How much longer than its time-out a delivery stays ours, in seconds.
        package var slack: Int64 = 30
        /// Places of 32 KiB for requests on their way, of all webhooks: so much memory and so many descriptors may
        /// receivers that do not answer hold. One webhook alone gets half of them.
        package var inFlight = 2000
        /// Places of 4 KiB for what is claimed and not sent yet.
        package var ahead = 16_000
        package var environment: @Sendable (String) -> String?

        package init(environment: @escaping @Sendable (String) -> String?) { self.environment = environment }
    }

    /// No lease is longer, in seconds: the largest time-out, the longest that a batch is waited for, and the slack.
    static let longestLease: Int64 = 630

    private let options: Options
    private let logger: Logger
    private let clock: Clock
    private let client: OutboundClient
    private let store: SenderStore
    private let queue = DispatchQueue(label: "waymark.sender")
    private var lanes: LaneTable
    private var hasDatabase = false
    /// The errand that is being done.
    private var errand: Errand?
    /// What the next one takes along.
    private var next: Errand
    /// Since the last errand something happened that may want one.
    private var isStirred = true
    private var lastLook: UInt64 = 0
    private var lastRefresh: UInt64 = 0
    private var lastBeat: UInt64 = 0
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
    package let metrics = SenderMetrics()

    package init(client: OutboundClient, options: Options, clock: Clock = .system, logger: Logger) {
        (self.client, self.options, self.clock, self.logger) = (client, options, clock, logger)
        store = SenderStore(host: options.host, logger: logger)
        lanes = LaneTable(ahead: options.ahead, flight: options.inFlight)
        next = Errand(now: clock.now())
    }

    // MARK: From any thread

    /// Says where PostgreSQL is; nil: nowhere at the moment.
    package func use(_ conninfo: String?) {
        queue.async {
            self.hasDatabase = conninfo != nil
            self.store.use(conninfo)
            self.forget()
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
            self.next.giveBack += self.lanes.emptyAll()
            self.work()
            self.queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { self.finish() }
        }
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

    // MARK: A turn

    private func work() {
        drain()
        depart()
        if errand == nil, hasDatabase, clock.monotonic() >= max(retryAt, lastLook + pace) { begin() }
        if isStopping, errand == nil, next.isEmpty, lanes.isQuiet { return finish() }
        schedule()
    }

    private var pace: UInt64 { UInt64(options.pace) * 1_000_000 }

    /// Takes what came in: answers, and what was woken for.
    private func drain() {
        let (arrived, woken) = inbox.withLock { inbox in
            inbox.isWoken = false
            defer { (inbox.results, inbox.woken) = ([], []) }
            return (inbox.results, inbox.woken)
        }
        if !woken.isEmpty { isStirred = true }
        for name in woken { lanes.wake(name) }
        for (claim, at, result) in arrived { note(claim, at, result) }
    }

    /// Looks again when something is due, else after a while. An answer, or the end of an errand, comes by itself.
    private func schedule() {
        guard hasDatabase else { return }
        let (now, clockNow) = (clock.monotonic(), clock.now())
        var wait = Int64(options.idle) * 1000
        if let look = lanes.nextLook(at: clockNow) {
            wait = min(wait, max(look.microseconds - clockNow.microseconds, 1000))
        }
        if errand == nil, isStirred || !next.isEmpty {
            wait = min(wait, max(Int64(max(retryAt, lastLook + pace)) - Int64(now), 1_000_000) / 1000)
        }
        let at = now + UInt64(wait) * 1000
        if let alarm, alarm <= at, alarm > now { return }
        alarm = at
        queue.asyncAfter(deadline: .now() + .microseconds(Int(wait))) { [weak self] in
            guard let self, self.alarm == at else { return }
            self.alarm = nil
            self.work()
        }
    }

    // MARK: Sending

    private func depart() {
        if isStopping { return }
        let now = clock.now()
        var requests: [(request: OutboundRequest, completion: OutboundCompletion)] = []
        for departure in lanes.departures(at: now) {
            isStirred = true
            switch departure {
            case .single(let claim, let endpoint):
                guard let envelope = WireBody.Envelope(claim.envelope) else {
                    lanes.comeBack(claim.webhook, places: claim.places, sent: false)
                    continue
                }
                let body = WireBody.make([claim.item], envelope, at: now)
                requests.append(request(claim, body, endpoint, at: now))
            case .batch(let batch, let places):
                next.batches.append(batch)
                next.places.append(places)
            }
        }
        if !requests.isEmpty { client.send(requests) }
    }

    private func request(
        _ claim: Claimed, _ body: [UInt8], _ endpoint: Endpoint, at now: Timestamp
    ) -> (request: OutboundRequest, completion: OutboundCompletion) {
        let format = WireBody.Envelope(claim.envelope)?.format ?? endpoint.definition.format
        let message = endpoint.request(id: claim.batch ?? claim.id, body: body, format: format, at: now)
        return (message, { [weak self] result in self?.completed(claim, at: now, result) })
    }

    private func note(_ claim: Claimed, _ at: Timestamp, _ result: Result<OutboundResponse, OutboundError>) {
        guard let lane = lanes[claim.webhook] else { return }
        if case .failure(let error) = result, error.kind == .stopped {
            // It was not an attempt of the receiver's: the lease ends, and another server sends it.
            return lanes.comeBack(claim.webhook, places: claim.places)
        }
        let attempt = AttemptResult(claim, result, at: at, webhook: lane.definition)
        next.results.append(attempt)
        metrics.count(attempt)
        let turn = lanes.note(attempt)
        if attempt.decision == .disable {
            change(claim.webhook, to: .disabled, "the receiver answered 410 Gone")
        } else if turn == .pause {
            change(claim.webhook, to: .paused, "most calls of the last five minutes failed")
        } else if turn == .resume {
            change(claim.webhook, to: .active)
        }
    }

    /// Here at once, in the table with the next errand.
    private func change(_ webhook: String, to state: WebhookStatus.State, _ reason: String? = nil) {
        next.transitions.append(Errand.Transition(webhook: webhook, state: state, reason: reason))
        next.giveBack += lanes.change(webhook, to: state, at: clock.now())
    }

    // MARK: Errands

    private func begin() {
        let (now, monotonic) = (clock.now(), clock.monotonic())
        (lastLook, isStirred) = (monotonic, false)
        if monotonic - lastRefresh > 1_000_000_000 || lastRefresh == 0 {
            lastRefresh = monotonic
            for lane in lanes.hopeless(at: now) {
                change(
                    lane.name, to: .disabled,
                    "no success for \(lane.definition.disableAfter.durationText)")
            }
            next.tallies = lanes.takeTallies()
            next.known = lanes.lanes.compactMapValues(\.appliedAt)
            next.takesStrays = lanes.share.count > 1
            if !lanes.lanes.isEmpty, monotonic - lastBeat > 3_000_000_000 || lastBeat == 0 {
                lastBeat = monotonic
                next.beats = true
            }
        }
        if !isStopping {
            next.rooms = lanes.rooms(at: now)
            next.early = next.rooms.map(\.webhook).filter { lanes[$0]?.state == .paused }
            next.probes = lanes.dueProbes(at: now)
            let longest = (next.rooms.map(\.webhook) + next.probes).compactMap {
                lanes[$0]?.definition.longestStay
            }
            next.leaseUntil = now.adding(microseconds: (longest.max() ?? 0) + options.slack * 1_000_000)
        }
        guard !next.isEmpty else { return }
        (next.now, next.share) = (now, lanes.share)
        errand = next
        next = Errand(now: now)
        if let errand {
            store.run(errand) { [self] outcome in queue.async { self.end(outcome) } }
        }
    }

    private func end(_ outcome: Errand.Outcome) {
        guard let done = errand else { return }
        errand = nil
        let now = clock.now()
        if !outcome.isRecorded { next.results = done.results + next.results }
        if !outcome.areTalliesWritten { lanes.restore(done.tallies) }
        next.transitions = Array(done.transitions.dropFirst(outcome.transitions.count)) + next.transitions
        if let claimed = outcome.claimed { take(claimed, done, outcome, now) }
        send(outcome.batches, of: done, at: now)
        for (transition, isNew) in zip(done.transitions, outcome.transitions) where isNew { log(transition) }
        if let statuses = outcome.statuses { take(statuses) }
        if let share = outcome.share { take(share) }
        if let error = outcome.error { failed(error) } else { fault = nil }
        work()
    }

    private func take(_ claimed: [Claimed], _ done: Errand, _ outcome: Errand.Outcome, _ now: Timestamp) {
        for name in outcome.probes { lanes.probes(name) }
        let pause = Int64(options.idle) * (lanes.share.count > 1 ? 1000 : 10_000)
        let rooms = done.rooms + outcome.probes.map { ($0, 1) }
        next.giveBack += lanes.take(claimed, of: rooms, nextAt: now.adding(microseconds: pause - 1000))
        metrics.claimed.add(claimed.count)
        isStirred = isStirred || !claimed.isEmpty
        if isStopping { next.giveBack += lanes.emptyAll() }
    }

    /// Batches that were stored can go; the others are somebody else's, or are found when their lease ends.
    private func send(_ batches: [BatchStore.Stored?], of done: Errand, at now: Timestamp) {
        var requests: [(request: OutboundRequest, completion: OutboundCompletion)] = []
        for (i, wanted) in done.batches.enumerated() {
            let name = wanted.webhook
            guard !isStopping, i < batches.count, let (claim, body) = batches[i],
                let endpoint = lanes[name]?.endpoint
            else {
                lanes.comeBack(name, places: done.places[i], sent: false)
                continue
            }
            var leader = claim
            leader.places = done.places[i]
            requests.append(request(leader, body, endpoint, at: now))
        }
        if !requests.isEmpty { client.send(requests) }
    }

    private func log(_ transition: Errand.Transition) {
        logger.log(
            level: transition.state == .active ? .info : .warning,
            "webhook \(transition.webhook) is \(transition.state.rawValue)",
            metadata: transition.reason.map { ["reason": "\($0)"] })
    }

    // MARK: What the tables say

    /// Takes over what was applied, paused, enabled or disabled elsewhere.
    private func take(_ statuses: [Errand.Outcome.Status]) {
        let changing = Set(next.transitions.map(\.webhook))
        isStirred = true
        for status in statuses {
            if let applied = status.applied { define(status, applied) }
            next.giveBack += lanes.take(status, isChanging: changing.contains(status.name))
        }
        lanes.keep(Set(statuses.map(\.name)))
    }

    private func define(_ status: Errand.Outcome.Status, _ json: String) {
        guard let definition = WebhookDefinition(name: status.name, json: json) else {
            return logger.error("the definition of webhook \(status.name) cannot be read")
        }
        var endpoint: Endpoint?
        do throws(Endpoint.Fault) {
            endpoint = try Endpoint(definition, environment: options.environment)
        } catch {
            logger.error("\(error)", metadata: ["webhook": "\(status.name)"])
        }
        lanes.define(definition, endpoint, appliedAt: status.appliedAt)
    }

    private func take(_ share: Claim.Share) {
        guard share != lanes.share else { return }
        lanes.share = share
        logger.info(
            "deliveries are shared", metadata: ["servers": "\(share.count)", "our": "\(share.index)"])
    }

    // MARK: Faults and the end

    /// What was claimed is forgotten: its leases end by themselves. Answers that come are kept and recorded later.
    private func forget() {
        _ = lanes.emptyAll()
        for (batch, places) in zip(next.batches, next.places) {
            lanes.comeBack(batch.webhook, places: places, sent: false)
        }
        (next.giveBack, next.batches, next.places) = ([], [], [])
        (lastRefresh, lastBeat) = (0, 0)
    }

    private func failed(_ error: PostgresError) {
        if error.isWorthTheSameAgain {
            logger.debug("an errand of sending is tried again", metadata: ["error": "\(error)"])
            retryAt = clock.monotonic() + 20_000_000
            return
        }
        forget()
        if error.origin == .interrupted || !hasDatabase { return }
        if fault == nil { logger.error("sending pauses", metadata: ["error": "\(error)"]) }
        fault = "\(error)"
        retryAt = clock.monotonic() + 500_000_000
    }

    private func finish() {
        guard let done = onStopped else { return }
        onStopped = nil
        hasDatabase = false
        var last = Errand(now: clock.now())
        (last.giveBack, last.results, last.transitions) = (next.giveBack, next.results, next.transitions)
        last.results = (errand?.results ?? []) + last.results
        last.tallies = lanes.takeTallies()
        store.close(last, done)
    }
}
