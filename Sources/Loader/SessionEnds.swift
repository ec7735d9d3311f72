import Dispatch
import Foundations
import Identity
import Logging
import Postgres

/// Looks for sessions that have been silent for long enough, and ends them; never in the loader's way.
///
/// There is no timer for a session: those that are due are found by an index, again and again, on a connection of
/// its own. Silence is counted in event time, up to the moment to which *every* living server has loaded
/// (`Horizon`), so that an event which waits in another server's spool is not taken for silence. Any number of
/// servers may do it at once.
package final class SessionEnds: @unchecked Sendable {  // owner of all `var`s: `queue`
    private let queue = DispatchQueue(label: "waymark.sessions", qos: .background)
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private let ends: VisitEnds
    private let metrics: LoaderMetrics
    private let isReady: @Sendable () -> Bool
    private let clock: Clock
    private let logger: Logger
    private var conninfo: String?
    private var connection: Connection?
    private var horizon = Horizon()
    private var isFailing = false

    /// So many are looked for at once …
    private static let most = 2000
    /// … and ended in one transaction, which locks their sessions while it lasts.
    private static let chunk = 200

    /// - Parameters:
    ///   - silence: in microseconds.
    ///   - isReady: are the tables there?
    package init(
        silence: Int64, metrics: LoaderMetrics, clock: Clock = .system, logger: Logger,
        isReady: @escaping @Sendable () -> Bool
    ) {
        (self.metrics, self.clock, self.logger, self.isReady) = (metrics, clock, logger, isReady)
        ends = VisitEnds(silence: silence)
        timer = DispatchSource.makeTimerSource(queue: queue)
        let milliseconds = Int(max(100, min(1000, silence / 4000)))
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

    package func stop() {
        timer.cancel()
        interrupter.interrupt()
    }

    private func run() {
        guard let conninfo, isReady() else { return }
        do throws(PostgresError) {
            let connection = try connected(conninfo)
            while try endSome(connection) {}
            isFailing = false
        } catch {
            disconnect()
            if error.origin == .interrupted || isFailing { return }
            isFailing = true
            logger.warning("sessions are ended later", metadata: ["error": "\(error)"])
        }
    }

    /// True: there may be more.
    private func endSome(_ connection: Connection) throws(PostgresError) -> Bool {
        let now = clock.now()
        let servers = try Horizon.servers(connection)
        guard let until = horizon.listen(to: servers, at: clock.monotonic(), wall: now).until else {
            return false
        }
        let due = try ends.due(until: until, limit: Self.most, connection)
        // Servers that look at the same time begin at different places.
        let chunks = stride(from: 0, to: due.count, by: Self.chunk).shuffled()
        var isUndisturbed = true
        for start in chunks {
            let part = Array(due[start..<min(start + Self.chunk, due.count)])
            let ended = try ends.end(part, until: until, now: now, connection)
            metrics.sessionsEnded.add(ended ?? 0)
            if ended == nil { isUndisturbed = false }
        }
        return due.count == Self.most && isUndisturbed
    }

    private func connected(_ conninfo: String) throws(PostgresError) -> Connection {
        if let connection, connection.isUsable { return connection }
        let new = try Connection(conninfo, name: "waymark sessions", interrupter: interrupter)
        connection = new
        horizon.forget()
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
    }
}
