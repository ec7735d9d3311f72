import ArgumentParser
import ConfigurationFile
import Foundations
import Loader

struct QuarantineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Events that could not be taken, and why.",
        discussion: """
            What cannot be taken is kept, not lost. Find the cause, mend it (a source's rules, a limit, a frozen \
            activity), and replay: the event goes the whole way again and is stored once, as if it had come then. \
            docs/quarantine.md explains the reasons.

            EXAMPLES
              waymark quarantine list
              waymark quarantine replay --reason denied --source shop-web
            """,
        subcommands: [
            QuarantineListCommand.self, QuarantineShowCommand.self, QuarantineReplayCommand.self,
            QuarantineDropCommand.self,
        ])
}

/// Which events are meant, by what they have in common.
struct QuarantineSelection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Only this reason: malformed, limit, denied, conflict, frozen, poison, source or journey. May be repeated.
            """,
            valueName: "REASON"))
    var reason: [String] = []

    @Option(help: ArgumentHelp("Only of this source.", valueName: "SOURCE"))
    var source: String?

    @Option(help: ArgumentHelp("Only of this activity, by its key.", valueName: "ACTIVITY"))
    var activity: String?

    @Option(help: ArgumentHelp("Only what this journey was kept from.", valueName: "JOURNEY"))
    var journey: String?

    @Option(
        help: ArgumentHelp(
            "Only what was received in the last so long, such as 1d or 2h30m.", valueName: "DURATION"),
        transform: duration)
    var since: Int64?

    static func duration(_ text: String) throws -> Int64 {
        if let duration = Quantity.duration(text) { return duration }
        throw ValidationError("“\(text)” is not a duration (expected one such as 10s, 2h30m or 90d)")
    }

    func filter(ids: [String] = [], now: Timestamp = Clock.system.now()) throws -> Quarantine.Filter {
        var filter = Quarantine.Filter(ids: try ids.map(Self.id), reasons: reason)
        filter.source = source
        filter.activity = activity
        filter.journey = journey
        filter.since = since.map { now.adding(microseconds: -$0) }
        return filter
    }

    static func id(_ text: String) throws -> UUID {
        if let id = UUID(text) { return id }
        throw ValidationError("“\(text)” is not an event's id (expected 8-4-4-4-12 hexadecimal digits)")
    }
}

extension Timestamp {
    /// To the second.
    var short: String { iso8601.prefix(19) + "Z" }
}
