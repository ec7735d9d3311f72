import ArgumentParser
import Foundations
import Loader
import Postgres

struct QuarantineDropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Delete events from the quarantine, for good.",
        discussion: """
            The ledger goes on counting them as quarantined, so that it adds up. A replay that is on its way finds \
            nothing to do.

            EXAMPLES
              waymark quarantine drop 019e2f4a-7c11-7a35-9f0c-3f5d0c9f6a21
              waymark quarantine drop --reason malformed --source old-app
              waymark quarantine drop --older 90d

            EXIT STATUS
              1 if there was nothing to drop.
            """)

    @Argument(help: ArgumentHelp("The events.", valueName: "ID")) var ids: [String] = []
    @OptionGroup var selection: QuarantineSelection
    @Option(
        help: ArgumentHelp("Only what was received longer ago than that.", valueName: "DURATION"),
        transform: QuarantineSelection.duration)
    var older: Int64?
    @Flag(help: "All that is in the quarantine.") var all = false
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let now = Clock.system.now()
        var filter = try selection.filter(ids: ids, now: now)
        filter.before = older.map { now.adding(microseconds: -$0) }
        if filter.isEverything != all {
            throw ValidationError("name events or what they have in common, or say --all (one of them)")
        }
        let connection = try file.connect("quarantine drop")
        defer { connection.close() }
        let count = try Quarantine.drop(filter, connection)
        print("\(count) dropped")
        if count == 0 { throw ExitCode.failure }
    }
}
