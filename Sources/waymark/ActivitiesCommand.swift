import Activities
import ArgumentParser
import ConfigurationFile
import Foundations
import Postgres

struct ActivitiesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activities", abstract: "What the events are and carry, and how that changes.",
        discussion: """
            Activities and their parameters are discovered: the first event makes an activity, every later one refines \
            it. For each there is a typed view to be read by psql or a BI tool: activities."KEY". docs/activities.md \
            explains it.

            An activity may be named as people write it: "Product Purchase" is product-purchase.

            EXAMPLES
              waymark activities
              waymark activities show product-purchase
              waymark activities freeze "Product Purchase" --extra drop
            """,
        subcommands: [
            ActivitiesListCommand.self, ActivitiesShowCommand.self, ActivitiesDriftCommand.self,
            ActivitiesSchemaCommand.self, ActivitiesFreezeCommand.self, ActivitiesUnfreezeCommand.self,
            ActivitiesRebuildCommand.self,
        ],
        defaultSubcommand: ActivitiesListCommand.self)
}

/// The activity that a command is about.
struct ActivityArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The activity: its key, or as people write it.", valueName: "ACTIVITY"))
    var text: String

    /// Its key as the catalogue has it. When there is none, says which was probably meant, and ends with 1.
    func key(_ connection: Connection) throws -> String {
        let keys = Set(try Catalogue.keys(connection).map(ExactText.init))
        for key in [text, Catalogue.key(of: text)] where keys.contains(ExactText(key)) { return key }
        let meant = nearest(to: Catalogue.key(of: text), among: keys.map(\.text).sorted())
        let hint = meant.map { " (did you mean “\($0.printable)”?)" } ?? ""
        printError("waymark: there is no activity “\(text.printable)”\(hint)")
        throw ExitCode.failure
    }
}

extension Timestamp {
    /// How long ago, in one unit: `12 s`, `3 min`, `5 h`, `2 d`.
    func ago(_ now: Timestamp) -> String {
        let seconds = max(now.seconds - seconds, 0)
        switch seconds {
        case ..<120: return "\(seconds) s ago"
        case ..<7200: return "\(seconds / 60) min ago"
        case ..<172_800: return "\(seconds / 3600) h ago"
        default: return "\(seconds / 86_400) d ago"
        }
    }
}
