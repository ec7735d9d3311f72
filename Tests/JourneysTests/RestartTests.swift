import Foundations
import Testing

@testable import Journeys

/// A repeated start begins the time of `unless` anew, as if it had been the first.
struct RestartTests {
    static let abandoned = RuleTests.abandoned.replacing("grace: 10s", with: "grace: 10m, restart: true")

    @Test func aGoalThatWasReachedIsNotReachedAgain() throws {
        var story = try Story(Self.abandoned + "\ngoal: {did: visit, within: 3d}")
        story.does("add to cart", RuleTests.cart(), at: 0)
        story.does("visit", at: 60)
        story.does("add to cart", RuleTests.cart(), at: 120)
        story.does("visit", at: 180)
        story.finish()
        #expect(story.fires == [4320])
        #expect(story.trace.filter { $0 == "goal" }.count == 1)
    }

    @Test func whatIsKnownOfTheNewWindowCounts() throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", RuleTests.cart(), at: 0)
        // Behind the first window, inside of the second.
        story.does("purchase", RuleTests.cart(), at: 3660)
        story.does("add to cart", RuleTests.cart(), at: 1800, received: 3700)
        story.finish()
        #expect(story.fires == [] && story.trace == ["enrolled", "restarted", "left"])
    }

    @Test func whatIsKnownIsComparedWithTheNewEntry() throws {
        var story = try Story(
            "on: {did: a}\nunless: {did: b, where: 'n == entry.n', within: 1h, restart: true}\ndo: [{webhook: feed}]"
        )
        story.does("a", #"{"n": 1}"#, at: 0)
        story.does("b", #"{"n": 2}"#, at: 100)
        story.does("a", #"{"n": 3}"#, at: 40, received: 150)
        #expect(story.trace == ["enrolled", "restarted"])
        story.does("a", #"{"n": 2}"#, at: 50, received: 200)
        story.finish()
        #expect(story.fires == [] && story.trace == ["enrolled", "restarted", "restarted", "left"])
    }
}
