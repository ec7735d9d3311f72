import Foundations
import Testing

@testable import Journeys

/// Two profiles become one: the cart was filled on the phone, the purchase made at the desk, and only then did somebody
/// sign in there.
@Suite struct UnionTests {
    private static let cart = """
        on: {did: add to cart}
        unless: {did: purchase, where: 'id == entry.id', within: 1h}
        exit: {did: unsubscribe}
        goal: {did: review}
        do: [{webhook: feed}]
        """

    /// Whichever of the two stays.
    @Test(arguments: [true, false])
    func evidenceOfTheOtherOneCounts(_ phoneStays: Bool) throws {
        let (loser, winner) = phoneStays ? ("desk", "phone") : ("phone", "desk")
        for (other, at, merged, fires) in [
            ("purchase", 60.0, 90.0, false), ("purchase", 60, 3599, false), ("purchase", 60, 3601, true),
            ("unsubscribe", 60, 90, false), ("look", 60, 90, true), ("purchase", -5, 90, true),
        ] {
            var story = try Story(Self.cart)
            story.does("purchase", #"{"id":2}"#, at: -10, by: "desk")
            if at < 0 { story.does(other, #"{"id":1}"#, at: at, by: "desk") }
            story.does("add to cart", #"{"id":1}"#, at: 0, by: "phone")
            if at > 0 { story.does(other, #"{"id":1}"#, at: at, by: "desk") }
            story.merge(loser, into: winner, at: merged)
            story.finish()
            #expect(story.fires == (fires ? [3600] : []), "\(other) \(at) \(merged)")
        }
    }

    @Test func whatWasAnotherOnesWhenItFiredIsToldTooLate() throws {
        var story = try Story(Self.cart)
        story.does("add to cart", #"{"id":1}"#, at: 0, by: "phone")
        story.does("purchase", #"{"id":1}"#, at: 60, by: "desk")
        story.merge("desk", into: "phone", at: 4000)
        #expect(story.fires == [3600])
        #expect(story.trace.last == "disproved_late")
    }

    @Test func aGoalOfTheOtherOneIsReached() throws {
        var story = try Story(Self.cart)
        story.does("add to cart", #"{"id":1}"#, at: 0, by: "phone")
        story.does("review", at: 60, by: "desk")
        story.merge("desk", into: "phone", at: 90)
        #expect(story.trace.contains("goal"))
    }

    @Test func aWaitIsEndedByTheOtherOne() throws {
        for (then, fires) in [("exit", []), ("continue", [90.0])] {
            var story = try Story(
                "on: {did: a}\ndo: [{wait: 1h, until: {did: b}, then: \(then)}, {webhook: feed}]")
            story.does("a", at: 0, by: "phone")
            story.does("b", at: 60, by: "desk")
            story.merge("desk", into: "phone", at: 90)
            story.finish()
            #expect(story.fires == fires, "\(then)")
        }
    }

    @Test(arguments: ["all", "seq"])
    func eachHasAPartOfACombination(_ kind: String) throws {
        let journey =
            "on: {\(kind): [{did: a}, {did: b}], within: 1h}\ndo: [{webhook: feed, params: {x: '{x}'}}]"
        var story = try Story(journey)
        story.does("a", at: 0, by: "phone")
        story.does("b", #"{"x":7}"#, at: 60, by: "desk")
        story.merge("desk", into: "phone", at: 90)
        #expect(story.fires == [90])
        #expect(story.params() == ["x=7"])
        // They are used up.
        story.does("b", at: 120, by: "phone")
        #expect(story.fires == [90])
        // Of one of the two alone it is nothing new.
        var alone = try Story("who: attr.ok == true\n" + journey)
        for (name, at) in [("a", 0.0), ("b", 1)] { alone.does(name, at: at, by: "desk") }
        alone.set(#"{"ok":true}"#, of: "phone")
        alone.merge("desk", into: "phone", at: 90)
        #expect(alone.fires.isEmpty)
    }

    @Test func aBandThatNeitherHadIsEntered() throws {
        let scores = """
            scores:
              heat:
                window: 1d
                rules: [{did: look, points: 60}]
                bands: {hot: 120, warm: 60}
            """
        for (phone, desk, fires) in [(1, 1, true), (2, 1, false), (1, 2, false), (0, 2, false)] {
            var story = try Story(
                "on: {score: heat, enters: [hot]}\ndo: [{webhook: feed}]", others: scores)
            for n in 0..<phone { story.does("look", at: Double(n), by: "phone") }
            for n in 0..<desk { story.does("look", at: Double(10 + n), by: "desk") }
            let before = story.fires.count
            story.merge("desk", into: "phone", at: 90)
            #expect((story.fires.count > before) == fires, "\(phone) \(desk)")
        }
    }
}
