import ConfigurationFile
import Foundations
import Payload

/// What came of a scenario: nothing but its differences matter.
package struct ScenarioRun {
    package let scenario: Scenario
    package let got: [Scenario.Expectation]
    package let decisions: [Decision]
    private let start: Timestamp
    private let names: [UUID: String]

    /// A Monday, at noon by the clocks of the panel, unless the scenario says when it begins.
    private static let monday = CivilDate(year: 2026, month: 1, day: 5)
    private static let space = UUID(high: 0x1d2c_88a1_0f3e_5b7a, low: 0x9c45_66f0_e2b1_7d03)
    /// What is ahead of its arrival by more than that is taken for that.
    private static let ahead: Int64 = 300_000_000

    package init(_ scenario: Scenario, journey: JourneyDefinition, folder: DefinitionFolder, zone: Zone) {
        self.scenario = scenario
        let start = scenario.start ?? zone.moment(LocalTime(Self.monday, secondOfDay: 12 * 3600))
        self.start = start
        var journey = journey
        // A scenario says what a journey would do; whether it does it is its state's business.
        journey.state = .live
        let rules = Rulebook(
            journeys: [journey], segments: folder.segments, scores: folder.scores, zone: zone)
        var simulation = Simulation(Engine(rules))
        var names: [UUID: String] = [:]
        func profile(_ name: String) -> Subject {
            let id = NameBasedID.make(Self.space, "profile \(name)")
            names[id] = name
            return .profile(id)
        }
        for (name, attributes) in scenario.profiles.sorted(by: { $0.key < $1.key }) {
            simulation.set(attributes, of: profile(name))
        }
        let arrivals = scenario.events.enumerated().sorted {
            ($0.element.arrives, $0.offset) < ($1.element.arrives, $1.offset)
        }
        for (i, event) in arrivals {
            let id = NameBasedID.make(Self.space, "event \(i)")
            let received = start.adding(microseconds: event.arrives)
            let said = start.adding(microseconds: event.at)
            let occurrence = Occurrence(
                id: id, activity: activityKey(event.label) ?? event.label, label: event.label,
                source: event.source,
                time: min(said, received.adding(microseconds: Self.ahead)), received: received,
                properties: event.properties)
            simulation.take(occurrence, of: event.profile.map(profile) ?? .event(id))
        }
        simulation.finish()
        got = simulation.deliveries.map { delivery in
            Scenario.Expectation(
                at: delivery.at.microseconds - start.microseconds, webhook: delivery.webhook,
                profile: delivery.subject.profile.flatMap { names[$0] }, params: delivery.params)
        }
        decisions = simulation.decisions
        self.names = names
    }

    package var passed: Bool {
        got.count == scenario.expect.count && zip(scenario.expect, got).allSatisfy { Self.fits($0, $1) }
    }

    private static func fits(_ wanted: Scenario.Expectation, _ got: Scenario.Expectation) -> Bool {
        wanted.at == got.at && wanted.webhook == got.webhook
            && (wanted.profile == nil || wanted.profile == got.profile)
            && wanted.params.allSatisfy { param in got.params.contains { $0 == param } }
    }

    /// For people: nothing but the name when it passed; else what was expected, what came, and what happened.
    package var report: [String] {
        if passed { return ["ok      \(scenario.name)"] }
        var lines = ["FAILED  \(scenario.name) (\(scenario.journey), \(scenario.file):\(scenario.line))"]
        for i in 0..<max(scenario.expect.count, got.count) {
            let wanted = i < scenario.expect.count ? scenario.expect[i] : nil
            let came = i < got.count ? got[i] : nil
            if let wanted, let came, Self.fits(wanted, came) {
                lines.append("          as expected  \(Self.described(came))")
                continue
            }
            lines.append("          expected     \(wanted.map(Self.described) ?? "nothing more")")
            lines.append("          got          \(came.map(Self.described) ?? "nothing")")
        }
        for decision in decisions {
            let at = (decision.at.microseconds - start.microseconds).clockText
            let who = names[decision.subject.id].map { " \($0)" } ?? ""
            let detail = decision.detail.isEmpty ? "" : ": \(decision.detail)"
            lines.append("          \(at)\(who) \(decision.kind.rawValue)\(detail)")
        }
        return lines
    }

    private static func described(_ delivery: Scenario.Expectation) -> String {
        let who = delivery.profile.map { " to \($0)" } ?? ""
        let params = delivery.params.map { "\($0.name): \(quoted($0.value))" }.joined(separator: ", ")
        return "\(delivery.at.clockText) \(delivery.webhook)\(who)" + (params.isEmpty ? "" : " {\(params)}")
    }
}

extension Int64 {
    /// As the files write it, whatever it is: `25h10m`.
    fileprivate var clockText: String {
        if self < 0 { return "-" + (-self).clockText }
        let (hours, rest) = quotientAndRemainder(dividingBy: 3_600_000_000)
        let tail = rest == 0 ? "" : rest.durationText
        return hours == 0 ? (rest == 0 ? "0s" : tail) : "\(hours)h\(tail)"
    }
}
