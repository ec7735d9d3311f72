import ArgumentParser
import ConfigurationFile
import Foundations
import Glibc
import Journeys

struct JourneysSimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Run scenarios in virtual time, and say what differs.",
        discussion: """
            SCENARIOS is a file with `scenarios`, or a folder with such files. The journeys are those of the same \
            folder, or of --journeys. Nothing is sent and no database is needed. The exit status is 1 if a scenario \
            does not end as it expects, 78 for a mistake in the files. With --repeat it then says how long a server \
            would take for the scenarios' events, with all journeys of the folder live and the database left out: an \
            average over so many repetitions.

            EXAMPLES
              waymark journeys simulate Config/journeys
              waymark journeys simulate Config/journeys/scenarios.yaml --only cart_timer_starts_anew
              waymark journeys simulate story.yaml --journeys Config/journeys
              waymark journeys simulate Config/journeys --repeat 1000
            """)

    @OptionGroup var file: ConfigurationOption
    @Argument(help: ArgumentHelp("The scenarios.", valueName: "SCENARIOS"))
    var scenarios: String
    @Option(name: .customLong("journeys"), help: ArgumentHelp("Where the journeys are.", valueName: "FOLDER"))
    var journeys: String?
    @Option(name: .customLong("only"), help: ArgumentHelp("Only this scenario.", valueName: "NAME"))
    var only: String?
    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("Measure the engine, so many times over.", valueName: "TIMES"))
    var rounds: Int?

    func validate() throws {
        if let rounds, !(1...1_000_000).contains(rounds) {
            throw ValidationError("--repeat: 1 to 1000000")
        }
    }

    func run() throws {
        let folder = try readJourneys(paths(), file)
        var chosen = folder.scenarios.filter { isDirectory(scenarios) || $0.file == scenarios }
        if let only {
            let names = chosen.map(\.name)
            guard names.contains(only) else {
                throw failure("there is no scenario \(only) in \(scenarios)", only, among: names)
            }
            chosen = chosen.filter { $0.name == only }
        }
        guard !chosen.isEmpty else { throw failure("there are no scenarios in \(scenarios)") }
        let begin = Clock.system.monotonic()
        let zone = (folder.panel.timezone ?? file.panelSettings.timezone).flatMap { Zone($0) } ?? .utc
        var failed = 0
        for scenario in chosen {
            guard let journey = folder.journey(scenario.journey) else { continue }
            let run = ScenarioRun(scenario, journey: journey, folder: folder, zone: zone)
            for line in run.report { print(line) }
            failed += run.passed ? 0 : 1
        }
        let milliseconds = (Clock.system.monotonic() - begin) / 1_000_000
        print(
            "\(chosen.count) scenario\(chosen.count == 1 ? "" : "s"), \(failed == 0 ? "all as expected" : "\(failed) failed"), in \(milliseconds) ms"
        )
        if let rounds { measure(folder, zone, rounds) }
        if failed > 0 { throw ExitCode.failure }
    }

    private func measure(_ folder: DefinitionFolder, _ zone: Zone, _ rounds: Int) {
        var timing = EngineTiming(folder, zone: zone, clock: Clock.system.monotonic)
        timing.run(rounds: rounds)
        for figure in [timing.unheard, timing.unmet, timing.idle, timing.effective] where figure.count > 0 {
            let nanoseconds = "\(Int(figure.nanoseconds.rounded()))"
            let pad = String(repeating: " ", count: max(0, 8 - nanoseconds.utf8.count))
            print("\(pad)\(nanoseconds) ns  \(figure.what)")
        }
    }

    /// The scenarios' own folder, unless another one is named; then that one and the scenarios' file.
    private func paths() -> [String] {
        if let journeys {
            return isDirectory(scenarios) || journeys == scenarios ? [journeys] : [journeys, scenarios]
        }
        if isDirectory(scenarios) || access(scenarios, R_OK) != 0 { return [scenarios] }
        let parts = scenarios.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let folder = parts.joined(separator: "/")
        return [parts.isEmpty ? "." : folder.isEmpty ? "/" : folder]
    }

    private func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
