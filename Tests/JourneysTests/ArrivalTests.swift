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

    /// Three days may lie between what happened and its arrival, so the other part is kept so long.
    @Test func aPartIsKeptAsLongAsTheOtherMayStillStart() throws {
        let day = Self.day
        for (within, fires) in [("3d", [2 * day + 1]), ("1d", [])] {
            var story = try Story(
                "on: {seq: [{did: a}, {did: b}], within: 1h}\nstart_within: \(within)\ndo: [{webhook: feed}]")
            story.does("b", at: 60)
            story.does("b", at: 2 * day)
            story.does("a", at: 0, received: 2 * day + 1)
            #expect(story.fires == fires)
        }
    }

    /// The wait begins after ten minutes.
    @Test(arguments: [
        (60.0, 700.0, false), (599.999999, 700, false), (600, 700, true), (601, 601, true), (600, 600, false),
    ])
    func whatHappenedBeforeAWaitDoesNotEndIt(at: Double, received: Double, ends: Bool) throws {
        var story = try Story(
            "on: {did: a}\ndo: [{wait: 10m}, {wait: 1h, until: {did: b}, then: exit}, {webhook: feed}]")
        story.does("a", at: 0)
        story.does("b", at: at, received: received)
        story.finish()
        #expect(story.fires == (ends ? [] : [4200]))
    }
}
