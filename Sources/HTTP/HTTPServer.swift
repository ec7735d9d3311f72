internal import Dispatch
package import Foundations
import Glibc
package import Logging

/// The HTTP/1.1 server: listeners, one acceptor, and the lanes among which connections are divided.
///
///     let server = HTTPServer(options: options, logger: logger) { lane in Answerer(lane) }
///     print(try server.start())
///
/// It knows nothing of what requests are about: each lane has a handler of its own, made by `makeHandler`.
package final class HTTPServer: @unchecked Sendable {  // owner: whoever calls `start`
    package let metrics = HTTPMetrics()
    private let options: HTTPOptions
    private let logger: Logger
    private let shared: HTTPShared
    private let makeHandler: (Lane) -> any LaneHandler
    private var lanes: [Lane] = []
    private var acceptor: Acceptor?

    package init(
        options: HTTPOptions, logger: Logger, clock: Clock = .system,
        makeHandler: @escaping (Lane) -> any LaneHandler
    ) {
        self.options = options
        self.logger = logger
        self.makeHandler = makeHandler
        shared = HTTPShared(clock: clock, metrics: metrics, trustedProxies: options.trustedProxies)
    }

    /// Opens the sockets; returns the addresses that are listened on, as text: `127.0.0.1:8686`, `[::1]:8686`,
    /// `unix:/path`. Called once.
    package func start() throws(SystemError) -> [String] {
        precondition(acceptor == nil, "a server starts once")
        raiseDescriptorLimit()
        var listeners: [Listener] = []
        for address in options.listen { listeners += try Listener.open(address) }
        for index in 0..<options.lanes {
            lanes.append(try Lane(index: index, limits: options.limits, shared: shared))
        }
        for lane in lanes {
            lane.handler = makeHandler(lane)
            lane.start()
        }
        let acceptor = Acceptor(
            lanes: lanes, limit: connectionLimit(options.limits.connections), metrics: metrics, logger: logger
        )
        self.acceptor = acceptor
        acceptor.start(listeners)
        return listeners.map(\.text)
    }

    /// Applies changed limits (SIGHUP).
    package func update(_ limits: Limits) {
        guard let acceptor else { return }
        let connections = connectionLimit(limits.connections)
        acceptor.queue.async { acceptor.setLimit(connections) }
        for lane in lanes { lane.queue.async { lane.limits = limits } }
    }

    /// Stops accepting, closes idle connections and lets what is in flight finish; calls back, on some queue,
    /// when the last connection is gone. After so many seconds the rest is cut off.
    package func drain(within seconds: Int, _ done: @escaping @Sendable () -> Void) {
        guard let acceptor else { return done() }
        let lanes = lanes
        acceptor.queue.async {
            acceptor.stop()
            let remaining = Locked(lanes.count)
            for lane in lanes {
                lane.queue.async {
                    lane.drain {
                        lane.stop()
                        let isLast = remaining.withLock { count in
                            count -= 1
                            return count == 0
                        }
                        if isLast { done() }
                    }
                }
                lane.queue.asyncAfter(deadline: .now() + .seconds(seconds)) { lane.closeAll() }
            }
        }
    }

    /// A connection is a descriptor: takes as many as the system lets us have.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        if limit.rlim_cur < limit.rlim_max {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let wanted = options.limits.connections
        let possible = connectionLimit(wanted)
        if possible < wanted {
            logger.warning("only \(limit.rlim_cur) descriptors are allowed: at most \(possible) connections")
        }
    }

    /// So many connections as are wanted, or as there are descriptors for, less some for everything else: too
    /// many connections are to be refused with an answer, not by a failing `accept`.
    private func connectionLimit(_ wanted: Int) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
        let descriptors = Int(clamping: limit.rlim_cur)
        return min(wanted, max(descriptors - Acceptor.refusable - 128, descriptors / 2))
    }
}
