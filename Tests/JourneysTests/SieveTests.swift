import Foundations
import TestSupport
import Testing

@testable import Journeys

/// What is known of an event before its person is loaded.
@Suite struct SieveTests {
    private static let journeys = """
        webhooks: {feed: {url: https://x.example}}
        scores:
          warmth: {window: 1d, rules: [{did: call, points: 10}], bands: {warm: 10}}
        journeys:
          dear: {state: live, on: {did: cart, where: 'price > 100'}, do: [{webhook: feed}]}
          sold:
            state: live
            on: {did: cart, where: 'price > 50'}
            unless: {did: buy, within: 1h}
            do: [{webhook: feed}]
          phone: {state: live, on: {did: [cart, view], where: 'event.source == "app"'}, do: [{webhook: feed}]}
          late: {state: live, on: {did: view, where: 'now() - event.time > 60'}, do: [{webhook: feed}]}
          pair:
            state: live
            on: {seq: [{did: view, where: 'page == 1'}, {did: buy, where: 'page == 1'}], within: 1h}
            do: [{webhook: feed}]
          known: {state: live, on: {did: visit, where: 'attr.NAME == "Ann"'}, do: [{webhook: feed}]}
          warm: {state: live, on: {score: warmth, enters: [warm]}, do: [{webhook: feed}]}
          held: {state: paused, on: {did: quiet}, do: [{webhook: feed}]}
        """

    private static func engine() throws -> Engine {
        let folder = DefinitionFolder(texts: [("sieve", journeys)])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        return Engine(
            Rulebook(journeys: folder.journeys, segments: folder.segments, scores: folder.scores))
    }

    private static func event(
        _ activity: String, _ json: String = "{}", from source: String = "shop", late: Double = 0
    ) -> Occurrence {
        var event = Story.event(activity, json, at: 0, received: late)
        event.source = source
        return event
    }

    private static func event(_ random: inout SeededRandom) -> Occurrence {
        let activities = ["cart", "view", "buy", "visit", "call", "quiet", "else"]
        let texts = ["", "{}", #"{"price":70,"page":1}"#, #"{"price":170}"#, #"{"page":1}"#, "[]", "{"]
        return event(
            activities.randomElement(using: &random) ?? "", texts.randomElement(using: &random) ?? "",
            from: random.chance(20) ? "app" : "shop", late: random.chance(20) ? 90 : 0)
    }

    @Test(arguments: [
        ("cart", #"{"price":101}"#, "shop", 0, Engine.Concern.start),
        ("cart", #"{"price":51}"#, "shop", 0, .start),
        ("cart", #"{"price":50}"#, "shop", 0, .nothing),
        ("cart", #"{"price":"51"}"#, "shop", 0, .nothing),
        ("cart", "", "shop", 0, .nothing),
        ("cart", "{}", "app", 0, .start),
        ("view", "{}", "shop", 0, .nothing),
        ("view", "{}", "shop", 61, .start),
        ("view", #"{"page":1}"#, "shop", 0, .start),
        ("buy", #"{"page":1}"#, "shop", 0, .start),
        ("buy", "{}", "shop", 0, .running),
        ("visit", "{}", "shop", 0, .start),
        ("call", "{}", "shop", 0, .start),
        ("quiet", "{}", "shop", 0, .nothing),
        ("cartwheel", "{}", "app", 0, .nothing),
    ])
    func anEventIsJudgedByItsOwnProperties(
        activity: String, json: String, source: String, late: Double, wanted: Engine.Concern
    ) throws {
        let event = Self.event(activity, json, from: source, late: late)
        #expect(try Self.engine().concern(event) == wanted)
    }

    /// It keeps its memory from one event to the next, but nothing of the event.
    @Test func whatItSawBeforeChangesNothing() throws {
        let engine = try Self.engine()
        let sieve = Sieve(engine)
        var random = SeededRandom(6)
        for _ in 0..<500 {
            let event = Self.event(&random)
            #expect(sieve.concern(event) == engine.concern(event))
        }
    }

    /// Whoever is not loaded would not have been changed.
    @Test func whatItHoldsBackMeansNothingToAStranger() throws {
        let engine = try Self.engine()
        var random = SeededRandom(7)
        var (held, begun) = (0, 0)
        for _ in 0..<500 {
            let event = Self.event(&random)
            var person = Person(Story.profile("p"))
            let effects = engine.step(&person, .event(event))
            if engine.concern(event) == .start {
                begun += effects.isEmpty ? 0 : 1
            } else {
                held += 1
                #expect(effects.isEmpty)
            }
        }
        #expect(held > 50 && begun > 50)
    }
}
