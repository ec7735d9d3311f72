import Foundations
import Glibc

/// The connections and the two threads at work: one sends when it is time, one receives.
///
/// In an open loop a request for which no connection is idle waits, and its time runs from when it should have gone
/// out. In a closed loop the receiver sends the next request where it got an answer.
final class Load: @unchecked Sendable {  // owners: `lock` of what both threads change; else the receiver
    private let plan: Plan
    private let sockets: [Int32]
    private let lock = Locked(())
    private var payloads: Payloads
    private var free: [Int]
    /// When the request under way on a connection should have gone out; 0: none is.
    private var due: [UInt64]
    /// The numbers of the events in the request under way.
    private var marks: [Range<Int>]
    private let hooks: HookTimes?
    private var received: [[UInt8]]
    private var latencies: [UInt32] = []
    private var statuses: [Int: Int] = [:]
    private var failures = 0
    private var isSending = true

    init(port: UInt16, connections: Int, payloads: Payloads, plan: Plan, hooks: HookTimes? = nil) throws {
        self.plan = plan
        self.payloads = payloads
        self.hooks = hooks
        sockets = try (0..<connections).map { _ in try Answer.connect(port) }
        free = Array(0..<connections)
        due = Array(repeating: 0, count: connections)
        marks = Array(repeating: 0..<0, count: connections)
        received = Array(repeating: [], count: connections)
    }

    var isBroken: Bool { failures > 0 || statuses.contains { $0.key != 200 } }

    func run(paused: @escaping @Sendable () -> Bool) {
        let sender = Thread { [self] in
            if plan.rate == nil { sendClosed(paused) } else { sendOpen() }
            lock.withLock { _ in isSending = false }
        }
        receive(paused)
        sender.join()
        for socket in sockets { close(socket) }
    }

    // MARK: Sending

    /// At random moments, so many a second on average; never waits for an answer.
    private func sendOpen() {
        guard let rate = plan.rate else { return }
        var random = Random(state: 7)
        var next = Double(plan.begin)
        while true {
            next += -log(random.fraction()) / rate * 1e9
            let time = UInt64(next)
            if time >= plan.end { return }
            sleep(until: time)
            while !start(due: time) {
                if monotonic() > plan.end + 5_000_000_000 { return }
                sleep(until: monotonic() + 20_000)
            }
        }
    }

    /// Starts the connections that are idle: at the begin, and after a pause.
    private func sendClosed(_ paused: () -> Bool) {
        while monotonic() < plan.end {
            while !paused(), start(due: monotonic()) {}
            sleep(until: monotonic() + 5_000_000)
        }
    }

    /// Sends a request over an idle connection, if there is one.
    private func start(due time: UInt64) -> Bool {
        lock.withLock { _ in
            guard let connection = free.popLast() else { return false }
            send(connection, due: time)
            return true
        }
    }

    /// Under the lock. A request always fits into what the socket takes at once.
    private func send(_ connection: Int, due time: UInt64) {
        due[connection] = time
        let first = payloads.mark
        defer { marks[connection] = first..<payloads.mark }
        payloads.next { bytes in
            var sent = 0
            while sent < bytes.count {
                let n = write(sockets[connection], bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
                if n > 0 { sent += n } else if errno != EINTR { return }
            }
        }
    }

    // MARK: Receiving

    private func receive(_ paused: () -> Bool) {
        var watched = sockets.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let now = monotonic()
            let isDone = lock.withLock { _ in !isSending && free.count == sockets.count }
            if isDone || now > plan.end + 10_000_000_000 { break }
            guard poll(&watched, nfds_t(watched.count), 20) > 0 else { continue }
            let isPaused = paused()
            for i in watched.indices where watched[i].revents != 0 {
                watched[i].revents = 0
                let n = read(sockets[i], &buffer, buffer.count)
                if n <= 0 {
                    failures += 1
                    watched[i].fd = -1
                    lock.withLock { _ in free.append(i) }
                    continue
                }
                received[i].append(contentsOf: buffer[0..<n])
                if let status = Answer.status(ofWhole: received[i]) { answered(i, status, isPaused) }
            }
        }
        failures += lock.withLock { _ in due.count { $0 != 0 } }
    }

    private func answered(_ connection: Int, _ status: Int, _ isPaused: Bool) {
        received[connection].removeAll(keepingCapacity: true)
        let now = monotonic()
        let time = due[connection]
        if status == 200 { hooks?.answered(lock.withLock { _ in marks[connection] }, at: now) }
        if time >= plan.measured, time < plan.end {
            latencies.append(UInt32(min((now - min(time, now)) / 1000, UInt64(UInt32.max))))
            statuses[status, default: 0] += 1
        }
        lock.withLock { _ in
            due[connection] = 0
            if plan.rate == nil, now < plan.end, !isPaused {
                send(connection, due: now)
            } else {
                free.append(connection)
            }
        }
    }

    // MARK: The outcome

    /// Gives webhooks that are on their way so long to arrive.
    func awaitHooks(seconds: Double) {
        let end = monotonic() + nanoseconds(seconds)
        while let hooks, hooks.missing > 0, monotonic() < end { sleep(until: monotonic() + 10_000_000) }
    }

    func report() -> String {
        latencies.sort()
        let seconds = Double(plan.end - plan.measured) / 1e9
        let bad = statuses.filter { $0.key != 200 }.values.reduce(0, +)
        return """
            {"tool":"loadgen","requests":\(latencies.count),"seconds":\(seconds),"rps":\
            \(Double(latencies.count) / seconds),"non2xx":\(bad),"socket_errors":\(failures),\
            \(shares(of: latencies, ""))\(hookReport())}
            """
    }

    private func hookReport() -> String {
        guard let hooks else { return "" }
        let times = hooks.latencies(from: plan.measured, to: plan.end)
        return """
            ,"hooks":\(times.count),"hooks_missing":\(hooks.missing),"hooks_repeated":\(hooks.repeats),\
            \(shares(of: times, "hook_"))
            """
    }

    /// Of sorted microseconds.
    private func shares(of times: [UInt32], _ prefix: String) -> String {
        [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1)].map { name, share in
            let i = min(Int(Double(times.count) * share), times.count - 1)
            return "\"\(prefix)\(name)_ms\":" + (i < 0 ? "null" : "\(Double(times[i]) / 1000)")
        }.joined(separator: ",")
    }

    // MARK: The machine

    private func sleep(until time: UInt64) {
        var wanted = timespec(tv_sec: Int(time / 1_000_000_000), tv_nsec: Int(time % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wanted, nil) == EINTR {}
    }
}
