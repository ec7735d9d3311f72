import ArgumentParser

/// The command line. Each command is a file of its own; `waymark COMMAND --help` shows examples.
struct Waymark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waymark",
        abstract: "Collects what customers do, and keeps it in PostgreSQL.",
        discussion: """
            Websites POST /track, backends POST /collect/TYPE/SOURCE; what was answered 200 is stored exactly once.

            EXAMPLES
              waymark check                 all mistakes of Config/waymark.yaml
              waymark serve                 run the server in the foreground
              psql "$(waymark database)"    open its database

            EXIT STATUS
              0 done; 1 what was asked failed; 64 wrong usage; 78 a mistake in the configuration.
            """,
        version: "waymark \(version)",
        subcommands: [
            ServeCommand.self, CheckCommand.self, DatabaseCommand.self, ActivitiesCommand.self,
            QuarantineCommand.self, ProfileCommand.self, JourneysCommand.self, SegmentsCommand.self,
            WebhookCommand.self, VersionCommand.self,
        ])
}

/// The version of this binary, as `waymark version` and the log's first line say it.
let version = "0.1.0"

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version.",
        discussion: """
            EXAMPLE
              waymark version
            """)

    @OptionGroup var file: ConfigurationOption

    func run() { print("waymark \(version)") }
}
