import ArgumentParser
import Enrolments
import Foundations
import Postgres

struct JourneysExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write what is in force as a YAML file.",
        discussion: """
            Journeys, webhooks, segments, scores and the panel's settings go to standard output, as `apply` reads \
            them: applying them again changes nothing. Secrets stay references. Comments and scenarios are not kept \
            in the database.

            EXAMPLES
              waymark journeys export > Config/journeys/all.yaml
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let (text, faults) = try inDatabase(file, "journeys export") { connection throws(PostgresError) in
            try DefinitionExport.yaml(connection)
        }
        print(text, terminator: "")
        for fault in faults { printError("waymark: a stored definition cannot be read: \(fault)") }
        if !faults.isEmpty { throw ExitCode.failure }
    }
}
