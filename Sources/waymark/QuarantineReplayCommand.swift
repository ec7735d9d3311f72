import ArgumentParser
import Foundations
import Glibc
import Loader
import Payload
import Postgres

struct QuarantineReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Send events from the quarantine through the whole way again.",
        discussion: """
            A running server judges them by the sources, limits and frozen activities of now. What is taken is stored \
            once, with its id and times as if it had come then; what is not stays, with the reason of now. Asking \
            twice does it once. Of an event that is stored, and that a journey could not do with what it wanted to, the \
            journey alone is run.

            EXAMPLES
              waymark quarantine replay 019e2f4a-7c11-7a35-9f0c-3f5d0c9f6a21
              waymark quarantine replay --reason denied --source shop-web --since 1d
              waymark quarantine replay --all --wait 5m

            EXIT STATUS
              1 if none was stored or run within --wait. With --wait 0s, only if there was nothing to ask for.
            """)

    @Argument(help: ArgumentHelp("The events.", valueName: "ID")) var ids: [String] = []
    @OptionGroup var selection: QuarantineSelection
    @Flag(help: "All that is in the quarantine.") var all = false
    @Option(
        help: ArgumentHelp("How long to wait for what becomes of them.", valueName: "DURATION"),
        transform: QuarantineSelection.duration)
    var wait: Int64 = 10_000_000
    @Flag(help: "Write JSON.") var json = false
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let filter = try selection.filter(ids: ids)
        if filter.isEverything != all {
            throw ValidationError("name events or what they have in common, or say --all (one of them)")
        }
        let connection = try file.connect("quarantine replay")
        defer { connection.close() }
        var random = RandomSource()
        let request = UUID.v4(&random)
        let asked = try Quarantine.replay(filter, request: request, now: Clock.system.now(), connection)
        let progress = try settled(request, asked, connection)
        if json {
            print(Self.json(request, asked, progress))
        } else {
            for line in Self.lines(asked, progress) { print(line.printable) }
        }
        if asked == 0 || (wait > 0 && progress.succeeded == 0) { throw ExitCode.failure }
    }

    /// What became of the request, once all is done or the time is over.
    private func settled(
        _ request: UUID, _ asked: Int, _ connection: Connection
    ) throws(PostgresError) -> Quarantine.Progress {
        var progress = try progress(of: request, within: asked == 0 ? 0 : min(wait, Self.first), connection)
        if asked == 0 { return progress }
        if progress.waiting < asked { return try self.progress(of: request, within: wait, connection) }
        // A server whose clock is behind looks dead, and does the replays all the same: so they were looked at first.
        if try Quarantine.livingServers(connection) == 0 {
            printError("waymark: no server runs at the moment: the events wait until one does")
        } else {
            progress = try self.progress(of: request, within: wait - Self.first, connection)
        }
        return progress
    }

    /// A server that runs has begun by then, in microseconds.
    private static let first: Int64 = 2_000_000

    private func progress(
        of request: UUID, within microseconds: Int64, _ connection: Connection
    ) throws(PostgresError) -> Quarantine.Progress {
        let end = Clock.system.monotonic() + UInt64(max(microseconds, 0)) * 1000
        while true {
            let progress = try Quarantine.progress(of: request, connection)
            if progress.waiting == 0 || Clock.system.monotonic() >= end { return progress }
            usleep(100_000)
        }
    }

    static func lines(_ asked: Int, _ progress: Quarantine.Progress) -> [String] {
        if asked == 0 { return ["nothing in the quarantine is meant by that"] }
        var lines = ["\(asked) asked for"]
        let words = [
            "stored": "stored", "duplicate": "not stored: the same was stored before",
            "unsaved": "processed and, as they ask, not stored", "ran": "run through their journeys",
        ]
        for (outcome, count) in progress.done.sorted(by: { $0.key < $1.key }) {
            lines.append("\(count) \(words[outcome] ?? outcome)")
        }
        for (reason, count) in progress.kept.sorted(by: { $0.key < $1.key }) {
            lines.append("\(count) still in the quarantine: \(reason)")
        }
        if progress.waiting > 0 { lines.append("\(progress.waiting) not done yet") }
        return lines
    }

    static func json(_ request: UUID, _ asked: Int, _ progress: Quarantine.Progress) -> String {
        var json = JSONWriter()
        json.object { json in
            json.member("request", request)
            json.member("asked", asked)
            json.member("waiting", progress.waiting)
            json.object("done") { json in
                for (outcome, count) in progress.done.sorted(by: { $0.key < $1.key }) {
                    json.member(outcome, count)
                }
            }
            json.object("kept") { json in
                for (reason, count) in progress.kept.sorted(by: { $0.key < $1.key }) {
                    json.member(reason, count)
                }
            }
        }
        return json.text
    }
}
