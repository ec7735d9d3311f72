package import Foundations
package import Logging

/// The HTTP/1.1 server: listeners, one acceptor, and the lanes.
package final class HTTPServer: @unchecked Sendable {  // owner of the state: `queue`
    package let metrics = HTTPMetrics()
    private let lanes: [Lane]

    package init(
        options: HTTPOptions, logger: Logger, clock: Clock = .system,
        makeHandler: (Lane) -> any LaneHandler
    ) {
        lanes = (0..<options.lanes).map { Lane(index: $0, clock: clock) }
        for lane in lanes { _ = makeHandler(lane) }
    }

    /// Opens the sockets; returns the addresses that are listened on, as text.
    package func start() throws(SystemError) -> [String] { [] }
    /// Applies changed limits (SIGHUP).
    package func update(_ limits: Limits) {}
    /// Stops accepting, closes idle connections, lets what is in flight finish; calls back when all are closed.
    package func drain(within seconds: Int, _ done: @escaping @Sendable () -> Void) { done() }
}
