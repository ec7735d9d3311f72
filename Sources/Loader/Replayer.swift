import Dispatch
import Foundations
import Logging
import Payload
import Postgres
import Spool

/// Does the replays that are asked for, on every server: claims rows of the quarantine, has each judged again, and
/// puts what is taken now into the spool, from where the loader stores it as it stores everything.
///
/// Nothing is promised here and nothing can be lost: until a loader has taken the row, the replay is still asked for.
/// While the spool is full, or has much to load already, replays wait.
package final class Replayer: @unchecked Sendable {  // owner of all `var`s: `queue`
    package typealias Judge = @Sendable (QuarantinedEvent, inout ByteBuffer) -> ReplayVerdict

    private let queue = DispatchQueue(label: "waymark.replayer", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private let spool: Spool
    private let metrics: ReplayMetrics
    private let judge: Judge
    private let claims: ReplayClaims
    private let clock: Clock
    private let logger: Logger
    private var conninfo: String?
    private var connection: Connection?
    /// Claimed, and not read yet.
    private var claimed: [ReplayClaims.Claim] = []
    /// What was claimed before the connection was made may be in the spool up to here: it is given back when that is
    /// loaded. So the spool never holds two replays of an event. Nil: it is given back.
    private var releaseAt: Position?
    /// A frame is on its way to the disk.
    private var isBusy = false
    private var isStopping = false
    private var retryAt: UInt64 = 0
    private var countAt: UInt64 = 0
    private var forgetAt: UInt64 = 0

    /// Rows claimed at once, and bytes read at once.
    private static let most = 500
    private static let mostBytes = 1 << 20
    /// With more to load than this, replays wait.
    private static let backlog = 8 << 20
    /// For so many days it can be told what became of a replay.
    private static let days: Int64 = 30

    package init(
        spool: Spool, metrics: ReplayMetrics, clock: Clock = .system, logger: Logger, judge: @escaping Judge
    ) {
        self.spool = spool
        self.metrics = metrics
        self.judge = judge
        self.clock = clock
        self.logger = logger
        claims = ReplayClaims(instance: spool.instance)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .milliseconds(500), repeating: .milliseconds(500))
        timer.setEventHandler { [weak self] in self?.work() }
        timer.resume()
    }

    /// Says where PostgreSQL is; nil: nowhere at the moment.
    package func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            if conninfo == nil { self.disconnect() }
        }
    }

    /// Begins nothing new. What is on its way to the disk gets there.
    package func stop() {
        timer.cancel()
        interrupter.interrupt()
        queue.async {
            self.isStopping = true
            self.disconnect()
        }
    }

    private func work() {
        guard !isBusy, !isStopping, conninfo != nil, clock.monotonic() >= retryAt else { return }
        do throws(PostgresError) {
            let connection = try connected()
            try keepBooks(connection)
            if let place = releaseAt, let released = spool.released, released >= place {
                try claims.release(connection)
                releaseAt = nil
            }
            while !isBusy, !spool.isFull, spool.backlogBytes < Self.backlog {
                if claimed.isEmpty { claimed = try claims.take(Self.most, connection) }
                if claimed.isEmpty { return }
                try replay(nextPart(), connection)
            }
        } catch {
            failed(error)
        }
    }

    // MARK: Connecting

    private func connected() throws(PostgresError) -> Connection {
        if let connection, connection.isUsable { return connection }
        let new = try Connection(conninfo ?? "", name: "waymark replayer", interrupter: interrupter)
        // The loader makes the tables.
        let there = try new.execute("select to_regclass('replay') is not null")
        guard there.bool(0, 0) else {
            new.close()
            throw PostgresError(.lost, "the tables are not there yet", context: "replaying")
        }
        releaseAt = spool.durable
        connection = new
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
        claimed.removeAll()
    }

    private func failed(_ error: PostgresError) {
        retryAt = clock.monotonic() + 2_000_000_000
        if error.origin == .server, !error.isRetryable {
            logger.error("replays pause", metadata: ["error": "\(error)"])
        }
        disconnect()
    }

    // MARK: Replaying

    /// As many of the claimed rows as may be in memory at once.
    private func nextPart() -> [UUID] {
        var (count, bytes) = (0, 0)
        while count < claimed.count, count == 0 || bytes + claimed[count].bytes <= Self.mostBytes {
            bytes += claimed[count].bytes
            count += 1
        }
        defer { claimed.removeFirst(count) }
        return claimed.prefix(count).map(\.id)
    }

    private func replay(_ ids: [UUID], _ connection: Connection) throws(PostgresError) {
        let frame = Frame { [weak self] _, result in
            guard let self else { return }
            self.queue.async { self.finish(ids, result) }
        }
        var kept: [Quarantine.Kept] = []
        for event in try claims.read(ids, connection) {
            if case .kept(let reason, let pointer, let detail) = judge(event, &frame.body) {
                kept.append(Quarantine.Kept(id: event.id, reason: reason, pointer: pointer, detail: detail))
            }
        }
        try Quarantine.keep(kept, at: clock.now(), connection)
        for _ in kept { metrics.count(.quarantined) }
        if frame.body.count == 0 { return }
        frame.receivedAt = clock.now()
        isBusy = true
        spool.submit(frame)
    }

    /// The submissions are on disk, and the loader does the rest; or they could not be written, and are tried again.
    private func finish(_ ids: [UUID], _ result: Result<Void, SpoolError>) {
        isBusy = false
        if case .failure(let error) = result, !isStopping {
            logger.warning("replays could not be written", metadata: ["error": "\(error)"])
            retryAt = clock.monotonic() + 2_000_000_000
            if let connection, connection.isUsable { try? claims.release(ids, connection) }
        }
        work()
    }

    // MARK: Books

    /// Counts the quarantine now and then, the less often the longer it takes, and forgets old replays.
    private func keepBooks(_ connection: Connection) throws(PostgresError) {
        let begun = clock.monotonic()
        if begun >= countAt {
            metrics.note(try Quarantine.counts(connection))
            let now = clock.monotonic()
            countAt = now + max(10_000_000_000, (now - begun) * 100)
        }
        if begun >= forgetAt {
            let day = clock.now().adding(seconds: -Self.days * 86_400)
            try connection.execute("delete from replay where at < $1", day)
            forgetAt = begun + 3_600_000_000_000
        }
    }
}
