import Activities
import Dispatch
import Foundations
import Logging
import Postgres
import Spool
import Synchronization

/// Follows the spool behind the loader, and writes what it learns of the activities into the catalogue.
///
/// It works on a queue of its own with a connection of its own, at most once a second, and commits its position with
/// what it learnt: so everything is learnt exactly once, whatever dies when. It never holds the loader up; when it
/// lags behind, the spool keeps what it has yet to read, as long as there is room.
package final class Cataloguer: @unchecked Sendable {  // owner of all `var`s: `queue`
    package struct Options: Sendable {
        /// Activities in all; 0: nothing is learnt.
        package var activities: Int
        /// The least time between two flushes, in milliseconds.
        package var pace = 1000

        package init(activities: Int) { self.activities = activities }
    }

    package let metrics = CatalogueMetrics()

    /// How often it looks whether it was moved while there is nothing to flush, in paces.
    private static let look = 5

    let queue = DispatchQueue(label: "waymark.catalogue", qos: .utility)
    private let spool: Spool
    private let outcomes: LoadOutcomes
    private let options: Options
    private let clock: Clock
    private let logger: Logger
    private let positions: CataloguePosition
    private let guarding: LearningGuard
    private let views: ViewFollower
    private let interrupter = Interrupter()
    private let isScheduled = Atomic<Bool>(false)

    private var conninfo: String?
    private var connection: Connection?
    /// All that hangs on what the database says; made anew with each connection.
    private var state: CatalogueState?
    private var lastFlush: UInt64 = 0
    private var isLooking = false
    /// Milliseconds to the next try after a failure; 0: all is well.
    private var backoff = 0
    private var retryAt: UInt64 = 0
    private var fault: String?
    private var isStopping = false
    private var onStopped: (@Sendable () -> Void)?

    package init(
        spool: Spool, outcomes: LoadOutcomes, options: Options, clock: Clock = .system, logger: Logger
    ) throws(SystemError) {
        self.spool = spool
        self.outcomes = outcomes
        self.options = options
        self.clock = clock
        self.logger = logger
        guarding = try LearningGuard(path: spool.directory + "/learning", logger: logger)
        positions = CataloguePosition(instance: spool.instance, epoch: spool.epoch)
        views = ViewFollower(metrics: metrics, clock: clock, logger: logger)
        guard options.activities > 0 else { return }
        spool.hold(from: .start)
        outcomes.onCommit { [weak self] in self?.wake() }
    }

    /// Says where PostgreSQL is, or that it is not there (nil).
    package func use(_ conninfo: String?) {
        guard options.activities > 0 else { return }
        views.use(conninfo)
        queue.async {
            self.conninfo = conninfo
            self.backoff = 0
            if conninfo == nil { self.disconnect() }
            self.work()
        }
    }

    /// Learns what there is, if nothing is on its way already. From any thread.
    package func wake() {
        if !isScheduled.exchange(true, ordering: .acquiringAndReleasing) { queue.async { self.work() } }
    }

    /// Writes what was learnt, and stops; at once when PostgreSQL does not answer in time.
    package func stop(within milliseconds: Int, _ done: @escaping @Sendable () -> Void) {
        views.stop()
        let interrupter = interrupter
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(milliseconds)) {
            interrupter.interrupt()
        }
        queue.async {
            self.isStopping = true
            self.onStopped = done
            self.work()
            self.finish()
        }
    }

    // MARK: The loop

    private func work() {
        isScheduled.store(false, ordering: .releasing)
        guard conninfo != nil, onStopped != nil || !isStopping else { return }
        if backoff > 0, clock.monotonic() < retryAt { return again(after: backoff) }
        do {
            try step()
            backoff = 0
        } catch {
            failed(error)
        }
    }

    private func step() throws {
        guard let connection = try connected(), let state else { return }
        lookLater()
        // What is due to be written does not wait for all that there is to learn: that may be hours of events, or
        // never come to an end, and would be read again from its beginning after a crash.
        let (began, pace) = (clock.monotonic(), UInt64(options.pace) * 1_000_000)
        while !state.isFull, try state.step(connection), clock.monotonic() - began < pace {}
        let since = (clock.monotonic() - lastFlush) / 1_000_000
        if state.isClean { return }
        guard isStopping || since >= UInt64(options.pace) else {
            return again(after: options.pace - Int(since) + 1)
        }
        try flush(state, connection)
        if outcomes.position.record > state.position { wake() }
    }

    private func again(after milliseconds: Int) {
        if isStopping || isScheduled.exchange(true, ordering: .acquiringAndReleasing) { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { self.work() }
    }

    private func finish() {
        disconnect()
        onStopped?()
        onStopped = nil
    }

    // MARK: Being moved

    /// A rebuild moves the position of a server as well that has nothing to flush, and may not have for hours.
    private func lookLater() {
        if isLooking || isStopping { return }
        isLooking = true
        queue.asyncAfter(deadline: .now() + .milliseconds(options.pace * Self.look)) { [weak self] in
            self?.isLooking = false
            self?.look()
        }
    }

    private func look() {
        guard let connection, let state, !isStopping else { return }
        do {
            if state.isClean, try positions.read(clock.now(), connection) != state.position {
                try follow(connection)
            }
            lookLater()
        } catch {
            failed(error)
        }
    }

    private func follow(_ connection: Connection) throws {
        logger.warning("the catalogue's position moved: reading it again")
        try goOn(connection)
        wake()
    }

    // MARK: Connecting

    /// Nil until the loader has been in the database: it makes the tables, and knows whether it is ours.
    private func connected() throws -> Connection? {
        if let connection, connection.isUsable, state != nil { return connection }
        guard let conninfo, outcomes.isBegun else { return nil }
        let new = try Connection(conninfo, name: "waymark catalogue", interrupter: interrupter)
        let logger = logger
        new.onNotice = { $0.log(to: logger) }
        try goOn(new)
        connection = new
        metrics.isConnected.set(1)
        if fault != nil { logger.info("the catalogue goes on") }
        fault = nil
        views.wake()
        return new
    }

    /// Begins again where the database has this spool in the catalogue. What was learnt beyond is forgotten; it is
    /// in the spool.
    private func goOn(_ connection: Connection) throws {
        let limits = try SummaryLimits(connection)
        let reader = try reader(from: positions.read(clock.now(), connection), connection)
        state = CatalogueState(reader, limits: limits, activities: options.activities)
        spool.hold(from: reader.position)
    }

    private func reader(from position: Position, _ connection: Connection) throws -> CatalogueReader {
        let lost: Position
        do throws(SpoolError) {
            return try CatalogueReader(from: position, spool, outcomes, guarding)
        } catch {
            guard case .positionLost(_, let oldest) = error, position < oldest else { throw error }
            lost = oldest
        }
        try stepOver(from: position, to: lost, connection)
        return try CatalogueReader(from: lost, spool, outcomes, guarding)
    }

    /// The spool has dropped what was not in the catalogue yet: for want of room, or the database is older than that.
    private func stepOver(from position: Position, to oldest: Position, _ connection: Connection) throws {
        metrics.gaps.add()
        logger.error(
            """
            the spool no longer has what the catalogue has yet to learn; it goes on from the oldest that is kept. \
            `waymark activities rebuild` learns the rest from the stored events
            """,
            metadata: ["position": "\(position)", "oldest": "\(oldest)"])
        try positions.skip(from: position, to: oldest, now: clock.now(), connection)
    }

    private func disconnect() {
        connection?.close()
        connection = nil
        state = nil
        metrics.isConnected.set(0)
    }

    private func failed(_ error: any Error) {
        metrics.errors.add()
        let text = "\(error)"
        if fault != text, !interrupter.isInterrupted {
            logger.error("the catalogue pauses", metadata: ["error": "\(text)"])
        }
        fault = text
        disconnect()
        backoff = min(max(backoff * 2, 100), 2000)
        retryAt = clock.monotonic() + UInt64(backoff) * 1_000_000
        again(after: backoff)
    }

    // MARK: Flushing

    private func flush(_ state: CatalogueState, _ connection: Connection) throws {
        lastFlush = clock.monotonic()
        guard let result = try state.flush(positions, now: clock.now(), connection) else {
            return try follow(connection)
        }
        guarding.committed(upTo: state.position)
        let pinned = try positions.pinned(clock.now(), connection) ?? state.position
        spool.hold(from: min(pinned, state.position))
        metrics.flushes.add()
        metrics.events.add(result.events)
        metrics.changes.add(result.merged.entries)
        if let oldest = result.oldest {
            metrics.toCommit.record(microseconds: Int(clock.now().microseconds - oldest.microseconds))
        }
        for (source, overflow) in result.merged.overflows { report(overflow, of: source.text) }
        if !result.merged.changed.isEmpty { views.wake() }
    }

    private func report(_ overflow: Overflow, of source: String) {
        metrics.overflowed.add(overflow.events)
        logger.warning(
            "the catalogue has no room: the events are stored, and not learnt from",
            metadata: [
                "source": "\(source)", "activity": "\(overflow.activity)", "events": "\(overflow.events)",
            ])
    }
}
