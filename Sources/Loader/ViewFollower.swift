import Activities
import Dispatch
import Foundations
import Logging
import Postgres

/// Keeps the typed views up with the catalogue, on a queue and a connection of its own: a view that somebody reads for
/// an hour holds up nothing but itself.
final class ViewFollower: @unchecked Sendable {  // owner of all `var`s: `queue`
    private let queue = DispatchQueue(label: "waymark.views", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let metrics: CatalogueMetrics
    private let clock: Clock
    private let logger: Logger
    private let interrupter = Interrupter()
    private var conninfo: String?
    private var connection: Connection?
    private var maker: ViewMaker?
    /// When those that failed are tried again, in monotonic nanoseconds.
    private var retryAt: [String: UInt64] = [:]
    private var complaints: Set<String> = []

    /// Seconds between two looks for what was left behind, by us or by a server that died.
    private static let period = 5

    init(metrics: CatalogueMetrics, clock: Clock, logger: Logger) {
        self.metrics = metrics
        self.clock = clock
        self.logger = logger
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .seconds(Self.period), repeating: .seconds(Self.period))
        timer.setEventHandler { [weak self] in self?.run() }
        timer.resume()
    }

    func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.disconnect()
        }
    }

    /// Something changed. From any thread.
    func wake() { queue.async { self.run() } }

    func stop() {
        timer.cancel()
        interrupter.interrupt()
    }

    private func run() {
        guard let conninfo, metrics.isConnected.current == 1 else { return }
        do {
            let connection = try connected(conninfo)
            guard let maker else { return }
            let waiting = retryAt.keys.filter { !isDue($0) }
            let keys = try maker.pending(now: clock.now(), except: waiting, connection)
            for key in keys { try follow(key, maker, connection) }
            // There may be more of them: each look takes these away, whether they were done or failed.
            if keys.count == ViewMaker.page { wake() }
        } catch {
            if !interrupter.isInterrupted { complain("the typed views wait", "\(error)") }
            disconnect()
        }
    }

    private func connected(_ conninfo: String) throws -> Connection {
        if let connection, connection.isUsable { return connection }
        let new = try Connection(conninfo, name: "waymark views", interrupter: interrupter)
        let made = ViewMaker(limits: try SummaryLimits(new))
        try made.followBuiltIn(now: clock.now(), new)
        maker = made
        connection = new
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
    }

    private func isDue(_ key: String) -> Bool { clock.monotonic() >= retryAt[key] ?? 0 }

    /// One that fails is tried again in a while, and holds up none of the others.
    private func follow(_ key: String, _ maker: ViewMaker, _ connection: Connection) throws {
        do {
            try maker.follow(key, now: clock.now(), connection)
            retryAt[key] = nil
        } catch {
            if !connection.isUsable { throw error }
            metrics.viewErrors.add()
            // Somebody reads the view: that passes. Anything else may not.
            let isLocked = (error as? PostgresError)?.sqlstate == "55P03"
            retryAt[key] = clock.monotonic() + (isLocked ? 2_000_000_000 : 60_000_000_000)
            if !isLocked { complain("a typed view cannot be changed", "\(key): \(error)") }
        }
    }

    private func complain(_ message: Logger.Message, _ error: String) {
        if complaints.count > 1000 { complaints.removeAll() }
        if complaints.insert(error).inserted { logger.error(message, metadata: ["error": "\(error)"]) }
    }
}
