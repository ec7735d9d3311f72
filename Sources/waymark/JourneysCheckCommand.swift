import ArgumentParser
import ConfigurationFile
import Enrolments
import Foundations
import Journeys
import Webhooks

/// `[FOLDER]`, which the commands about journeys take.
struct JourneysFolder: ParsableArguments {
    static let usual = "Config/journeys"

    @Argument(
        help: ArgumentHelp(
            "The folder with the YAML files. (default: `journeys` of the configuration, else \(usual))",
            valueName: "FOLDER"))
    var folder: String?

    /// What was said, what the configuration says, or the usual one.
    func path(_ file: ConfigurationOption) -> String { folder ?? file.journeysFolder }
}

extension ConfigurationOption {
    /// What it says of the panel, without its secrets.
    var panelSettings: PanelSettings { PanelSettings(path: path) }
    /// Where the journeys' files are, unless somebody names another folder.
    var journeysFolder: String { panelSettings.journeys ?? JourneysFolder.usual }
}

struct JourneysCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say every mistake of the journeys' files at once.",
        discussion: """
            Mistakes go to standard error as FILE:LINE:COLUMN with what was expected and the nearest known name; the \
            exit status is then 78. Settings of the panel that differ from the configuration's are mistakes, too. No \
            database and no secret is needed; names of activities, properties and attributes that nobody has sent \
            yet are told by `plan`.

            EXAMPLES
              waymark journeys check
              waymark journeys check Config/journeys.example
            """)

    @OptionGroup var file: ConfigurationOption
    @OptionGroup var folder: JourneysFolder

    func run() throws {
        let path = folder.path(file)
        let read = try readJourneys([path], file)
        print("\(path): OK")
        for (what, count) in [
            ("journeys", read.journeys.count), ("webhooks", read.webhooks.count),
            ("segments", read.segments.count),
            ("scores", read.scores.count), ("scenarios", read.scenarios.count),
        ] where count > 0 { print("  \(what)\(String(repeating: " ", count: 11 - what.count))\(count)") }
    }
}

/// Reads folders; their mistakes go to standard error, all at once, and end the command with 78.
func readJourneys(_ paths: [String], _ file: ConfigurationOption) throws -> DefinitionFolder {
    try readDefinitions(paths, file).folder
}

/// The same, with all that can be applied of it.
func readDefinitions(
    _ paths: [String], _ file: ConfigurationOption
) throws -> (folder: DefinitionFolder, set: DefinitionSet) {
    let folder = DefinitionFolder(paths)
    folder.compare(with: file.panelSettings, of: file.path)
    let set = DefinitionSet(folder)
    for warning in folder.warnings { printError("warning: \(warning)") }
    let mistakes = folder.mistakes
    guard mistakes.isEmpty else {
        for line in mistakes { printError(line) }
        throw ExitCode.configuration
    }
    for warning in paramWarnings(folder.journeys) { printError("warning: \(warning)") }
    return (folder, set)
}

/// What their steps hand to webhooks that receivers would read otherwise.
private func paramWarnings(_ journeys: [JourneyDefinition]) -> [String] {
    journeys.flatMap { journey in
        journey.allSteps.flatMap { step -> [String] in
            guard case .webhook(let webhook, let params) = step else { return [] }
            return params.compactMap {
                ParamCheck.warning(of: $0.name, journey: journey.name, webhook: webhook)
            }
        }
    }
}
