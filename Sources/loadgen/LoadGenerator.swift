import ArgumentParser
import Foundations
import Glibc

/// Sends random events at a rate that does not depend on the answers, and says how long each answer took from the
/// moment at which its request *should* have gone out: a server that stalls cannot hide it by slowing its clients.
@main struct LoadGenerator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loadgen",
        abstract: "Sends random events to a server on this machine, and measures its answers.",
        discussion: """
            With --rate the loop is open: requests go out at random moments, at that many a second on average, \
            whatever the answers do. Without it the loop is closed: each connection sends when it was answered. \
            With --backlog a closed loop pauses while the server has more bytes than that to load, so that what it \
            stores meanwhile is what it can go on storing. Prints one line of JSON.

            EXAMPLES
              loadgen --port 8686 --rate 2000 --seconds 30
              loadgen --port 8686 --connections 64 --events 2 --backlog 20000000 --seconds 60
            """)

    @Option(help: "The port, on 127.0.0.1.") var port: UInt16
    @Option(help: "Connections at most.") var connections = 64
    @Option(help: "Requests a second; none: a closed loop.") var rate: Double?
    @Option(help: "How long to send.") var seconds = 10.0
    @Option(help: "How long to send before what is measured.") var warmup = 1.0
    @Option(help: "Events a request.") var events = 1
    @Flag(help: "Give each event an id.") var ids = false
    @Flag(help: "Let sign-ups, a sixth of the events, name their person by an e-mail address, one a session.")
    var emails = false
    @Option(help: "Requests a session.") var perSession = 10
    @Option(help: "The source's id.") var source = "bench"
    @Option(help: "Pause while /metrics says that more bytes than this wait.") var backlog: Int?
    @Option(
        help:
            "Send events of so many activities in turn, hook-0000 and so on, each event with a mark of its own."
    )
    var hooks: Int?
    @Option(help: "Every so manieth of them is of hook-0000 besides.") var favour: Int?
    @Option(
        help: "Receive, on this port of 127.0.0.1, what they fire, and say how long after the answer it came."
    )
    var receive: UInt16?
    @Flag(help: "Never answer what is posted to /hanging, and do not count what hook-0000 fires.")
    var hanging = false
    @Flag(help: "Do not count what hook-0000 fires.") var healthy = false
    @Option(help: "What decides the events.") var seed: UInt64 = 1

    func validate() throws {
        guard (1...60_000).contains(connections) else { throw ValidationError("--connections: 1 to 60000") }
        guard (1...10_000).contains(events) else { throw ValidationError("--events: 1 to 10000") }
        guard seconds > 0, seconds <= 3600 else { throw ValidationError("--seconds: up to 3600") }
        if let hooks, !(1...10_000).contains(hooks) { throw ValidationError("--hooks: 1 to 10000") }
        if let favour, favour < 1 { throw ValidationError("--favour: from 1") }
        if let rate, rate <= 0 || rate > 1_000_000 { throw ValidationError("--rate: up to 1000000") }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        var kind = Payloads.Kind(source: source, events: events, ids: ids, emails: emails)
        (kind.hooks, kind.favour) = (hooks ?? 0, favour)
        let times = try receive.map { try receiver($0, kind) }
        let begin = monotonic()
        let plan = Plan(
            begin: begin, measured: begin + nanoseconds(warmup), end: begin + nanoseconds(warmup + seconds),
            rate: rate)
        let payloads = Payloads(kind, perSession: perSession, seed: seed)
        let load = try Load(
            port: port, connections: connections, payloads: payloads, plan: plan, hooks: times)
        let watcher = backlog.map { Backlog(port: port, limit: $0, until: plan.end) }
        load.run(paused: { watcher?.isOver ?? false })
        load.awaitHooks(seconds: 20)
        print(load.report())
        if load.isBroken { throw ExitCode(1) }
    }

    /// Starts it; what it notes.
    private func receiver(_ port: UInt16, _ kind: Payloads.Kind) throws -> HookTimes {
        let isOne = hanging || healthy
        let times = HookTimes { !isOne || kind.hook(of: $0) != 0 }
        try HookReceiver(port: port, hanging: hanging, times: times).start()
        return times
    }
}

/// When what happens, in nanoseconds of the monotonic clock.
struct Plan {
    let begin: UInt64
    /// Answers to what should go out before this are not counted.
    let measured: UInt64
    let end: UInt64
    /// Requests a second; nil: a closed loop.
    let rate: Double?
}

func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }

func monotonic() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}
