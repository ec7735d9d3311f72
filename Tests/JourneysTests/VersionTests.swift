import Foundations
import Testing

@testable import Journeys

/// What a journey's state and its versions mean to those who are in it.
struct VersionTests {
    @Test(arguments: [
        ("draft", 0, 0), ("shadow", 0, 1), ("live", 1, 1), ("paused", 0, 0), ("draining", 0, 0),
    ])
    func aStateDoesWhatItSays(state: String, deliveries: Int, enrolments: Int) throws {
        var story = try Story("state: \(state)\non: {did: a}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.finish()
        #expect(story.fires.count == deliveries)
        #expect(story.simulation.person(Story.profile("p"))?.enrolments.count == enrolments)
    }

    @Test func aRunningEnrolmentKeepsItsVersionAndAPausedOneWaits() throws {
        var old = try Self.journey("on: {did: a}\ndo: [{wait: 1h}, {webhook: feed, params: {v: one}}]")
        var person = Person(Story.profile("p"))
        old.state = .live
        _ = Engine(Rulebook(journeys: [old])).step(&person, .event(Story.event("a", at: 0)))
        let due = try #require(person.enrolments[0].due)
        let timer = Input.timer(person.enrolments[0].id, due: due)
        var new = try Self.journey("on: {did: a}\ndo: [{webhook: feed, params: {v: two}}]")
        for (state, params) in [(JourneyDefinition.State.paused, []), (.draining, ["one"]), (.live, ["one"])]
        {
            new.state = state
            var copy = person
            let rules = Rulebook(journeys: [new], old: [Rulebook.Old(journey: old, state: state)])
            let effects = Engine(rules).step(&copy, timer)
            let got = effects.flatMap { effect -> [String] in
                if case .deliver(let delivery) = effect { return delivery.params.map(\.value) }
                return []
            }
            #expect(got == params, "\(state)")
            #expect(copy.enrolments[0].due == (state == .paused ? due : nil))
        }
    }

    /// Who has bought while a journey rested is not called when it goes on.
    @Test(arguments: [JourneyDefinition.State.paused, .draft])
    func evidenceCountsWhileAJourneyRests(_ state: JourneyDefinition.State) throws {
        var journey = try Self.journey("on: {did: a}\nunless: {did: b, within: 1h}\ndo: [{webhook: feed}]")
        journey.state = .live
        var person = Person(Story.profile("p"))
        let live = Engine(Rulebook(journeys: [journey]))
        _ = live.step(&person, .event(Story.event("a", at: 0)))
        let timer = Input.timer(person.enrolments[0].id, due: try #require(person.enrolments[0].due))
        journey.state = state
        let resting = Engine(Rulebook(journeys: [journey]))
        #expect(resting.step(&person, timer).isEmpty)
        // In time, told later than the timer was due.
        _ = resting.step(&person, .event(Story.event("b", at: 3000, received: 4000)))
        #expect(person.enrolments[0].phase == .ended)
        #expect(live.step(&person, timer).isEmpty)
    }

    static func journey(_ yaml: String) throws -> JourneyDefinition {
        let lines = yaml.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        let folder = DefinitionFolder(texts: [("j", "webhooks: {feed: {}}\njourneys:\n  j:\n\(lines)")])
        return try #require(folder.journeys.first, "\(folder.mistakes)")
    }
}
