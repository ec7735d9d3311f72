import Dispatch
import Foundations
import Logging
import Postgres
import Synchronization

/// Says that this server lives while its loader is in a transaction that takes long.
///
/// As a rule a commit says so (`spool_position.alive_at`). A disk that is slow for a minute must not make the others
/// take a server for gone, and decide timers without the evidence that it is loading. A loader that pauses says nothing.
final class Heartbeat: @unchecked Sendable {  // owner of all `var`s: `queue`
    struct Pace {
        /// Milliseconds between two looks, and of loading after which it is said.
        var look = 5000
        var patience = 10_000
    }

    private let queue = DispatchQueue(label: "waymark.heartbeat", qos: .utility)
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private let instance: UUID
    private let pace: Pace
    private let clock: Clock
    private let logger: Logger
    private var conninfo: String?
    /// Only as long as it is needed.
    private var connection: Connection?
    /// Since when the loader is loading, by the monotonic clock; 0: it is not.
    private let since = Atomic<UInt64>(0)

    init(instance: UUID, pace: Pace = Pace(), clock: Clock, logger: Logger) {
        (self.instance, self.pace, self.clock, self.logger) = (instance, pace, clock, logger)
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + .milliseconds(pace.look), repeating: .milliseconds(pace.look))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.resume()
    }

    deinit { stop() }

    /// Says where PostgreSQL is; nil: nowhere at the moment.
    func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.disconnect()
        }
    }

    /// Loads, and says so if that takes long.
    func during<T, E: Error>(_ load: () throws(E) -> T) throws(E) -> T {
        since.store(clock.monotonic(), ordering: .relaxed)
        defer { since.store(0, ordering: .relaxed) }
        return try load()
    }

    func stop() {
        timer.cancel()
        interrupter.interrupt()
    }

    private func look() {
        let since = since.load(ordering: .relaxed)
        let patience = UInt64(pace.patience) * 1_000_000
        guard since > 0, clock.monotonic() - since >= patience, let conninfo else { return disconnect() }
        do throws(PostgresError) {
            try connected(conninfo).execute(
                """
                insert into heartbeat as h (instance, beats) values ($1, 1)
                on conflict (instance) do update set beats = h.beats + 1
                """, instance, context: "saying that this server lives")
        } catch {
            disconnect()
            if error.origin != .interrupted {
                logger.warning("cannot say that this server lives", metadata: ["error": "\(error)"])
            }
        }
    }

    private func connected(_ conninfo: String) throws(PostgresError) -> Connection {
        if let connection { return connection }
        let new = try Connection(conninfo, name: "waymark heartbeat", interrupter: interrupter)
        connection = new
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
    }
}
