import ArgumentParser
import ConfigurationFile
import Dispatch
import Foundations
import Glibc
import HTTP
import Logging
import Webhooks

struct WebhookReceiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Run a small receiver that shows what comes, for people who write one.",
        discussion: """
            It verifies signatures, drops repeats by webhook-id, and prints each delivery with what became of it. Told to \
            be slow, failing or forgetful, it says what such a receiver would suffer. Ctrl-C ends it.

            EXAMPLES
              waymark webhook receive --port 9000
              waymark webhook receive --secret "$CC_SIGNING_SECRET"
              waymark webhook receive --delay 20s                 slow: Waymark hangs up
              waymark webhook receive --fail 30 --status 503      failing: three in ten
              waymark webhook receive --forget                    forgetful: repeats are done again
            """)

    @Option(help: ArgumentHelp("Listen on this port.", valueName: "PORT")) var port: UInt16 = 9000
    @Option(help: ArgumentHelp("Listen on this address.", valueName: "ADDRESS")) var host = "127.0.0.1"
    @Option(help: ArgumentHelp("A signing secret, whsec_…; may be repeated.", valueName: "SECRET"))
    var secret: [String] = []
    @Option(
        help: ArgumentHelp("Answer after so long.", valueName: "DURATION"),
        transform: QuarantineSelection.duration)
    var delay: Int64 = 0
    @Option(help: ArgumentHelp("Fail so many of a hundred.", valueName: "PERCENT")) var fail = 0
    @Option(help: ArgumentHelp("Fail with this status.", valueName: "STATUS")) var status = 500
    @Flag(help: "Do not remember what was received.") var forget = false
    @Option(help: ArgumentHelp("End after so many requests.", valueName: "NUMBER")) var count: Int?
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        guard 0...100 ~= fail else { throw ValidationError("--fail is 0 to 100") }
        guard 200...599 ~= status else { throw ValidationError("--status is 200 to 599") }
        guard secret.allSatisfy({ SigningSecret($0) != nil }) else {
            throw ValidationError("--secret is whsec_ and base64")
        }
    }

    func run() throws {
        var behaviour = Bystander.Behaviour()
        (behaviour.delay, behaviour.failures, behaviour.status) = (delay, fail, status)
        behaviour.isForgetful = forget
        let desk = Locked(Desk(secrets: secret.compactMap { SigningSecret($0) }, behaviour))
        let done = DispatchSemaphore(value: 0)
        let (milliseconds, most) = (Int(delay / 1000), count)
        var limits = Limits()
        limits.connections = 1000
        let options = HTTPOptions(listen: [.tcp(host: host, port: port)], lanes: 1, limits: limits)
        let server = HTTPServer(options: options, logger: Logger(label: "waymark")) { lane in
            ReceivingLane(lane, desk: desk, delay: milliseconds, most: most) { done.signal() }
        }
        do {
            for address in try server.start() { say("receiving on http://\(address)/") }
        } catch {
            throw failure("\(error)")
        }
        say(
            secret.isEmpty
                ? "signatures are not verified: give --secret"
                : "signatures are verified, repeats are dropped")
        done.wait()
    }

    private struct Desk: Sendable {
        var bystander: Bystander
        init(secrets: [SigningSecret], _ behaviour: Bystander.Behaviour) {
            bystander = Bystander(secrets: secrets, behaviour: behaviour)
        }
    }

    /// Hands requests to the bystander, prints what it says and answers.
    private final class ReceivingLane: LaneHandler, @unchecked Sendable {  // owner: the lane's queue
        private let lane: Lane
        private let desk: Locked<Desk>
        private let delay: Int
        private let most: Int?
        private let onEnd: @Sendable () -> Void
        private var count = 0

        init(_ lane: Lane, desk: Locked<Desk>, delay: Int, most: Int?, onEnd: @escaping @Sendable () -> Void)
        {
            (self.lane, self.desk, self.delay, self.most, self.onEnd) = (lane, desk, delay, most, onEnd)
        }

        func handle(_ request: borrowing Request, _ exchange: Exchange) {
            // Whoever comes while the last one is being answered is turned away.
            if count == most { return lane.respond(exchange, status: 503) }
            let call = Bystander.Call(
                id: request.header(named: "webhook-id")?.text,
                timestamp: request.header(named: "webhook-timestamp")?.text,
                signature: request.header(named: "webhook-signature")?.text, body: Array(request.body))
            let verdict = desk.withLock { $0.bystander.receive(call, at: Clock.system.now()) }
            for line in verdict.lines { say(line.printable) }
            count += 1
            let isLast = count == most
            guard delay > 0 else { return answer(exchange, verdict.status, isLast) }
            lane.after(milliseconds: delay) { [self] in
                lane.answering { answer(exchange, verdict.status, isLast) }
            }
        }

        private func answer(_ exchange: Exchange, _ status: Int, _ isLast: Bool) {
            lane.respond(exchange, status: status)
            if isLast { lane.after(milliseconds: 200, onEnd) }
        }
    }
}

/// One line on standard output, at once: whoever reads it through a pipe waits for it.
private func say(_ line: String) { writeAll(Array("\(line)\n".utf8), to: STDOUT_FILENO) }
