import ArgumentParser
import Embedded
import Foundations
import Postgres

extension ConfigurationOption {
    /// A connection string of the database: the configured one, or the embedded PostgreSQL's while it runs. What is
    /// in the way goes to standard error and ends the command with 1.
    func conninfo() throws -> String {
        let configuration = try read().configuration
        if let configured = configuration.database { return configured }
        guard let embedded = EmbeddedPostgres.conninfo(directory: configuration.data) else {
            throw refusal("there is no embedded PostgreSQL under \(configuration.data) yet", "it is made")
        }
        return embedded
    }

    /// Connects for a command, with this name in `pg_stat_activity`.
    func connect(_ command: String) throws -> Connection {
        let conninfo = try conninfo()
        do {
            return try Connection(conninfo, name: "waymark \(command)", connectTimeout: 3000)
        } catch {
            throw refusal("the database cannot be reached: \(error.message)", "the embedded one runs")
        }
    }

    private func refusal(_ reason: String, _ when: String) -> ExitCode {
        printError("waymark: \(reason)\nwaymark: \(when) while `waymark serve --config \(path)` runs")
        return .failure
    }
}
