import Foundations
import Logging
import Postgres

/// A PostgreSQL of our own: made on the first start, run as a child, stopped with us.
package final class EmbeddedPostgres: Sendable {
    package enum State: Sendable, Equatable {
        case stopped
        case starting
        case running(conninfo: String)
        /// It is tried again by itself, but an operator should know.
        case failed(reason: String)
    }

    /// `directory`: the data directory; the cluster goes into `postgres` below it.
    package init(directory: String, logger: Logger) {}

    /// Returns at once. `onChange` is called on a queue of its own with each new state.
    package func start(_ onChange: @escaping @Sendable (State) -> Void) {}

    /// Stops the server, at the latest after about `milliseconds`, and calls back.
    package func stop(within milliseconds: Int = 20_000, _ done: @escaping @Sendable () -> Void) { done() }

    package var state: State { .stopped }

    /// The connection string of the cluster below a data directory, whether it runs or not; nil: there is none.
    package static func conninfo(directory: String) -> String? { nil }
}
