package import Dispatch
package import Foundations
import Glibc
internal import Logging

/// A serial queue with connections of its own: it receives, parses, and sends answers.
///
/// One epoll descriptor holds the lane's sockets, and a single dispatch source watches that descriptor. Each
/// time it fires, the lane makes up to 16 *sweeps*: it asks what is ready, receives and handles that, tells the
/// handler that the sweep is over, and sends what was answered. Then the queue gets its turn.
///
/// Everything here happens on `queue`; whoever wants something of a lane sends it there.
package final class Lane: @unchecked Sendable {  // owner of all state: `queue`
    package let index: Int
    package let queue: DispatchQueue
    /// The wall clock, read once a sweep; within the process it never goes back.
    package internal(set) var now: Timestamp
    /// No new work is wanted: the server is about to stop.
    package internal(set) var isDraining = false

    static let sweepsInATurn = 16
    /// Above so many unanswered requests, each connection may have only one.
    static let manyPending = 16_384
    /// How many connections are looked at to find one that can be closed in favour of a new one.
    static let searchedForRoom = 64
    /// From so many bytes on, answers are sent even if more of them are to come.
    static let fullOutput = 64 << 10

    let shared: HTTPShared
    var limits: Limits
    /// How many connections the lane has or is about to get; read by the acceptor.
    let load = Gauge()
    var handler: (any LaneHandler)?
    let poller: Poller
    var ticker: Ticker
    private var source: (any DispatchSourceRead)?

    var connections: [Connection] = []
    var freeSlots: [Int] = []
    /// Closed in this batch; events for them may still be in it, so they are reused only afterwards.
    var buried: [Int] = []
    var openCount = 0
    /// Where the last search for a connection that can be closed ended.
    var hand = 0
    var resumable: [Int] = []
    var wheel: TimerWheel
    var expired: [Int] = []
    var pendings = PendingTable()

    /// Where requests are received and parsed.
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)
    let freshParser = UnsafeMutablePointer<RequestParser>.allocate(capacity: 1)
    /// Answers to the requests of one connection, `outOwner`, that were not sent yet.
    var out = ByteBuffer(capacity: 16 << 10)
    var outOwner: Connection?
    var refusalHeaders = ByteBuffer(capacity: 512)
    var refusalBody = ByteBuffer(capacity: 512)
    var random = RandomSource()
    var dateLine = ByteBuffer(capacity: 64)
    private var dateSecond = Int64.min
    var tally = Tally()

    /// Monotonic nanoseconds, and milliseconds of the same.
    var nanoseconds: UInt64
    var milliseconds: UInt64 { nanoseconds / 1_000_000 }

    /// A batch is being worked on: what is answered will be sent at its end.
    private var isBusy = false
    private var isSettlingLater = false
    var hasHandled = false
    var whenEmpty: (() -> Void)?

    init(index: Int, limits: Limits, shared: HTTPShared) throws(SystemError) {
        self.index = index
        self.limits = limits
        self.shared = shared
        queue = DispatchQueue(label: "waymark.lane.\(index)", qos: .userInitiated)
        poller = try Poller()
        ticker = try Ticker()
        now = shared.now()
        nanoseconds = shared.clock.monotonic()
        wheel = TimerWheel(now: nanoseconds / 1_000_000)
        guard poller.add(ticker.raw, .read, token: .max) else { throw SystemError("epoll_ctl") }
    }

    deinit {
        for connection in connections where connection.phase != .closed { closeSocket(connection.socket) }
        room.deallocate()
        freshParser.deallocate()
    }

    /// Begins to listen to the sockets.
    func start() {
        let source = DispatchSource.makeReadSource(fileDescriptor: poller.raw, queue: queue)
        source.setEventHandler { [unowned self] in turn() }
        // The closure keeps the descriptors until Dispatch has let go of them.
        source.setCancelHandler { [self] in handler = nil }
        self.source = source
        source.activate()
    }

    func stop() {
        source?.cancel()
        source = nil
    }

    /// Runs `body`, which gives several answers outside of `handle` and `endSweep`, and sends them together.
    /// Without it each such run of answers costs a hop of the queue.
    package func answering(_ body: () -> Void) {
        assertOnQueue()
        if isBusy { return body() }
        isBusy = true
        readClocks()
        body()
        settle()
        isBusy = false
    }

    /// Runs `body` on the lane's queue in a while.
    package func after(milliseconds: Int, _ body: @escaping @Sendable () -> Void) {
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds), execute: body)
    }

    private var isOnQueue: Bool {
        dispatchPrecondition(condition: .onQueue(queue))
        return true
    }

    /// Checks, in debug builds, that whoever calls is where the lane's state may be touched.
    func assertOnQueue() {
        assert(isOnQueue)
    }

    /// An answer was given while no batch is worked on: it is sent when the queue comes to it.
    func settleLater() {
        guard !isBusy, !isSettlingLater else { return }
        isSettlingLater = true
        readClocks()
        queue.async { [self] in
            isSettlingLater = false
            answering {}
        }
    }

    private func turn() {
        isBusy = true
        for _ in 0..<Self.sweepsInATurn {
            let count = pollTwice()
            guard count > 0 else { break }
            readClocks()
            for i in 0..<count {
                let (token, interest) = poller.event(i)
                if token == .max { tick() } else { notice(token, interest) }
            }
            hasHandled = true
            settle()
        }
        isBusy = false
    }

    /// How many events are ready. When there are none, clients that wait for the processor get it for a moment,
    /// and then there often are: ending a turn and being woken again costs far more than asking twice (measured
    /// with 64 connections on two busy cores: 1.08 of nginx's rate instead of 0.89).
    private func pollTwice() -> Int {
        let count = poller.poll()
        if count > 0 { return count }
        sched_yield()
        return poller.poll()
    }

    /// Ends a batch: hands over what was gathered, sends what was answered, goes on where that made room.
    private func settle() {
        while true {
            if hasHandled {
                hasHandled = false
                handler?.endSweep()
            }
            flush()
            guard let slot = resumable.popLast() else { break }
            resume(connections[slot])
        }
        bury()
        tally.publish(to: shared.metrics)
        ticker.run(openCount > 0)
        if openCount == 0, let whenEmpty {
            self.whenEmpty = nil
            whenEmpty()
        }
    }

    private func readClocks() {
        nanoseconds = shared.clock.monotonic()
        now = shared.now()
        if now.seconds != dateSecond {
            dateSecond = now.seconds
            dateLine.removeAll()
            dateLine.appendDateLine(dateSecond)
        }
    }
}
