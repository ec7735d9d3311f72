import Dispatch
import Enrolments
import Foundations
import Identity
import Logging
import Postgres

/// Decides what journeys wait for: timers that are due, and events that were given a person late.
///
/// There is no timer in memory: those that are due are found by an index, on a connection of its own. A timer is decided
/// once every living server has loaded up to it (`Horizon`), so that evidence which waits in another server's spool is
/// not missed. Any number of servers may do it at once: each timer is decided once, under its person's lock.
package final class JourneyTimers: @unchecked Sendable {  // owner of all `var`s: `queue`
    private let queue = DispatchQueue(label: "waymark.journeys", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private let setting: Locked<RulesInForce.Setting>
    private let metrics: LoaderMetrics
    private let isReady: @Sendable () -> Bool
    private let clock: Clock
    private let logger: Logger
    private let step: JourneyStep
    private var conninfo: String?
    private var connection: Connection?
    private var horizon = Horizon()
    private var refreshed: UInt64 = 0
    /// When it was looked for replays.
    private var looked: UInt64 = 0
    private var isKnown = false
    private var isFailing = false
    /// Called after a commit that queued deliveries, with their webhooks.
    private let onDeliveries: @Sendable (Set<String>) -> Void

    private static let period = 200
    /// So many are looked for at once …
    private static let most = 2000
    /// … and decided in one transaction, which locks their persons while it lasts.
    private static let chunk = 500
    /// So many replays are done at once.
    private static let replays = 50
    /// Each server begins elsewhere, so that they meet as seldom as may be.
    private let firstBucket = Int32.random(in: 0..<4096)

    package init(
        setting: Locked<RulesInForce.Setting>, metrics: LoaderMetrics, identity: IdentityRules,
        identityMetrics: IdentityMetrics, clock: Clock = .system, logger: Logger,
        isReady: @escaping @Sendable () -> Bool, onDeliveries: @escaping @Sendable (Set<String>) -> Void
    ) {
        (self.setting, self.metrics, self.clock, self.logger) = (setting, metrics, clock, logger)
        (self.isReady, self.onDeliveries) = (isReady, onDeliveries)
        step = JourneyStep(
            RulesInForce(setting.withLock { $0 }), identity: identity, metrics: identityMetrics)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .milliseconds(Self.period), repeating: .milliseconds(Self.period))
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

    /// The configuration changed.
    package func forget() { queue.async { self.isKnown = false } }

    package func stop() {
        timer.cancel()
        interrupter.interrupt()
    }

    private func run() {
        guard let conninfo, isReady() else { return }
        do throws(PostgresError) {
            let connection = try connected(conninfo)
            let isNew = try refresh(connection)
            if step.rules.isEmpty {
                // What nobody waited for starts nothing when somebody does.
                if isNew { try AttachedEvents.forget(connection) }
            } else {
                while try takeAttached(connection) {}
                // What was applied meanwhile may be what the next ones wait for.
                while try decideSome(connection) { _ = try refresh(connection) }
            }
            try replaySome(connection)
            isFailing = false
        } catch {
            disconnect()
            if error.origin == .interrupted || isFailing { return }
            isFailing = true
            logger.warning("timers of journeys are decided later", metadata: ["error": "\(error)"])
        }
    }

    /// False: a moment ago there was a look at what is in force.
    private func refresh(_ connection: Connection) throws(PostgresError) -> Bool {
        let now = clock.monotonic()
        guard !isKnown || now - refreshed > 1_000_000_000 else { return false }
        refreshed = now
        if isKnown, try RulesInForce.generation(connection) == step.rules.generation { return true }
        try step.read(setting.withLock { $0 }, connection, logger)
        isKnown = true
        return true
    }

    /// True: there may be more.
    private func decideSome(_ connection: Connection) throws(PostgresError) -> Bool {
        let now = clock.now()
        let servers = try Horizon.servers(connection)
        let (until, absent) = horizon.listen(to: servers, at: clock.monotonic(), wall: now)
        guard let until else { return false }
        let due = DueTimers.share(
            try DueTimers.find(until: until, limit: Self.most, besides: step.resting, connection),
            from: firstBucket)
        var decided = 0
        for start in stride(from: 0, to: due.count, by: Self.chunk) {
            let part = Array(due[start..<min(start + Self.chunk, due.count)])
            let outcome = try retrying(connection) { () throws(PostgresError) in
                try DueTimers.decide(part, without: absent, with: step, at: now, connection)
            }
            guard let outcome else { return false }
            metrics.timers.add(outcome.timers)
            decided += outcome.timers
            report(outcome)
            // Another server is at these: look for what is left.
            if outcome.timers < part.count / 2 { return decided > 0 }
        }
        return due.count >= Self.most && decided > 0
    }

    private func takeAttached(_ connection: Connection) throws(PostgresError) -> Bool {
        let now = clock.now()
        let taken = try retrying(connection) { () throws(PostgresError) in
            try AttachedEvents.step(limit: Self.chunk, with: step, at: now, connection)
        }
        guard let taken else { return false }
        report(taken.outcome)
        return taken.count == Self.chunk
    }

    /// What journeys were kept from, and is asked for: some at a time, so that timers are not held up for long.
    private func replaySome(_ connection: Connection) throws(PostgresError) {
        guard clock.monotonic() - looked > 500_000_000 else { return }
        looked = clock.monotonic()
        guard try JourneyReplays.isAsked(connection) else { return }
        // The journeys of this moment: they may have been mended just now.
        refreshed = 0
        _ = try refresh(connection)
        for _ in 0..<Self.replays {
            let result = try retrying(connection) { () throws(PostgresError) in
                try JourneyReplays.next(with: step, at: clock.now(), connection)
            }
            switch result {
            case nil, .nothing: return
            case .stays: metrics.replays.count("quarantined")
            case .ran(let outcome):
                metrics.replays.count("ran")
                report(outcome)
            }
        }
        looked = 0
    }

    private func report(_ outcome: JourneyStep.Outcome) {
        metrics.count(outcome)
        for warning in outcome.warnings {
            logger.warning("\(warning.text)", metadata: ["delivery": "\(warning.id)"])
        }
        if !outcome.webhooks.isEmpty { onDeliveries(outcome.webhooks) }
    }

    /// Nil: other servers were in the way; later.
    private func retrying<Result>(
        _ connection: Connection, _ body: () throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result? {
        for _ in 0..<3 {
            do throws(PostgresError) {
                return try body()
            } catch {
                guard error.isCollision else { throw error }
            }
        }
        return nil
    }

    private func connected(_ conninfo: String) throws(PostgresError) -> Connection {
        if let connection, connection.isUsable { return connection }
        let new = try Connection(conninfo, name: "waymark journeys", interrupter: interrupter)
        connection = new
        horizon.forget()
        isKnown = false
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
    }
}
