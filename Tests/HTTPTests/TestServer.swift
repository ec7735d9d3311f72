import Dispatch
import Foundations
import Glibc
import HTTP
import Logging
import Testing

/// A real server on a port of its own, with a handler that answers according to the path:
///
///     /echo      at once, with what it understood        /late   at the end of the sweep, in reversed order
///     /soon      a moment later, from the queue          /hold   when `release` is called
///     /big/N     N bytes                                 /none   204
final class TestServer {
    let server: HTTPServer
    let addresses: [String]
    let clock: ManualClock?
    private let handlers = Locked<[TestHandler]>([])

    init(
        listen: [Configuration.ListenAddress] = [.tcp(host: "127.0.0.1", port: 0)], lanes: Int = 2,
        trusted: [Network] = [], clock: ManualClock? = nil, _ change: (inout Limits) -> Void = { _ in }
    ) throws {
        var limits = Limits()
        change(&limits)
        let handlers = self.handlers
        self.clock = clock
        server = HTTPServer(
            options: HTTPOptions(listen: listen, lanes: lanes, limits: limits, trustedProxies: trusted),
            logger: Logger(label: "test"), clock: clock?.clock ?? .system
        ) { lane in
            let handler = TestHandler(lane)
            handlers.withLock { $0.append(handler) }
            return handler
        }
        addresses = try server.start()
    }

    deinit { server.drain(within: 0) {} }

    func client(_ index: Int = 0) throws -> Client { try Client(addresses[index]) }

    /// Answers everything that is held back, the newest first.
    func release() {
        for handler in handlers.withLock({ $0 }) { handler.lane.queue.sync { handler.release() } }
    }

    var held: Int {
        handlers.withLock { $0 }.reduce(0) { sum, handler in
            sum + handler.lane.queue.sync { handler.held.count }
        }
    }

    func waitUntil(_ what: String, _ condition: () -> Bool) {
        let end = Clock.system.monotonic() + 60_000_000_000
        while !condition() {
            guard Clock.system.monotonic() < end else {
                Issue.record("waited in vain: \(what)")
                return
            }
            usleep(2000)
        }
    }
}

final class TestHandler: LaneHandler, @unchecked Sendable {  // owner of the state: the lane's queue
    let lane: Lane
    var held: [Exchange] = []
    private var late: [(Exchange, [UInt8])] = []

    init(_ lane: Lane) { self.lane = lane }

    func handle(_ request: borrowing Request, _ exchange: Exchange) {
        let path = request.path.text
        if path.hasPrefix("/big/") {
            answer(exchange, [UInt8](repeating: 97, count: Int(path.dropFirst(5)) ?? 0))
        } else if path == "/late" {
            late.append((exchange, Array(request.query)))
        } else if path == "/soon" {
            let body = Array(request.query)
            lane.queue.async { [self] in answer(exchange, body) }
        } else if path == "/hold" {
            held.append(exchange)
        } else if path == "/none" {
            lane.respond(exchange, status: 204, contentType: "")
        } else {
            answer(exchange, Array(describe(request).utf8))
        }
    }

    private func describe(_ request: borrowing Request) -> String {
        let agent = request.header(.userAgent)?.text ?? "-"
        let other = request.header(named: "x-other")?.text ?? "-"
        return
            "\(request.methodText.text) \(request.target.text) \(request.peer) \(agent) \(other) \(request.body.text)"
    }

    func endSweep() {
        for (exchange, body) in late.reversed() { answer(exchange, body) }
        late.removeAll()
    }

    func release() {
        lane.answering {
            for exchange in held.reversed() { answer(exchange, Array("released".utf8)) }
            held.removeAll()
        }
    }

    func headers(forRefused request: borrowing Request, _ out: inout ByteBuffer) {
        guard let origin = request.header(.origin) else { return }
        out.append("Access-Control-Allow-Origin: ")
        out.append(origin)
        out.append("\r\n")
    }

    private func answer(_ exchange: Exchange, _ body: [UInt8]) {
        body.withUnsafeBytes { lane.respond(exchange, status: 200, contentType: "text/plain", body: $0) }
    }
}

/// A clock that a test moves.
final class ManualClock: Sendable {
    private let seconds = Locked<Int64>(1_000)
    func advance(seconds more: Int64) { seconds.withLock { $0 += more } }
    var clock: Clock {
        let seconds = self.seconds
        return Clock(
            now: { Timestamp(seconds: 1_800_000_000 + seconds.withLock { $0 }) },
            monotonic: { UInt64(seconds.withLock { $0 }) * 1_000_000_000 })
    }
}
