import ArgumentParser
import ConfigurationFile
import Enrolments
import Foundations
import Journeys
import Postgres

struct JourneysBacktestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backtest", abstract: "Say what a journey would have done with the stored events.",
        discussion: """
            The journey of the files, or of the database with --applied, is run over the stored events, person by \
            person, in virtual time: how many would have fired, for whom, when, and what the live version did \
            otherwise. Nothing is sent or written. It says what it went by and what it could not know: events that \
            were not saved are not there, and attributes are those of now.

            EXAMPLES
              waymark journeys backtest high_value_cart --since 30d
              waymark journeys backtest high_value_cart --since 7d --applied --limit 100
            """)

    @Argument(help: ArgumentHelp("The journey.", valueName: "JOURNEY")) var journey: String
    @Option(
        help: ArgumentHelp("How far back.", valueName: "DURATION"), transform: QuarantineSelection.duration)
    var since: Int64 = 30 * 86_400_000_000
    @Option(help: ArgumentHelp("How many of them to list.", valueName: "NUMBER")) var limit = 20
    @Option(
        name: .customLong("folder"), help: ArgumentHelp("Where the files are.", valueName: "FOLDER"))
    var folder: String?
    @Flag(help: "The applied version, not that of the files.") var applied = false
    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let configuration = try file.read().configuration
        let definitions =
            applied ? nil : try readJourneys([folder ?? file.journeysFolder], file)
        let now = Clock.system.now()
        var names: [String] = []
        let result = try inDatabase(file, "journeys backtest") { connection throws(PostgresError) in
            let parts = try parts(definitions, configuration, connection)
            names = parts.journeys.map(\.name)
            guard let journey = parts.journeys.first(where: { $0.name == journey }) else {
                return nil as Backtest.Result?
            }
            let backtest = Backtest(
                journey, segments: parts.segments, scores: parts.scores, zone: parts.zone,
                since: now.adding(microseconds: -since), now: now)
            return try backtest.run(connection)
        }
        guard let result else { throw failure("there is no journey \(journey)", journey, among: names) }
        report(result)
    }

    private typealias Parts = (
        journeys: [JourneyDefinition], segments: [SegmentDefinition], scores: [ScoreDefinition], zone: Zone
    )

    private func parts(
        _ folder: DefinitionFolder?, _ configuration: Configuration, _ connection: Connection
    ) throws(PostgresError) -> Parts {
        guard let folder else {
            let stored = try AppliedDefinitions.read(connection)
            let rules = try RulesInForce.read(RulesInForce.Setting(configuration), connection)
            return (stored.journeys, stored.segments, stored.scores, rules.zone)
        }
        let zone = Zone(folder.panel.timezone ?? configuration.timezone) ?? .utc
        return (folder.journeys, folder.segments, folder.scores, zone)
    }

    private func report(_ result: Backtest.Result) {
        print("\(counted(result.events, "event")) of \(counted(result.persons, "person"))")
        for note in result.notes { print("- \(note)") }
        let persons = Set(result.fires.map(\.subject)).count
        print("enrolled \(result.enrolled), fired \(result.fires.count), for \(persons)")
        list(result.fires, "would have fired")
        print("\nthe live version fired \(result.live)")
        list(result.onlyBacktest, "only the backtest")
        list(result.onlyLive, "only the live version")
    }

    private func list(_ fires: [Backtest.Fire], _ title: String) {
        if fires.isEmpty { return }
        print("\n\(title): \(fires.count)")
        var table = Table("TIME", "WHOM", "WEBHOOK", "KEY", "EVENT")
        for fire in fires.suffix(limit) {
            table.add(
                fire.at.short, "\(fire.subject)", fire.webhook, fire.key, fire.event.map { "\($0)" } ?? "")
        }
        table.print()
        if fires.count > limit { print("the last \(limit) of them; more: --limit") }
    }
}
