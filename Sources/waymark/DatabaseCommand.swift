import ArgumentParser
import Embedded
import Foundations
import Postgres

struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Print a connection string of the database, for psql.",
        discussion: """
            It is the configured one, or the embedded PostgreSQL's while `waymark serve` runs. With a password in the \
            configuration, it is in the string.

            EXAMPLES
              psql "$(waymark database)"
              psql "$(waymark database)" -c 'select * from event order by received_at desc limit 10'
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try file.read().configuration
        if let configured = configuration.database {
            print(configured)
            return
        }
        guard let embedded = EmbeddedPostgres.conninfo(directory: configuration.data) else {
            throw refusal("there is no embedded PostgreSQL under \(configuration.data) yet", "it is made")
        }
        do {
            try Connection(embedded, name: "waymark database", connectTimeout: 3000).close()
        } catch {
            throw refusal("the embedded PostgreSQL cannot be reached: \(error.message)", "it runs")
        }
        print(embedded)
    }

    private func refusal(_ reason: String, _ when: String) -> ExitCode {
        printError("waymark: \(reason)\nwaymark: \(when) while `waymark serve --config \(file.path)` runs")
        return .failure
    }
}
