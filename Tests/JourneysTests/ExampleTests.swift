import Foundations
import Testing

@testable import Journeys

/// `Config/journeys.example`: what the documentation shows, and what people start from.
struct ExampleTests {
    nonisolated(unsafe) static let folder = DefinitionFolder([path])  // never changed
    private static var path: String {
        let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return parts.joined(separator: "/") + "/Config/journeys.example"
    }

    @Test func theExamplesHaveNoMistakes() {
        #expect(Self.folder.mistakes == [])
        #expect(Self.folder.journeys.count == 8 && Self.folder.webhooks.count == 2)
    }

    @Test(arguments: folder.scenarios.map(\.name))
    func aScenarioOfTheExamplesEndsAsItExpects(name: String) throws {
        let folder = Self.folder
        let scenario = try #require(folder.scenarios.first { $0.name == name })
        let journey = try #require(folder.journey(scenario.journey))
        let zone = try #require(Zone(folder.panel.timezone ?? "UTC"))
        let run = ScenarioRun(scenario, journey: journey, folder: folder, zone: zone)
        #expect(run.passed, "\(run.report.joined(separator: "\n"))")
    }

    @Test func aWrongExpectationFails() throws {
        let folder = Self.folder
        var scenario = try #require(folder.scenarios.first { $0.name == "visited_but_did_not_buy" })
        scenario.expect[0].at += 1
        let journey = try #require(folder.journey(scenario.journey))
        let run = ScenarioRun(scenario, journey: journey, folder: folder, zone: .utc)
        #expect(!run.passed && run.report.contains { $0.contains("got          2h10m call_centre to p1") })
    }

    @Test func theCanonicalFormIsEnoughToReadAJourneyAgain() throws {
        for journey in Self.folder.journeys {
            let json = journey.canonicalJSON
            let again = try JourneyDefinition(name: journey.name, canonicalJSON: json, state: journey.state)
            #expect(again == journey)
            #expect(again.canonicalJSON == json && again.version == journey.version)
            #expect(journey.version.count == 64)
        }
        for score in Self.folder.scores {
            #expect(try ScoreDefinition(name: score.name, canonicalJSON: score.canonicalJSON) == score)
        }
        for segment in Self.folder.segments {
            #expect(
                try SegmentDefinition(name: segment.name, canonicalJSON: segment.canonicalJSON) == segment)
        }
    }

    @Test func whatIsExportedIsReadAsTheSame() {
        let folder = Self.folder
        let text = DefinitionText.yaml(
            journeys: folder.journeys, segments: folder.segments, scores: folder.scores)
        let again = DefinitionFolder(texts: [("export", text + "webhooks: {feed: {}, call_centre: {}}\n")])
        #expect(again.mistakes == [])
        #expect(again.journeys == folder.journeys.sorted { $0.name < $1.name })
        #expect(again.segments == folder.segments && again.scores == folder.scores)
    }
}
