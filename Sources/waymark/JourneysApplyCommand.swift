import ArgumentParser
import ConfigurationFile
import Enrolments
import Foundations
import Journeys
import Postgres
import Webhooks

struct JourneysPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what applying the journeys' files would change.",
        discussion: """
            Compares the files with what is in force: versions, states, and how many enrolments run with what would be \
            replaced. Those keep the version with which they began. Nothing is changed.

            EXAMPLES
              waymark journeys plan
              waymark journeys plan Config/journeys.example
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var folder: JourneysFolder

    func run() throws {
        let set = try definitions(folder.path(file), file)
        let changes = try inDatabase(file, "journeys plan") { connection throws(PostgresError) in
            try DefinitionStore.plan(set, connection)
        }
        report(changes, nothing: "nothing would change")
    }
}

struct JourneysApplyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Bring journeys, webhooks, segments and scores into force.",
        discussion: """
            All files of the folder are checked, and stored in the database in one transaction; every server reads them \
            within five seconds. What stands in no file any more is removed: nothing starts with it, and who is in it \
            goes on to the end. Secrets (${NAME}) stay references, which the server that sends resolves.

            EXAMPLES
              waymark journeys apply
              waymark journeys apply Config/journeys.example
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var folder: JourneysFolder

    func run() throws {
        let set = try definitions(folder.path(file), file)
        let changes = try inDatabase(file, "journeys apply") { connection throws(PostgresError) in
            try DefinitionStore.apply(set, at: Clock.system.now(), connection)
        }
        report(changes, nothing: "nothing has changed")
    }
}

/// Reads a folder's definitions; two different values of a panel's setting are a mistake.
private func definitions(_ path: String, _ file: ConfigurationOption) throws -> DefinitionSet {
    let folder = try readJourneys([path])
    let configuration = try file.read().configuration
    let settings: [(name: String, folder: String?, file: String?, usual: String?)] = [
        ("panel", folder.panel.name, configuration.panel, "waymark"),
        ("timezone", folder.panel.timezone, configuration.timezone, "UTC"),
        ("primary_key", folder.panel.primaryKey, configuration.primaryKey, nil),
    ]
    var isWrong = false
    for (name, here, there, usual) in settings {
        guard let here, let there, here != there, there != usual else { continue }
        isWrong = true
        printError(
            "\(path): \(name) is \(here), and \(there) in \(file.path); expected the same, or one of them only"
        )
    }
    if isWrong { throw ExitCode.configuration }
    var webhooks: [WebhookDefinition] = []
    for section in folder.webhookSections {
        webhooks += WebhookReader.read(
            section.value, directory: workingDirectory(), findings: section.findings)
    }
    return DefinitionSet(folder, webhooks: webhooks)
}

/// What the database refuses goes to standard error and ends the command with 1.
func inDatabase<Result>(
    _ file: ConfigurationOption, _ name: String, _ body: (Connection) throws(PostgresError) -> Result
) throws -> Result {
    let connection = try file.connect(name)
    defer { connection.close() }
    do throws(PostgresError) {
        return try body(connection)
    } catch {
        printError("waymark: \(error)")
        throw ExitCode.failure
    }
}

private func report(_ changes: [DefinitionChange], nothing: String) {
    if changes.isEmpty { return print(nothing) }
    for change in changes {
        var line =
            "\(change.kind.rawValue)\(String(repeating: " ", count: 8 - change.kind.rawValue.count))\(change.what)"
        if !change.detail.isEmpty { line += ": \(change.detail)" }
        if change.running > 0 { line += " (\(change.running) enrolments run)" }
        print(line)
    }
}
