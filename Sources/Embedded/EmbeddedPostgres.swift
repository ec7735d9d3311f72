import Dispatch
import Foundations
import Logging
import Postgres

/// A PostgreSQL of our own: made on the first start, run as a child, started again when it dies, stopped with us.
///
/// It listens on a Unix socket in a folder that only its user (and root) may enter, and nowhere else. When we were
/// killed, it goes on as an orphan; the next start adopts it. See `ClusterLayout` for its files.
///
///     let postgres = EmbeddedPostgres(directory: "./data", logger: logger)
///     postgres.start { state in … }
package final class EmbeddedPostgres: Sendable {
    package enum State: Sendable, Equatable {
        case stopped
        case starting
        case running(conninfo: String)
        /// It is tried again by itself, but an operator should know.
        case failed(reason: String)
    }

    private struct Shared {
        var state = State.stopped
        var isStarted = false
        var patience = 20_000
    }

    private let layout: ClusterLayout
    private let logger: Logger
    private let interrupter = Interrupter()
    /// Its only block is the supervisor, which sleeps most of the time; what is asked after it comes when it is over.
    private let queue = DispatchQueue(label: "waymark.embedded")
    private let shared = Locked(Shared())

    /// `directory`: the data directory; the cluster goes into `postgres` below it.
    package init(directory: String, logger: Logger) {
        layout = ClusterLayout(data: directory)
        self.logger = logger
    }

    /// Returns at once; only once for each object. `onChange` is called on the supervisor's queue with each new
    /// state, and must not wait there.
    package func start(_ onChange: @escaping @Sendable (State) -> Void) {
        let isFirst = shared.withLock { shared in
            defer { shared.isStarted = true }
            return !shared.isStarted
        }
        precondition(isFirst, "an embedded PostgreSQL is started once")
        queue.async { [self] in
            let supervisor = Supervisor(layout: layout, logger: logger, interrupter: interrupter) { state in
                self.shared.withLock { $0.state = state }
                onChange(state)
            }
            supervisor.run { self.shared.withLock { $0.patience } }
        }
    }

    /// Stops the server with a fast shutdown, after `milliseconds` with an immediate one; calls back on the
    /// supervisor's queue when it is gone. From any thread.
    package func stop(within milliseconds: Int = 20_000, _ done: @escaping @Sendable () -> Void) {
        shared.withLock { $0.patience = milliseconds }
        interrupter.interrupt()
        queue.async(execute: done)
    }

    package var state: State { shared.withLock { $0.state } }

    /// The connection string of the cluster below a data directory, whether it runs or not; nil: there is none.
    package static func conninfo(directory: String) -> String? {
        let layout = ClusterLayout(data: directory)
        return Files.exists(layout.version) ? layout.conninfo() : nil
    }
}
