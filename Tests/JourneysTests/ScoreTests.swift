import Foundations
import TestSupport
import Testing

@testable import Journeys

/// What conditions and texts see of points while an event is stepped.
struct ScoreTests {
    @Test func anAudienceSeesThePointsOfTheEventThatStartsIt() throws {
        var story = try Story(
            """
            on: {did: a}
            who: 'score.lead.points >= 20'
            do: [{webhook: feed, params: {p: '{score.lead.points}'}}]
            """, others: RuleTests.scores)
        for at in [0.0, 1, 2] { story.does("a", at: at) }
        #expect(story.fires == [1, 2])
        #expect(Self.texts(story.simulation) == ["20", "30"])
    }

    /// Points that are remembered are those that history comes to.
    @Test func aMemoryMakesNoDifference() throws {
        let story = try Story(
            """
            on: {did: [a, b]}
            who: 'score.lead.points >= 10'
            do: [{webhook: feed, params: {p: '{score.lead.points}'}}]
            """, others: RuleTests.scores)
        var random = SeededRandom(7)
        for _ in 0..<50 {
            var (remembering, forgetful) = (Person(Story.profile("p")), Person(Story.profile("p")))
            var history = Remembrance()
            var clock = 0.0
            for step in 1...12 {
                clock += Double(Int.random(in: 0...1500, using: &random))
                let lateness = random.chance(30) ? Double(Int.random(in: 0...3000, using: &random)) : 0
                var event = Story.event(
                    random.chance(70) ? "a" : "b", "{\"i\": \(step)}", at: clock - lateness, received: clock)
                event.step = Int64(step)
                history.add(event)
                let effects = story.engine.step(&remembering, .event(event), history: history)
                let others = story.engine.step(&forgetful, .event(event), history: history)
                #expect(Self.texts(effects) == Self.texts(others))
                forgetful.memory = Memory()
            }
        }
    }

    /// Fewer points lead into another of the listed bands as more do.
    @Test func aDropIntoAnotherListedBandEntersIt() throws {
        let scores = """
            scores:
              lead:
                window: 1h
                rules: [{did: a, points: 30}, {did: b, points: -15}]
                bands: {hot: 30, warm: 10}
            """
        for (bands, fires) in [("[hot, warm]", [0.0, 60]), ("[hot]", [0])] {
            var story = try Story(
                "on: {score: lead, enters: \(bands)}\nreentry: always\ndo: [{webhook: feed}]", others: scores)
            story.does("a", at: 0)
            story.does("b", at: 60)
            story.does("b", at: 120)
            #expect(story.fires == fires)
        }
    }

    /// A band that is entered by what a reaction sets is entered once.
    @Test func whatAnEventMakesAJourneySetIsReviewedBehindTheEvent() throws {
        let folder = DefinitionFolder(texts: [
            (
                "set",
                """
                webhooks: {feed: {url: https://x.example}}
                scores:
                  lead:
                    window: 1h
                    rules: [{did: a, points: 10}, {who: 'attr.AGE > 20', points: 50}]
                    bands: {hot: 60, warm: 10}
                journeys:
                  grows: {state: live, on: {did: a}, do: [{set: {AGE: '30'}}]}
                  heats:
                    state: live
                    on: {score: lead, enters: [hot, warm]}
                    reentry: always
                    do: [{webhook: feed, params: {band: '{score.lead.band}'}}]
                """
            )
        ])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        var simulation = Simulation(Engine(Rulebook(journeys: folder.journeys, scores: folder.scores)))
        simulation.take(Story.event("a", at: 0), of: Story.profile("p"))
        // By the event it is warm, by what it sets hot.
        #expect(simulation.deliveries.count == 2)
        simulation.take(Story.event("a", at: 1), of: Story.profile("p"))
        #expect(simulation.deliveries.count == 2)
    }

    private static func texts(_ simulation: Simulation) -> [String] {
        simulation.deliveries.flatMap { $0.params.map(\.value) }
    }

    private static func texts(_ effects: [Effect]) -> [String] {
        effects.flatMap { effect -> [String] in
            guard case .deliver(let delivery) = effect else { return [] }
            return delivery.params.map(\.value)
        }
    }

    /// The clock alone takes a person out of it, which nobody is told.
    @Test func aSegmentOfTheClockIsEnteredEachTime() throws {
        var story = try Story(
            "on: {segment: recent, enters: true}\nreentry: always\ndo: [{webhook: feed}]",
            others: "segments: {recent: {where: 'last(\"buy\").time > now() - 3'}}")
        for at in [0.0, 2, 12, 13] { story.does("buy", at: at) }
        #expect(story.fires == [0, 12])
    }
}
