import Foundations
import Testing

@testable import Journeys

struct ExplanationTests {
    @Test func onlyTheEventThatEnrolledIsShownAsTheEntry() throws {
        var story = try Story("on: {did: a}\nunless: {did: b, within: 1h}\ndo: [{webhook: feed}]")
        story.does("a", #"{"i": 1}"#, at: 0)
        story.does("a", #"{"i": 2}"#, at: 0)
        story.does("b", at: 60)
        #expect(
            try story.verdicts().filter { $0.hasPrefix("enrolled") } == ["enrolled: ended: disproved by b"])
    }

    @Test func anEventOfAnotherKeyIsNotShownAsTheEntry() throws {
        var story = try Story(
            "on: {did: a}\nkey: k\nreentry: per_key\nunless: {did: b, where: 'k == entry.k', within: 1h}\ndo: [{webhook: feed}]"
        )
        story.does("a", #"{"k": 1, "i": 1}"#, at: 0)
        story.does("a", #"{"k": 2}"#, at: 0)
        story.does("a", #"{"k": 1, "i": 2}"#, at: 0)
        story.does("b", #"{"k": 2}"#, at: 60)
        let verdicts = try story.verdicts()
        #expect(verdicts[1] == "enrolled: ended: disproved by b")
        #expect(verdicts[2].hasPrefix("enrolled: waits until"))
        #expect(!verdicts[0].hasPrefix("enrolled: "))
    }

    @Test func anEventThatBeganTheTimeAnewSaysSo() throws {
        var story = try Story(
            "on: {did: a}\nunless: {did: b, within: 1h, restart: true}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("a", at: 60)
        story.does("b", at: 120)
        #expect(
            try story.verdicts() == [
                "the time began anew: ended: disproved by b", "enrolled: ended: disproved by b",
            ])
    }

    @Test func anEnrolmentThatAMergeDroppedWasOneAllTheSame() throws {
        var story = try Story("on: {did: a}\nunless: {did: b, within: 1h}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("a", at: 60, by: "q")
        story.merge("q", into: "p", at: 120)
        let verdicts = try story.verdicts()
        #expect(verdicts[0].hasPrefix("enrolled: dropped, merged: "), "\(verdicts)")
        #expect(verdicts[1].hasPrefix("enrolled: waits until"), "\(verdicts)")
    }

    @Test(arguments: [
        ("after_exit", "enrolment 1 was running then: ended: disproved by b"),
        ("once", "re-entry once, and enrolment 1 was there: ended: disproved by b"),
        (
            "{mode: always, max: 1}",
            "re-entry max 1, and enrolment 1 was there: ended: disproved by b"
        ),
        (
            "{mode: always, every: 1h}", "re-entry every 1h, and enrolment 1 began \(Story.at(0).iso8601)"
        ),
    ])
    func whatStoodInTheWayIsWhatThereWasThen(reentry: String, verdict: String) throws {
        var story = try Story(
            "on: {did: a}\nreentry: \(reentry)\nunless: {did: b, within: 1h}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("a", at: 60)
        story.does("b", at: 120)
        #expect(try story.verdicts() == [verdict, "enrolled: ended: disproved by b"])
    }

    /// The journey did not let anybody in: that an earlier enrolment had ended is no reason.
    @Test(arguments: ["after_exit", "always"])
    func anEnrolmentThatHadEndedStoodInNobodysWay(reentry: String) throws {
        var story = try Story(
            "on: {did: a}\nreentry: \(reentry)\nunless: {did: b, within: 1h}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("b", at: 60)
        let person = try #require(story.simulation.person(Story.profile("p")))
        var draining = story.engine.rules.rules[0].journey
        draining.state = .draining
        story.does("a", at: 120)
        let events = story.simulation.history(Story.profile("p"))
        let explanation = try #require(
            Engine(Rulebook(journeys: [draining])).explain(
                "j", person, history: events, since: Story.at(100), at: Story.at(700)))
        #expect(explanation.attempts[0].verdict == "the journey was draining then")
    }

    /// An event that started nothing, and what is said of it; of the journey only is known since when it is what it is.
    @Test(arguments: [
        (JourneyDefinition.State.paused, 50.0, "the journey was paused then"),
        (
            .paused, 200,
            "the journey is paused since \(Story.at(200).iso8601); what it was when the event came is not recorded"
        ),
        (
            .live, 200,
            "the journey is live since \(Story.at(200).iso8601); what it was when the event came is not recorded"
        ),
        (
            .live, 99,
            "the journey is live since \(Story.at(99).iso8601), and servers hear of it within seconds"
        ),
        (.live, 50, "nothing that is kept says why"),
    ])
    func onlyWhatIsRecordedOfTheJourneyIsSaid(
        state: JourneyDefinition.State, since: Double, verdict: String
    ) throws {
        let story = try Story("on: {did: a}\ndo: [{webhook: feed}]")
        var journey = story.engine.rules.rules[0].journey
        journey.state = state
        var events = Remembrance()
        events.add(Story.event("a", at: 100))
        let explanation = try #require(
            Engine(Rulebook(journeys: [journey])).explain(
                "j", Person(Story.profile("p")), history: events, since: Story.at(since), at: Story.at(700)))
        #expect(explanation.attempts[0].verdict == verdict)
    }

    @Test func whatAnAttributeWasThenIsNotClaimed() throws {
        var story = try Story(
            #"""
            on: {did: a, where: 'x == 1'}
            who: 'attr.CITY == "Pune" && did("b") == 0'
            do: [{webhook: feed}]
            """#)
        story.does("a", #"{"x": 1}"#, at: 0)
        story.does("a", #"{"x": 2}"#, at: 1)
        func verdicts() throws -> [String] {
            try #require(
                story.engine.explain(
                    "j", story.simulation.person(Story.profile("p")) ?? Person(Story.profile("p")),
                    history: story.simulation.history(Story.profile("p")), since: Story.at(-60),
                    at: Story.at(700))
            ).attempts.map(\.verdict)
        }
        #expect(
            try verdicts() == ["x == 1 is false", #"attr.CITY == "Pune" is unknown, as the profile is now"#])
        story.set(#"{"CITY": "Pune"}"#)
        #expect(
            try verdicts()[1]
                == #"attr.CITY == "Pune" is true as the profile is now; it may not have been then"#)
    }

    @Test func whatWaitsForATimersDecisionSaysSo() throws {
        let story = try Story(
            "on: {did: a}\nunless: {did: b, within: 1h, restart: true}\ndo: [{webhook: feed}]")
        var person = Person(Story.profile("p"))
        var events = Remembrance()
        for event in [Story.event("a", at: 0), Story.event("a", at: 3700)] {
            events.add(event)
            _ = story.engine.step(&person, .event(event), history: events)
        }
        let explanation = try #require(
            story.engine.explain("j", person, history: events, at: Story.at(3700)))
        #expect(explanation.attempts[0].verdict == "it waits for the decision of a timer that was due before")
    }

    /// What did not disprove it is shown with the values that it was refused by.
    @Test func aNearMissBehindTheStartIsShown() throws {
        var story = try Story(
            """
            on: {did: search}
            unless: {did: book, where: 'route == entry.route', within: 1h}
            goal: {did: book, where: 'price > 10', within: 1h}
            do: [{webhook: feed}]
            """)
        story.does("search", #"{"route": "A-B"}"#, at: 0)
        story.does("book", #"{"route": "A-C", "price": 5}"#, at: 60)
        func looks() throws -> [String] {
            try story.explanation().looks.map { look in
                let saw = look.attempt.conditions.flatMap(\.saw).joined(separator: ", ")
                return "\(look.what) \(look.attempt.activity): \(look.attempt.verdict) (\(saw))"
            }
        }
        let missed = [
            #"unless book: route == entry.route is false (route = "A-C", entry.route = "A-B")"#,
            "goal book: price > 10 is false (price = 5)",
        ]
        #expect(try looks() == missed)
        story.does("book", #"{"route": "A-B", "price": 50}"#, at: 120)
        // The entry is among the events that could have started it.
        #expect(
            try looks() == [
                #"unless book: ended it: disproved by book (route = "A-B", entry.route = "A-B")"#, missed[0],
                "goal book: reached the goal (price = 50)", missed[1],
            ])
        story.does("book", #"{"route": "A-B", "price": 50}"#, at: 180)
        #expect(try looks()[0].hasPrefix("unless book: it came behind the end"))
    }

    @Test func theBranchThatWasTakenIsShown() throws {
        var story = try Story(
            """
            on: {did: a}
            do:
              - split:
                  - {if: 'n > 5', do: [{webhook: feed}]}
                  - if: 'attr.TIER == "gold"'
                    do: [{wait: 1h}, {split: [{if: 'n > 100', do: [{webhook: feed}]}]}]
                  - {else: true, do: [{exit: no}]}
            """)
        story.set(#"{"TIER": "gold"}"#)
        story.does("a", #"{"n": 1}"#, at: 0)
        func looks() throws -> [String] {
            try story.explanation().looks.map { look in
                let seen = look.attempt.conditions.map { "\($0.text) \($0.result)" }.joined(separator: ", ")
                return "\(look.what) \(look.attempt.activity): \(look.attempt.verdict) (\(seen))"
            }
        }
        let seen = #"(n > 5 false, attr.TIER == "gold" true)"#
        #expect(try looks() == [#"split step 0: took the branch: attr.TIER == "gold" "# + seen])
        story.finish()
        #expect(
            try looks() == [
                #"split step 0: as things are now, the branch: attr.TIER == "gold" "# + seen,
                "split step 0.1.1: as things are now, the branch: none (n > 100 false)",
            ])
    }

    /// Who never came to the steps took no branch, and waited for nothing.
    @Test func whatWasNotReachedIsNotShown() throws {
        var story = try Story(
            """
            on: {did: a}
            unless: {did: b, within: 1h}
            do: [{split: [{if: 'n > 5', do: [{wait: 1h, until: {did: c}}]}]}, {webhook: feed}]
            """)
        story.does("a", #"{"n": 9}"#, at: 0)
        story.does("c", at: 10)
        #expect(try story.explanation().looks == [])
        story.does("b", at: 60)
        #expect(try story.explanation().looks.map(\.what) == ["unless"])
    }
}

extension Story {
    func explanation(at seconds: Double = 700) throws -> Explanation {
        let subject = Self.profile("p")
        let person = try #require(simulation.person(subject))
        let trace = simulation.decisions.map {
            Explanation.Line(
                kind: $0.kind.rawValue, enrolment: $0.enrolment, event: $0.event, detail: $0.detail)
        }
        return try #require(
            engine.explain(
                "j", person, history: simulation.history(subject), trace: trace, at: Self.at(seconds)))
    }

    /// Of the events that could have started it, the latest first.
    func verdicts() throws -> [String] { try explanation().attempts.map(\.verdict) }
}
