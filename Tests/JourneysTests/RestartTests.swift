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
}
