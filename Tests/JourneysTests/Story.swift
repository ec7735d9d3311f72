import Foundations
import Testing

@testable import Journeys

/// A journey, and what happens to people in virtual time; seconds from a Monday's noon (UTC).
struct Story {
    static let noon: Int64 = 1_767_614_400
    let engine: Engine
    private(set) var simulation: Simulation

    init(_ yaml: String, others: String = "") throws {
        let text =
            "webhooks: {feed: {url: https://x.example}}\n\(others)\njourneys:\n  j:\n" + Self.indented(yaml)
        let folder = DefinitionFolder(texts: [("story", text)])
        let mistakes = folder.mistakes
        try #require(mistakes.isEmpty, "\(mistakes)")
        var journeys = folder.journeys
        for i in journeys.indices where !yaml.contains("state:") { journeys[i].state = .live }
        engine = Engine(Rulebook(journeys: journeys, segments: folder.segments, scores: folder.scores))
        simulation = Simulation(engine)
    }

    private static func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
    }

    static func profile(_ name: String) -> Subject {
        .profile(NameBasedID.make(UUID(high: 1, low: 2), name))
    }

    static func at(_ seconds: Double) -> Timestamp {
        Timestamp(microseconds: noon * 1_000_000 + Int64(seconds * 1_000_000))
    }

    static func event(_ label: String, _ json: String = "{}", at: Double, received: Double? = nil)
        -> Occurrence
    {
        let time = Story.at(at)
        let got = Story.at(received ?? at)
        let id = NameBasedID.make(UUID(high: 3, low: 4), "\(label) \(at) \(received ?? at) \(json)")
        return Occurrence(
            id: id, activity: activityKey(label) ?? label, label: label, source: "shop", time: time,
            received: got,
            properties: Array(json.utf8))
    }

    mutating func does(
        _ label: String, _ json: String = "{}", at: Double, received: Double? = nil, by name: String = "p"
    ) {
        simulation.take(Story.event(label, json, at: at, received: received), of: Story.profile(name))
    }

    mutating func set(_ attributes: String, of name: String = "p") {
        simulation.set(Array(attributes.utf8), of: Story.profile(name))
    }

    /// Two turn out to be one; whatever is due before comes first.
    mutating func merge(_ loser: String, into winner: String, at: Double) {
        until(at)
        simulation.merge(Story.profile(loser), into: Story.profile(winner), at: Story.at(at))
    }

    mutating func finish() { simulation.finish() }
    mutating func until(_ seconds: Double) { simulation.fire(before: Story.at(seconds)) }

    /// When deliveries were queued, in seconds.
    var fires: [Double] {
        simulation.deliveries.map { Double($0.at.microseconds - Story.noon * 1_000_000) / 1_000_000 }
    }

    var trace: [String] { simulation.decisions.map { $0.kind.rawValue } }
    func params(_ i: Int = 0) -> [String] { simulation.deliveries[i].params.map { "\($0.name)=\($0.value)" } }
}
