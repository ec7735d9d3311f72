import Foundations
import Logging

/// The durable log between Intake and Loader.
package final class Spool: Sendable {
    package let options: SpoolOptions
    package let instance: UUID
    package let epoch: UUID

    package init(options: SpoolOptions, clock: Clock, logger: Logger) throws(SpoolError) {
        preconditionFailure("being built")
    }

    /// Where the segments lie.
    package var directory: String { options.directory }
    package func submit(_ frame: Frame) {}
    package var isFull: Bool { false }
    package var durable: Position { .start }
    package func onDurable(_ call: @escaping @Sendable () -> Void) {}
    package func reader(from position: Position?) throws(SpoolError) -> SpoolReader { SpoolReader() }
    package func release(upTo position: Position) {}
    package func tick() {}
    package var status: SpoolStatus { preconditionFailure("being built") }
    package func close(_ done: @escaping @Sendable () -> Void) {}
}
