private import CLinux
internal import Dispatch
internal import Foundations
import Glibc
internal import Logging

/// Takes new connections and gives each to the lane that has fewest.
final class Acceptor: @unchecked Sendable {  // owner of all state: `queue`
    /// How many of the connections that are too many are told so; beyond that they are just closed.
    static let refusable = 256
    /// How many are accepted before they are handed over.
    private static let batch = 64
    /// How long to wait when there are no descriptors left.
    private static let pause = DispatchTimeInterval.milliseconds(100)

    let queue = DispatchQueue(label: "waymark.acceptor", qos: .userInitiated)
    private let lanes: [Lane]
    private let metrics: HTTPMetrics
    private let logger: Logger
    private var limit: Int
    private var listeners: [Listener] = []
    private var sources: [any DispatchSourceRead] = []
    private var batches: [[Lane.Accepted]]
    private var isPaused = false

    init(lanes: [Lane], limit: Int, metrics: HTTPMetrics, logger: Logger) {
        self.lanes = lanes
        self.limit = limit
        self.metrics = metrics
        self.logger = logger
        batches = lanes.map { _ in [] }
    }

    func start(_ listeners: [Listener]) {
        self.listeners = listeners
        for listener in listeners {
            let source = DispatchSource.makeReadSource(fileDescriptor: listener.socket, queue: queue)
            source.setEventHandler { [unowned self] in accept(listener) }
            // The closure keeps the socket open until Dispatch has let go of it.
            source.setCancelHandler { _ = listener }
            sources.append(source)
            source.activate()
        }
    }

    func setLimit(_ limit: Int) { self.limit = limit }

    /// Takes what the kernel has accepted already, and closes the listeners.
    func stop() {
        if isPaused { resume() }
        for listener in listeners {
            accept(listener)
            listener.stop()
        }
        listeners = []
        for source in sources { source.cancel() }
        sources = []
    }

    private func accept(_ listener: Listener) {
        for _ in 0..<Self.batch {
            var (high, low): (UInt64, UInt64) = (0, 0)
            let socket = clinux_accept(listener.socket, &high, &low)
            if socket < 0 {
                noteFailure(errno, listener)
                break
            }
            place(socket, IPAddress(high: high, low: low))
        }
        for (lane, sockets) in zip(lanes, batches) where !sockets.isEmpty {
            lane.queue.async { lane.adopt(sockets) }
        }
        for i in batches.indices { batches[i] = [] }
    }

    private func place(_ socket: Int32, _ peer: IPAddress) {
        metrics.connectionsAccepted.add()
        var total = 0
        var best = 0
        for (i, lane) in lanes.enumerated() {
            let load = lane.load.current
            total += load
            if load < lanes[best].load.current { best = i }
        }
        if total >= limit {
            metrics.connectionsRefused.add()
            guard total < limit + Self.refusable else { return closeSocket(socket) }
        }
        lanes[best].load.add(1)
        batches[best].append(Lane.Accepted(socket: socket, peer: peer, isRefused: total >= limit))
    }

    private func noteFailure(_ code: Int32, _ listener: Listener) {
        guard [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code), !isPaused else { return }
        // The listener stays readable: without a pause this would spin.
        logger.error("cannot accept: \(SystemError(code: code, "accept4", listener.text))")
        isPaused = true
        for source in sources { source.suspend() }
        queue.asyncAfter(deadline: .now() + Self.pause) { [weak self] in self?.resume() }
    }

    private func resume() {
        guard isPaused else { return }
        isPaused = false
        for source in sources { source.resume() }
    }
}
