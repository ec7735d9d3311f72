import ArgumentParser
import ConfigurationFile
import Enrolments
import Foundations
import Identity
import Journeys
import Postgres

struct JourneysExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why a journey did what it did for a person, or why not.",
        discussion: """
            First come the enrolments: where each stands, what it waits for, and what it looked at behind its start: \
            events that could have ended it, and branches. Then the person's latest events that \
            could have started the journey, each with its conditions, the values that they saw, and what followed. At \
            the end stands the trace: what happened, with the event that caused it. Conditions are asked anew, with \
            the attributes of now. A journey that was removed can be asked for as well.

            EXAMPLES
              waymark journeys explain --profile 0198c5f2-7b7e-8a3c-9d4e-5f60718293a4 --journey high_value_cart
              waymark journeys explain --profile email=ada@example.org --journey high_value_cart
            """)

    @Option(help: ArgumentHelp("Whom: any of the person's ids, or KIND=VALUE.", valueName: "ID"))
    var profile: String
    @Option(help: ArgumentHelp("Which journey.", valueName: "NAME")) var journey: String
    @Option(help: ArgumentHelp("How many events and lines of the trace.", valueName: "NUMBER")) var limit = 20
    @OptionGroup var file: ConfigurationOption

    func validate() throws {
        guard 1...1000 ~= limit else { throw ValidationError("--limit is 1 to 1000") }
    }

    func run() throws {
        let setting = RulesInForce.Setting(try file.read().configuration)
        var names: [String] = []
        let found = try inDatabase(file, "journeys explain") { connection throws(PostgresError) in
            let person = try find(connection)
            guard let person else { return nil as (Explanation?, [JourneyReading.Line])? }
            let rules = try RulesInForce.read(setting, connection)
            names = try JourneyReading.names(connection)
            return (
                try JourneyReading.explain(
                    journey, of: person, with: rules, at: Clock.system.now(), most: limit, connection),
                try JourneyReading.trace(of: person, journey: journey, limit: limit, connection)
            )
        }
        guard let (explanation, trace) = found else { throw failure("nobody is known by \(profile)") }
        guard let explanation else { throw failure("there is no journey \(journey)", journey, among: names) }
        for line in Self.lines(explanation, trace) { print(line.printable) }
    }

    private func find(_ connection: Connection) throws(PostgresError) -> UUID? {
        if let id = UUID(profile) { return try People.find(id, connection) }
        let parts = profile.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        return try People.find(kind: parts[0], value: parts[1], connection)
    }

    static func lines(_ explanation: Explanation, _ trace: [JourneyReading.Line]) -> [String] {
        var lines = ["\(explanation.journey), version \(explanation.version.prefix(8)), \(explanation.state)"]
        lines += explanation.notes.map { "  \($0)" }
        lines += ["", "Enrolments"]
        if explanation.enrolments.isEmpty { lines.append("  none") }
        for one in explanation.enrolments.sorted(by: { $0.startedAt > $1.startedAt }) {
            let key = one.key.isEmpty ? "" : " \(one.key)"
            let version = one.version == explanation.version ? "" : " (version \(one.version.prefix(8)))"
            lines.append("  \(one.startedAt.short)\(key) #\(one.n)\(version): \(one.standing)")
            for look in explanation.looks where look.enrolment == one.id {
                lines += Self.lines(
                    look.attempt, called: "\(look.what) \(look.attempt.activity)", indent: "    ")
            }
        }
        lines += ["", "What could have started it"]
        if explanation.attempts.isEmpty { lines.append("  the person did nothing of the kind") }
        for attempt in explanation.attempts {
            let activity = attempt.activity.isEmpty ? "now" : attempt.activity
            lines += Self.lines(attempt, called: activity, indent: "  ")
        }
        lines += ["", "What happened"]
        if trace.isEmpty { lines.append("  nothing") }
        for line in trace {
            let event = line.event.map { " (event \($0))" } ?? ""
            lines.append(
                "  \(line.at.short) \(line.kind)\(line.detail.isEmpty ? "" : ": ")\(line.detail)\(event)")
        }
        return lines
    }

    private static func lines(
        _ attempt: Explanation.Attempt, called name: String, indent: String
    ) -> [String] {
        var lines = ["\(indent)\(attempt.at.short) \(name): \(attempt.verdict)"]
        for condition in attempt.conditions {
            let now = condition.isAsOfNow ? ", as the profile is now" : ""
            lines.append("\(indent)  \(condition.text): \(condition.result)\(now)")
            lines += condition.saw.map { "\(indent)    \($0)" }
        }
        return lines
    }
}

extension Enrolment {
    /// Where it stands, in a sentence.
    fileprivate var standing: String {
        let timer = due.map { "until \($0.short)" } ?? "for its timer's decision"
        switch phase {
        case .awaiting: return "waits \(timer)"
        case .waiting: return "waits in step \(step) \(timer)"
        case .held: return "held \(timer)"
        case .ended: return "ended \(endedAt?.short ?? ""): \(reason ?? "done")"
        }
    }
}
