import Dispatch
import Enrolments
import Foundations
import Identity
import Logging
import Postgres
import Spool
import Synchronization

/// Brings the spool's records into PostgreSQL: batch by batch, each in one transaction with the position, so that
/// everything after the answer happens exactly once, whatever dies when.
///
/// It works on a queue of its own with a connection of its own. What is not the data's fault (PostgreSQL away, a
/// time-out, a full disk) waits and is tried again; it never skips and never gives up.
package final class Loader: @unchecked Sendable {  // owner of all `var`s: `queue`
    package struct Options: Sendable {
        /// Days for which client-given event ids are unique; nil: for ever.
        package var deduplicateDays: Int?
        /// This machine's name, for `spool_position`.
        package var host: String
        /// About how many events go into one transaction …
        package var events = 5000
        /// … and how many bytes.
        package var bytes = 8 << 20
        /// The least time from one batch to the next while there is little to load, in milliseconds.
        package var linger = 20
        /// How often an idle server says that it is alive, and up to when it has loaded, in milliseconds.
        package var heartbeat = 500
        /// When a statement is given up, in milliseconds: it waits for what somebody else has locked.
        var patience = 30_000
        /// When another server that is silent within a transaction counts as standing still, in seconds.
        var frozen = 45
        /// How a busy one does.
        var pulse = Heartbeat.Pace()
        /// The silence after which a session has ended, in microseconds; nil: sessions have no starts and ends.
        package var sessionTimeout: Int64?

        package init(deduplicateDays: Int?, host: String) {
            self.deduplicateDays = deduplicateDays
            self.host = host
        }
    }

    package let metrics = LoaderMetrics()
    package let identityMetrics = IdentityMetrics()
    /// What the catalogue is told after each commit.
    package let outcomes = LoadOutcomes()
    /// Called once, on the loader's queue, when the server must not go on: another installation's database.
    package var onFatal: (@Sendable (any Error) -> Void)?

    let queue = DispatchQueue(label: "waymark.loader", qos: .utility)
    private let spool: Spool
    private let cache: SessionCache
    private let installation: Installation
    private let receipts: Receipts
    private let options: Options
    private let clock: Clock
    private let logger: Logger
    private let positions: PositionStore
    private let interrupter = Interrupter()
    private let shared = Locked(LoaderStatus())
    private let isScheduled = Atomic<Bool>(false)
    private let rules = Locked(IdentityRules.none)

    private var conninfo: String?
    private var connection: Connection?
    private var transaction: BatchTransaction?
    private var reader: SpoolReader?
    /// Up to where the database has this spool.
    private var position = LoadPosition.start
    private var partitions = Partitions()
    private let note: LoadingNote
    private let pulse: Heartbeat
    /// What crashed the process before, until it is loaded or found.
    private var suspicion: Suspicion?
    private let batch = Batch()
    private let frozen = FrozenGate()
    /// What journeys need of the configuration.
    package let journeySetting = Locked(RulesInForce.Setting(Configuration()))
    private var journeys: JourneyGate?
    /// Called after a commit that queued deliveries, with their webhooks.
    package var onDeliveries: (@Sendable (Set<String>) -> Void)?
    /// About how many events are tried at once: as many as wanted, fewer after failures.
    private var batchSize: Int
    private var courtesy = Courtesy()
    /// Since the start, for the pace of what arrives.
    private var loadedBytes = 0
    /// Milliseconds to the next try after a failure; 0: all is well.
    private var backoff = 0
    private var retryAt: UInt64 = 0
    private var lastBegin: UInt64 = 0
    private var lastCheck: UInt64 = 0
    private var lastHeartbeat: UInt64 = 0
    /// Looks at an idle spool that are on their way: one at most.
    private(set) var alarms = 0
    /// The next batch ends within a record, since a whole one holds too many merges.
    private var isCutting = false
    /// So many merges take about 50 ms.
    private static let mostMerges = 800
    /// Nanoseconds after which a transaction was too large for this machine: what waits for it waits for all of it.
    private static let longest: UInt64 = 5_000_000_000
    /// A statement took too long: a server that stands still may have what it waited for.
    private var wasBlocked = false
    private var isStopping = false
    private var onStopped: (@Sendable () -> Void)?

    package init(
        spool: Spool, cache: SessionCache, installation: Installation, receipts: Receipts, options: Options,
        clock: Clock = .system, logger: Logger
    ) throws(SystemError) {
        self.spool = spool
        self.cache = cache
        self.installation = installation
        self.receipts = receipts
        self.options = options
        batchSize = options.events
        self.clock = clock
        self.logger = logger
        positions = PositionStore(instance: spool.instance, epoch: spool.epoch, host: options.host)
        pulse = Heartbeat(instance: spool.instance, pace: options.pulse, clock: clock, logger: logger)
        note = try LoadingNote(path: spool.directory + "/loading")
        suspicion = try note.suspicion()
        if let suspicion {
            logger.warning(
                "the server crashed while it was loading: trying with care",
                metadata: ["position": "\(suspicion.begin.record)", "events": "\(suspicion.events)"])
        }
        spool.onDurable { [weak self] in self?.wake() }
    }

    package var status: LoaderStatus { shared.withLock { $0 } }

    /// Says where PostgreSQL is, or that it is not there (nil).
    package func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.pulse.use(conninfo)
            self.backoff = 0
            if conninfo == nil { self.disconnect("PostgreSQL is starting") }
            self.work()
        }
    }

    /// Says what is looked for in events; from the next batch on.
    package func use(_ rules: IdentityRules) { self.rules.withLock { $0 = rules } }

    /// Loads what there is, if nothing is on its way already. From any thread.
    package func wake() {
        if !isScheduled.exchange(true, ordering: .acquiringAndReleasing) { queue.async { self.work() } }
    }

    /// Stops after the batch that is being loaded, or at once when PostgreSQL does not answer in time.
    package func stop(within milliseconds: Int, _ done: @escaping @Sendable () -> Void) {
        let interrupter = interrupter
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
            interrupter.interrupt()
        }
        queue.async {
            self.isStopping = true
            self.onStopped = done
            self.work()
        }
    }

    // MARK: The loop

    private func work() {
        isScheduled.store(false, ordering: .releasing)
        if isStopping, conninfo == nil || connection == nil || spool.durable <= position.record {
            return finish()
        }
        guard conninfo != nil else { return isStopping ? finish() : () }
        if backoff > 0, clock.monotonic() < retryAt { return isStopping ? finish() : again(after: backoff) }
        do {
            try step()
            backoff = 0
        } catch {
            failed(error)
        }
    }

    private func step() throws {
        let connection = try connected()
        // Whoever takes longer for a batch finds enough for the next one.
        let (now, next) = (clock.monotonic(), lastBegin + UInt64(options.linger) * 1_000_000)
        if now < next, !isStopping, !isFarBehind { return again(after: Int((next - now) / 1_000_000) + 1) }
        if yields() { return again(after: Courtesy.pause) }
        try fill()
        if batch.isEmpty { return try idle(connection) }
        // All of it: a partition that is waited for holds evidence up as well.
        try pulse.during { try load(connection) }
        try checkLedger(connection)
        again(after: 0)
    }

    /// In a burst Intake has the machine for a while.
    private func yields() -> Bool {
        if isStopping { return false }
        let (backlog, now) = (spool.backlogBytes, clock.monotonic())
        courtesy.look(arrived: loadedBytes + backlog, processors: .now(), at: now)
        return courtesy.yields(
            backlog: backlog, capacity: spool.options.capacity, someoneWaits: receipts.isAwaited, at: now)
    }

    /// Is there at least a batch to load?
    private var isFarBehind: Bool {
        let (end, begin) = (spool.durable, position.record)
        return end.segment != begin.segment || Int(end.offset) - Int(begin.offset) >= options.bytes
    }

    private func again(after milliseconds: Int) {
        guard milliseconds > 0 else { return wake() }
        if isScheduled.exchange(true, ordering: .acquiringAndReleasing) { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { self.work() }
    }

    private func finish() {
        pulse.stop()
        connection?.close()
        connection = nil
        onStopped?()
        onStopped = nil
    }

    // MARK: Connecting

    private func connected() throws -> Connection {
        if let connection, connection.isUsable, transaction != nil { return connection }
        guard let conninfo else { throw PostgresError(.lost, "no database yet", context: "connecting") }
        let new = try Connection(
            conninfo, name: "waymark loader", deadline: options.patience, interrupter: interrupter)
        let logger = logger
        new.onNotice = { $0.log(to: logger) }
        try migrate(new, Schema.migrations)
        try installation.load(new)
        guard let issuer = installation.issuer else { preconditionFailure("a confirmed secret is known") }
        try partitions.ensure([], today: clock.now().day, new)
        if wasBlocked { try endFrozen(new) }
        try new.keepStatements()
        let settler = Settler(
            cache: cache, issuer: issuer, rules: rules.withLock { $0 }, metrics: identityMetrics)
        let visits = options.sessionTimeout.map { VisitWriter(cache: cache, silence: $0) }
        let journeys = JourneyGate(
            journeySetting, identity: rules.withLock { $0 }, metrics: identityMetrics)
        self.journeys = journeys
        let writer = BatchWriter(
            settler: settler, visits: visits, frozen: frozen, journeys: journeys, instance: spool.instance,
            deduplicate: options.deduplicateDays, identityMetrics: identityMetrics)
        try goOn(from: positions.read(clock.now(), new))
        transaction = BatchTransaction(positions: positions, writer: writer)
        connection = new
        shared.withLock {
            $0.isConnected = true; $0.fault = nil
        }
        logger.info("connected to PostgreSQL", metadata: ["position": "\(position.record)"])
        return new
    }

    private func endFrozen(_ connection: Connection) throws(PostgresError) {
        wasBlocked = false
        let count = try FrozenSessions.end(after: options.frozen, connection)
        guard count > 0 else { return }
        logger.warning(
            "ended sessions of servers that stand still within a transaction", metadata: ["count": "\(count)"]
        )
    }

    /// Continues at the position that the database has. If it went back, the database is an older state of
    /// itself, and nothing that we remember of it can be trusted.
    private func goOn(from position: LoadPosition) throws {
        if position.record < self.position.record {
            logger.warning(
                "the database is older than it was: loading again", metadata: ["from": "\(position.record)"])
        }
        // Ahead as well: a commit took place of which nobody heard, so what it changed was never learnt.
        if position != self.position { cache.removeAll() }
        if position.record > spool.durable {
            throw SpoolAhead(stored: position.record, durable: spool.durable)
        }
        // A spool that the database does not know begins at its very beginning: when that is gone already, the
        // database lost what it had, and the reader refuses.
        reader = try spool.reader(from: position.record)
        self.position = position
        spool.release(upTo: position.record)
        outcomes.restart(at: position)
    }

    private func disconnect(_ reason: String) {
        connection?.close()
        connection = nil
        transaction = nil
        // What comes back may be another state of the database.
        partitions.forget()
        frozen.forget()
        shared.withLock {
            $0.isConnected = false; $0.fault = reason
        }
    }

    private func failed(_ error: any Error) {
        if let mismatch = error as? Installation.Mismatch {
            conninfo = nil
            disconnect("\(mismatch)")
            onFatal?(mismatch)
            return
        }
        metrics.databaseErrors.add()
        if let error = error as? PostgresError {
            wasBlocked = error.sqlstate == "57014" || error.origin == .deadline
        }
        let isNew = shared.withLock { $0.fault == nil || $0.isConnected }
        if isNew, !interrupter.isInterrupted {
            logger.error("loading pauses", metadata: ["error": "\(error)"])
        }
        // Whatever it was, the position decides: it is read again before anything is tried again.
        disconnect("\(error)")
        if isStopping { return finish() }
        // What took too long as one batch may go in smaller ones.
        batchSize = max(batchSize / 2, min(options.events, 100))
        backoff = min(max(backoff * 2, 100), 2000)
        retryAt = clock.monotonic() + UInt64(backoff) * 1_000_000
        again(after: backoff)
    }

    // MARK: Loading

    private func fill() throws {
        guard let reader else { return }
        if reader.position != position.record || position.part > 0 {
            self.reader = try spool.reader(from: position.record)
        }
        if let suspicion, suspicion.begin != position { self.suspicion = nil }
        try batch.fill(
            from: self.reader ?? reader, begin: position, events: suspicion?.trial.events ?? batchSize,
            bytes: options.bytes, exactly: suspicion != nil || isCutting)
    }

    private func load(_ connection: Connection) throws {
        guard let transaction else { return }
        transaction.writer.use(rules.withLock { $0 })
        transaction.writer.limit(merges: batchSize > Self.mostMerges ? Self.mostMerges : .max)
        lastBegin = clock.monotonic()
        let days = Set(batch.claims.lazy.map(\.receivedAt.day))
        try partitions.ensure(days, today: clock.now().day, connection)
        try frozen.refresh(at: clock.monotonic(), atOnce: batch.hasReplays, connection, logger)
        try journeys?.refresh(at: clock.monotonic(), connection, logger)
        accuse()
        let range = Suspicion(
            begin: position, events: max(batch.events.count, 1), crashes: suspicion?.trial.crashes ?? 0)
        let result = try note.trying(range) { () throws(PostgresError) in
            try transaction.run(batch, from: position, now: clock.now(), connection)
        }
        if result == .tooLarge {
            (batchSize, isCutting) = (Self.mostMerges, true)
            return
        }
        guard result == .committed else {
            logger.warning("another process loaded this spool: reading the position again")
            cache.removeAll()
            return try goOn(from: positions.read(clock.now(), connection))
        }
        position = batch.end
        let took = clock.monotonic() - lastBegin
        let isSlow = took > Self.longest
        batchSize = isSlow ? max(batchSize / 2, min(options.events, 100)) : min(batchSize * 2, options.events)
        isCutting = false
        metrics.count(transaction.writer.committed(at: clock.now()))
        lastHeartbeat = lastBegin + took
        spool.release(upTo: position.record)
        courtesy.loaded(bytes: batch.bytes, nanoseconds: took)
        loadedBytes += batch.bytes
        acquit()
        outcomes.committed(batch)
        reportJourneys()
        report(connection)
    }

    /// The one event that crashed the server for sure is not tried again: it goes into the quarantine.
    private func accuse() {
        guard let suspicion, suspicion.isFound, batch.events.count == 1 else { return }
        batch.events[0].refusal = Poison.crash(suspicion.crashes)
        logger.error("an event crashed the server and goes into the quarantine")
    }

    /// After a commit: what was stored is beyond suspicion.
    private func acquit() {
        guard let before = suspicion else { return }
        suspicion = before.without(first: batch.events.count, now: position)
        note.write(suspicion)
    }

    private func reportJourneys() {
        guard let outcome = journeys?.take() else { return }
        metrics.count(outcome)
        for warning in outcome.warnings {
            logger.warning("\(warning.text)", metadata: ["delivery": "\(warning.id)"])
        }
        if !outcome.webhooks.isEmpty { onDeliveries?(outcome.webhooks) }
    }

    /// Tells those who wait, and counts.
    private func report(_ connection: Connection) {
        metrics.batches.add()
        let now = clock.now().microseconds
        for (i, request) in batch.requests.enumerated() {
            for event in batch.events[request.events] {
                if event.refusal?.isPoison == true { metrics.poison.add() }
                guard let outcome = event.outcome else { continue }
                if request.original == nil { metrics.count(outcome) } else { metrics.replays.count(outcome) }
            }
            if request.original != nil { continue }
            metrics.toCommit.record(microseconds: Int(now - batch.claims[i].receivedAt.microseconds))
            if request.flags.contains(.waits) { deliver(request, batch.claims[i], connection) }
        }
    }

    private func deliver(_ request: Batch.Request, _ claim: Claim, _ connection: Connection) {
        var traits: [UInt8]?
        if request.flags.contains(.wantsTraits), let profile = claim.profile {
            traits = try? Profile.publicTraits(of: profile, connection)
        }
        let events = batch.events[request.events].map { (id: $0.view.id, outcome: $0.outcome ?? .stored) }
        var conflicts: Set<Int> = []
        for (place, i) in request.events.enumerated() where batch.events[i].refusal?.isConflict == true {
            conflicts.insert(place)
        }
        let warnings = claim.contested ? ["session-has-another-profile"] : []
        // A source's own id is echoed as it was sent, whatever it means by now.
        let profile = claim.basis == .fixed ? claim.answered : claim.profile ?? claim.answered
        receipts.deliver(
            task: request.task,
            Receipt(
                profile: profile, traits: traits, sessionSaved: claim.sessionSaved,
                events: events, conflicts: conflicts, warnings: warnings))
    }

    // MARK: Idling

    /// Nothing to load: says so to the other servers now and then, which also tells whether the database is there.
    private func idle(_ connection: Connection) throws {
        if isStopping { return finish() }
        let now = clock.monotonic()
        if now - lastHeartbeat > UInt64(options.heartbeat) * 1_000_000 {
            let tide = spool.tide()
            // Something came just now: it is loaded first.
            if tide.end > position.record { return again(after: options.linger) }
            lastHeartbeat = now
            let isOurs = try positions.advance(
                from: position, to: position, loadedUntil: tide.time, now: clock.now(), connection)
            if !isOurs { try goOn(from: positions.read(clock.now(), connection)) }
            try partitions.ensure([], today: clock.now().day, connection)
        }
        try checkLedger(connection)
        if alarms > 0 { return }
        alarms += 1
        queue.asyncAfter(deadline: .now() + .milliseconds(options.heartbeat + 100)) { [weak self] in
            self?.alarms -= 1
            self?.wake()
        }
    }

    private func checkLedger(_ connection: Connection) throws {
        let now = clock.monotonic()
        guard position.part == 0, now - lastCheck > 5_000_000_000 else { return }
        lastCheck = now
        let mismatch = try Ledger.mismatch(instance: spool.instance, connection)
        let before = shared.withLock { status in
            defer { status.ledgerMismatch = mismatch }
            return status.ledgerMismatch
        }
        if let mismatch, before == nil {
            logger.error("the ledger does not add up", metadata: ["line": "\(mismatch)"])
        }
    }
}
