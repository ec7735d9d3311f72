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

    @Test(arguments: [3600.0, 3600.000001])
    func aRepeatInTheGraceIsBehindTheWindow(at: Double) throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", RuleTests.cart(200), at: 0)
        story.does("add to cart", RuleTests.cart(300), at: at, received: 3700)
        story.finish()
        // It waits for the decision, and starts the journey again.
        #expect(story.fires == (at > 3600 ? [4200, 7800.000001] : [7800]))
    }

    @Test func twoThatAreToldTogetherLateAreTwo() throws {
        var story = try Story(RuleTests.abandoned.replacing("grace: 10s", with: "restart: true"))
        story.does("add to cart", RuleTests.cart(200), at: 0, received: 4000)
        story.does("add to cart", RuleTests.cart(300), at: 3700, received: 4000)
        story.finish()
        #expect(story.fires == [4000, 7300])
    }

    /// What comes while a repeat waits counts for both windows, for each as far as it is concerned.
    @Test(arguments: [
        (3500.0, 3800.0, [7900.0]), (3800, 3800, [4200]), (3650, 3800, [4200, 7900]), (3800, 4500, [4200]),
    ])
    func evidenceMeetsARepeatThatWaits(at: Double, received: Double, fires: [Double]) throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", RuleTests.cart(200), at: 0)
        story.does("add to cart", RuleTests.cart(300), at: 3700)
        story.does("purchase", RuleTests.cart(), at: at, received: received)
        story.finish()
        #expect(story.fires == fires)
    }

    @Test func anExitEndsTheFirstAndTheRepeatThatWaits() throws {
        var story = try Story(Self.abandoned + "\nexit: [{did: leave}]")
        story.does("add to cart", RuleTests.cart(200), at: 0)
        story.does("add to cart", RuleTests.cart(300), at: 3700)
        story.does("leave", at: 3800)
        story.finish()
        #expect(story.fires == [] && story.trace == ["enrolled", "left", "enrolled", "left"])
    }

    @Test func aRepeatInTheGraceStartsAnewWhereThatIsAllowed() throws {
        var story = try Story(Self.abandoned.replacing("per_key", with: "always"))
        story.does("add to cart", RuleTests.cart(200), at: 0)
        story.does("add to cart", RuleTests.cart(300), at: 3700)
        // Nor does it end a wait whose window is over.
        story.does("add to cart", RuleTests.cart(50), at: 3650, received: 3710)
        story.finish()
        #expect(story.fires == [4200, 7900])
    }
}
