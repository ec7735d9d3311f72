import Foundations
import Testing

@testable import Journeys

/// When things happened, when they were told, and when it was known of whom.
struct ArrivalTests {
    static let day = 86_400.0

    /// Steps an event that got its person later; returns how often it fired.
    private static func fires(_ story: Story, _ label: String, received: Double, seen: Double) -> Int {
        var simulation = story.simulation
        var event = Story.event(label, at: 0, received: received)
        event.seen = Story.at(seen)
        simulation.take(event, of: Story.profile("p"))
        return simulation.deliveries.count
    }

    @Test(arguments: [
        "on: {did: b}\ndo: [{webhook: feed}]",
        "on: {score: lead, enters: [warm]}\ndo: [{webhook: feed}]",
    ])
    func howOldAnEventIsDoesNotDependOnWhenItGotItsPerson(journey: String) throws {
        let story = try Story(journey, others: RuleTests.scores)
        #expect(Self.fires(story, "b", received: 5, seen: 5) == 1)
        #expect(Self.fires(story, "b", received: 5, seen: 3 * Self.day) == 1)
        #expect(Self.fires(story, "b", received: Self.day + 1, seen: 3 * Self.day) == 0)
    }

    /// Nor on a timer for whose decision it waits.
    @Test func whatWaitedForATimerIsAsOldAsItWas() throws {
        let story = try Story("on: {did: a}\nunless: {did: c, within: 1m}\ndo: [{webhook: feed}]")
        var person = Person(Story.profile("p"))
        _ = story.engine.step(&person, .event(Story.event("a", at: 0)))
        let due = try #require(person.enrolments[0].due)
        var late = Story.event("a", at: 100)
        late.seen = Story.at(3 * Self.day)
        _ = story.engine.step(&person, .event(late))
        #expect(person.memory.parked.count == 1)
        _ = story.engine.step(&person, .timer(person.enrolments[0].id, due: due))
        #expect(person.enrolments.map(\.isRunning) == [false, true])
    }
}
