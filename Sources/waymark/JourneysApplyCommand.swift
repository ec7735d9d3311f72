import ArgumentParser
import Enrolments
import Foundations
import Journeys
import Postgres

struct JourneysPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Say what applying the journeys' files would change.",
        discussion: """
            Compares the files with what is in force: versions, states, and how many enrolments run with what would be \
            replaced. Those keep the version with which they began, and their timers stay; only pausing a journey holds \
            them. Activities, properties and attributes that nobody has sent yet are warned of, with the nearest \
            known name. Nothing is changed.

            EXAMPLES
              waymark journeys plan
              waymark journeys plan Config/journeys.example
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var folder: JourneysFolder

    func run() throws {
        let (folder, set) = try readDefinitions([folder.path(file)], file)
        let changes = try inDatabase(file, "journeys plan") { connection throws(PostgresError) in
            try warn(folder, connection)
            return try DefinitionStore.plan(set, connection)
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
        let (folder, set) = try readDefinitions([folder.path(file)], file)
        let changes = try inDatabase(file, "journeys apply") { connection throws(PostgresError) in
            try warn(folder, connection)
            return try DefinitionStore.apply(set, at: Clock.system.now(), connection)
        }
        report(changes, nothing: "nothing has changed")
    }
}

/// Says which names of the files nobody has sent yet.
private func warn(_ folder: DefinitionFolder, _ connection: Connection) throws(PostgresError) {
    guard let known = try KnownNames.read(attributes: folder.attributes, connection) else {
        return printError("warning: no event was seen yet, so names are compared with nothing")
    }
    let before = Set(folder.warnings)
    folder.compare(with: known)
    for warning in folder.warnings where !before.contains(warning) { printError("warning: \(warning)") }
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
        if change.running > 0 { line += " (\(change.affected))" }
        print(line)
    }
}

extension DefinitionChange {
    /// `3 enrolments run, 2 timers wait`.
    fileprivate var affected: String {
        let run = "\(running) enrolment\(running == 1 ? " runs" : "s run")"
        return timers == 0 ? run : "\(run), \(timers) timer\(timers == 1 ? " waits" : "s wait")"
    }
}
