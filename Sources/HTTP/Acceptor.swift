private import CLinux
internal import Dispatch
internal import Foundations
import Glibc
internal import Logging

/// Takes new connections and gives each to the lane that has fewest.
///
/// When there are as many as there may be, the lane makes room by closing one that says nothing, or answers 503.
final class Acceptor: @unchecked Sendable {  // owner of all state: `queue`
    /// How many connections that are too many the lanes look after at a time; beyond that they are told so here.
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
    private var refusal = ByteBuffer(capacity: 512)
    private var body = ByteBuffer(capacity: 256)
    private var random = RandomSource()

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
            guard total < limit + Self.refusable else { return refuse(socket) }
        }
        lanes[best].load.add(1)
        batches[best].append(Lane.Accepted(socket: socket, peer: peer, isTooMany: total >= limit))
    }

    /// Says 503 to a connection that no lane takes, if the kernel takes that at once, and closes it.
    private func refuse(_ socket: Int32) {
        metrics.connectionsRefused.add()
        refusal.removeAll()
        refusal.append(Status.line(Refusal.tooManyConnections.status))
        refusal.append("Content-Type: application/json\r\nRetry-After: 1\r\nConnection: close\r\n")
        refusal.append("X-Request-Id: ")
        refusal.append(UUID.v4(&random))
        refusal.append("\r\nContent-Length: ")
        body.removeAll()
        body.appendErrorBody(
            status: Refusal.tooManyConnections.status, code: Refusal.tooManyConnections.code,
            message: Refusal.tooManyConnections.message)
        refusal.append(decimal: body.count)
        refusal.append("\r\n\r\n")
        refusal.append(body.bytes)
        _ = send(socket, refusal.bytes.baseAddress, refusal.count, Int32(MSG_NOSIGNAL))
        closeSocket(socket)
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
