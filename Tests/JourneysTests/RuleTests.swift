import Foundations
import Payload
import Testing

@testable import Journeys

/// The rules of the contract, row by row.
struct RuleTests {
    static let abandoned = """
        on: {did: add to cart, where: 'value >= 100'}
        key: cart
        reentry: per_key
        unless: {did: purchase, where: 'cart == entry.cart', within: 1h, grace: 10s}
        do: [{webhook: feed, params: {cart: "{entry.cart}"}}]
        """

    static func cart(_ value: Int = 200, _ id: String = "c") -> String {
        "{\"value\": \(value), \"cart\": \"\(id)\"}"
    }

    // MARK: Clock and evidence

    @Test func aWindowIsMeasuredInEventTime() throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", Self.cart(), at: 0, received: 600)
        story.finish()
        #expect(story.fires == [3610])
    }

    @Test func aTimerIsDueNotBeforeItsEventWasReceived() throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", Self.cart(), at: 0, received: 7200)
        story.finish()
        #expect(story.fires == [7210])
    }

    @Test(arguments: [
        (3600.0, 3610.0, true), (3600, 3610.000001, false), (3600.000001, 3600.000001, false),
        (10, 3609, true), (3599, 4000, false),
    ])
    func evidenceCountsByItsOwnTimeIfItWasReceivedWhenDue(at: Double, received: Double, counts: Bool) throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", Self.cart(), at: 0)
        story.does("purchase", Self.cart(), at: at, received: received)
        story.finish()
        #expect(story.fires == (counts ? [] : [3610]))
    }

    @Test func evidenceAfterTheDecisionIsRecordedOnceAndNeverUnsent() throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", Self.cart(), at: 0)
        story.does("purchase", Self.cart(), at: 60, received: 4000)
        story.does("purchase", Self.cart(), at: 61, received: 4001)
        story.finish()
        #expect(story.fires == [3610])
        #expect(story.trace == ["enrolled", "fired", "left", "disproved_late"])
    }

    /// Whenever the timer is looked at: what came behind it in the meantime waits, and what was in time counts.
    @Test(arguments: [false, true])
    func aTimerThatIsLookedAtLateDecidesTheSame(isInTime: Bool) throws {
        let story = try Story(Self.abandoned)
        var person = Person(Story.profile("p"))
        var history = Remembrance()
        func step(_ event: Occurrence) -> [Effect] {
            history.add(event)
            return story.engine.step(&person, .event(event), history: history)
        }
        _ = step(Story.event("add to cart", Self.cart(), at: 0))
        let due = try #require(person.enrolments[0].due)
        // Received after the timer was due, but stepped before it is looked at.
        _ = step(Story.event("purchase", Self.cart(), at: 100, received: 5000))
        _ = step(Story.event("add to cart", Self.cart(), at: 5001, received: 5001))
        #expect(person.enrolments.count == 1 && person.memory.parked.count == 2)
        if isInTime { _ = step(Story.event("purchase", Self.cart(), at: 90, received: 3000)) }
        let effects = story.engine.step(&person, .timer(person.enrolments[0].id, due: due), history: history)
        let fired = effects.contains { if case .deliver = $0 { true } else { false } }
        #expect(fired == !isInTime)
        // Also when the timer was needed no more: the second cart is waited for.
        #expect(person.memory.parked.isEmpty)
        #expect(person.enrolments.map(\.isRunning) == [false, true])
    }

    @Test func anEventThatIsTooOldOnArrivalIsEvidenceAndStartsNothing() throws {
        var story = try Story(Self.abandoned)
        story.does("add to cart", Self.cart(), at: 0, received: 86_401)
        story.does("add to cart", Self.cart(200, "d"), at: 0, received: 86_400)
        story.finish()
        #expect(story.fires == [86_410])
    }

    @Test func howOldAnEventMayBeIsSaidPerJourney() throws {
        var story = try Story("on: {did: a}\nstart_within: 1m\ndo: [{webhook: feed}]")
        story.does("a", at: 0, received: 61)
        story.does("a", at: 100, received: 160)
        story.finish()
        #expect(story.fires == [160])
    }

    @Test func whatHappenedBeforeIsNoEvidenceUnlessItIsLookedBackFor() throws {
        var story = try Story(Self.abandoned)
        story.does("purchase", Self.cart(), at: -60)
        story.does("add to cart", Self.cart(), at: 0)
        story.finish()
        #expect(story.fires == [3610])
        var back = try Story(Self.abandoned.replacing("within: 1h", with: "within: 1h, lookback: 1m"))
        back.does("purchase", Self.cart(), at: -60)
        back.does("add to cart", Self.cart(), at: 0)
        back.does("purchase", Self.cart(200, "d"), at: -61)
        back.does("add to cart", Self.cart(200, "d"), at: 0)
        back.finish()
        #expect(back.fires == [3610])
        #expect(back.params() == ["cart=d"])
    }

    @Test func aLateStartFindsTheEvidenceThatCameBeforeIt() throws {
        var story = try Story(Self.abandoned)
        story.does("purchase", Self.cart(), at: 60)
        story.does("add to cart", Self.cart(), at: 0, received: 600)
        story.finish()
        #expect(story.fires == [] && story.trace == ["enrolled", "left"])
    }

    @Test func atTheSameInstantTheOrderIsThatOfArrival() throws {
        var story = try Story("on: {seq: [{did: a}, {did: b}], within: 1h}\ndo: [{webhook: feed}]")
        story.does("b", at: 0)
        story.does("a", at: 0)
        #expect(story.fires == [])
        story.does("b", at: 0)
        #expect(story.fires == [0])
    }

    // MARK: Audience and values

    @Test func theAudienceIsAskedAfterTheEventHasChangedTheProfile() throws {
        let story = try Story("on: {did: a}\nwho: 'attr.TIER == \"gold\"'\ndo: [{webhook: feed}]")
        var person = Person(Story.profile("p"), attributes: Array("{\"TIER\":\"gold\"}".utf8))
        let event = Story.event("a", at: 0)
        let effects = story.engine.step(&person, .event(event, attributesBefore: Array("{}".utf8)))
        #expect(effects.contains { if case .deliver = $0 { true } else { false } })
    }

    @Test func whatIsUnknownNeverFires() throws {
        for condition in ["x == 1", "!(x == 1)", "x != 1", "items.none(price > 3)"] {
            var story = try Story("on: {did: a, where: '\(condition)'}\ndo: [{webhook: feed}]")
            story.does("a", at: 0)
            #expect(story.fires == [], "\(condition)")
        }
    }

    // MARK: Enrolments

    @Test func aJourneyIsNotEnteredTwiceAtATimeButAgainAfterItsEnd() throws {
        var story = try Story("on: {did: a}\ndo: [{webhook: feed}, {wait: 1h}]")
        for at in [0.0, 10, 3600, 3601] { story.does("a", at: at) }
        story.finish()
        #expect(story.fires == [0, 3601])
    }

    @Test(arguments: [
        ("reentry: once", [0.0]), ("reentry: always", [0, 10, 100, 4000]),
        ("reentry: {mode: always, max: 2}", [0, 10]),
        ("reentry: {mode: cooldown, every: 1m}", [0, 100, 4000]),
        ("reentry: {mode: after_exit, every: 100s}", [0, 100, 4000]),
        ("key: k\nreentry: per_key", [0, 10, 100, 4000]),
        ("key: k\nreentry: {mode: per_key, every: 50s}", [0, 10, 100, 4000]),
        ("key: k\nreentry: once", [0, 10]),
    ])
    func aJourneyIsEnteredAgainByItsRule(reentry: String, fires: [Double]) throws {
        var story = try Story("on: {did: a}\n\(reentry)\ndo: [{webhook: feed}]")
        for (at, key) in [(0.0, "x"), (10, "y"), (100, "x"), (4000, "x")] {
            story.does("a", "{\"k\": \"\(key)\"}", at: at)
        }
        #expect(story.fires == fires)
    }

    @Test func theNumberGrowsAndTheIdIsTheSameForTheSameEnrolment() throws {
        var story = try Story("on: {did: a}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("a", at: 1)
        let rows = try #require(story.simulation.person(Story.profile("p"))).enrolments
        #expect(rows.map(\.n) == [1, 2])
        #expect(rows[0].id == NameBasedID.enrolment("j", Story.profile("p"), key: "", n: 1))
        #expect(story.simulation.deliveries[0].id == NameBasedID.delivery(rows[0].id, step: "0", visit: 1))
        #expect(rows[0].id.version == 5 && rows[0].id != rows[1].id)
    }

    @Test func withoutAKeyNobodyCanSayWhichOne() throws {
        var story = try Story("on: {did: a}\nkey: k\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        #expect(story.fires == [] && story.trace == [])
    }

    // MARK: Several events

    @Test func aLateFirstPartStillCompletes() throws {
        var story = try Story(
            "on: {seq: [{did: a}, {did: b}, {did: c}], within: 1h}\ndo: [{webhook: feed, params: {was: '{event.type}'}}]"
        )
        story.does("b", at: 100)
        story.does("x", at: 150)
        story.does("c", at: 200)
        story.does("a", at: 50, received: 900)
        #expect(story.fires == [900] && story.params() == ["was=a"])
    }

    @Test func anyChoiceOfEventsThatFitsWillDo() throws {
        var story = try Story("on: {seq: [{did: a}, {did: b}], within: 10s}\ndo: [{webhook: feed}]")
        for (label, at) in [("a", 0.0), ("a", 95), ("b", 100)] { story.does(label, at: at) }
        #expect(story.fires == [100])
        // The first `a` is too far away from it, the second is used up.
        story.does("b", at: 101)
        #expect(story.fires == [100])
    }

    @Test func inAnyOrderEachPartNeedsAnEventOfItsOwn() throws {
        var story = try Story(
            "on: {all: [{did: a}, {did: a, where: 'n > 5'}, {did: b}], within: 1h}\ndo: [{webhook: feed}]")
        story.does("a", "{\"n\": 9}", at: 0)
        story.does("b", at: 1)
        #expect(story.fires == [])
        story.does("a", "{\"n\": 1}", at: 2)
        #expect(story.fires == [2])
        story.does("b", at: 3)
        #expect(story.fires == [2])
    }

    @Test func partsThatAreTooFarApartAreNone() throws {
        var story = try Story("on: {all: [{did: a}, {did: b}], within: 1h}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("b", at: 3601)
        #expect(story.fires == [])
        story.does("a", at: 7201)
        #expect(story.fires == [7201])
    }

    // MARK: Scores and segments

    static let scores = """
        scores:
          lead:
            window: 1h
            rules: [{did: a, points: 10}, {did: b, points: 50, cap: 50}, {who: 'attr.AGE > 20', points: 5}]
            bands: {hot: 60, warm: 20}
        segments: {adult: {where: 'attr.AGE >= 18'}, quiet: {where: 'did("a") > 0 && did("a", "1h") == 0'}}
        """

    @Test func aBandIsEnteredWhenItBecomesAnotherOfTheListedOnes() throws {
        var story = try Story(
            "on: {score: lead, enters: [hot, warm]}\ndo: [{webhook: feed, params: {b: '{score.lead.band}'}}]",
            others: Self.scores)
        for at in [0.0, 1, 2] { story.does("a", at: at) }
        story.does("b", at: 3)
        story.does("b", at: 4)
        story.finish()
        #expect(story.fires == [1, 3] && story.params(0) == ["b=warm"] && story.params(1) == ["b=hot"])
        // Decayed, and risen again.
        story.does("a", at: 9000)
        story.does("a", at: 9001)
        #expect(story.fires == [1, 3, 9001])
    }

    @Test func whoIsInASegmentAlreadyDoesNotEnterIt() throws {
        let story = try Story(
            "on: {segment: adult, enters: true}\ndo: [{webhook: feed}]", others: Self.scores)
        func fires(_ before: String, _ after: String) -> Bool {
            var person = Person(Story.profile("p"), attributes: Array(after.utf8))
            let input = Input.attributes(before: Array(before.utf8), at: Story.at(0))
            return story.engine.step(&person, input).contains {
                if case .deliver = $0 { true } else { false }
            }
        }
        #expect(fires("{}", "{\"AGE\": 30}") && fires("{\"AGE\": 3}", "{\"AGE\": 18}"))
        #expect(!fires("{\"AGE\": 20}", "{\"AGE\": 30}") && !fires("{\"AGE\": 20}", "{}"))
    }

    @Test func timeAloneCanBringSomebodyIntoASegment() throws {
        var story = try Story(
            "on: {segment: quiet, enters: true}\nreentry: always\ndo: [{webhook: feed}]", others: Self.scores)
        story.does("a", at: 0)
        story.does("a", at: 100)
        story.finish()
        #expect(story.fires == [3700])
        story.does("a", at: 8000)
        story.finish()
        #expect(story.fires == [3700, 11_600])
    }

    // MARK: Restart, exit, goal

    @Test func aRepeatedStartBeginsTheTimeAnewAndReplacesTheEntry() throws {
        var story = try Story(
            Self.abandoned.replacing("grace: 10s", with: "restart: true")
                + "\ngoal: {did: purchase, within: 3d}")
        story.does("add to cart", Self.cart(200), at: 0)
        story.does("add to cart", Self.cart(300), at: 600)
        story.does("add to cart", Self.cart(400, "other"), at: 700)
        story.finish()
        #expect(story.fires == [4200, 4300])
        #expect(
            String(decoding: story.simulation.deliveries[0].entry?.properties ?? [], as: UTF8.self)
                == Self.cart(300))
        story.does("purchase", at: 5000)
        #expect(story.trace.filter { $0 == "goal" }.count == 2)
    }

    @Test func aRepeatThatNoLongerMeetsTheConditionEndsTheWait() throws {
        var story = try Story(Self.abandoned.replacing("grace: 10s", with: "restart: true"))
        story.does("add to cart", Self.cart(200), at: 0)
        story.does("add to cart", Self.cart(50), at: 600)
        story.finish()
        #expect(story.fires == [] && story.trace == ["enrolled", "left"])
    }

    @Test func anExitEndsItAtAnyStep() throws {
        let yaml =
            "on: {did: a}\nexit: [{did: stop, where: 'n == entry.n'}]\ndo: [{wait: 1h}, {webhook: feed}, {wait: 1h}, {webhook: feed}]"
        for (stop, fires) in [(10.0, []), (4000, [3600.0]), (8000, [3600, 7200])] {
            var story = try Story(yaml)
            story.does("a", "{\"n\": 1}", at: 0)
            story.does("stop", "{\"n\": 2}", at: 5)
            story.does("stop", "{\"n\": 1}", at: stop)
            story.finish()
            #expect(story.fires == fires)
        }
    }

    @Test func aGoalIsCountedAndNotActedOn() throws {
        var story = try Story(
            "on: {did: a}\ngoal: {did: b, within: 1h}\ndo: [{webhook: feed}, {wait: 30m}, {webhook: feed}]")
        story.does("a", at: 0)
        story.does("b", at: 60)
        story.does("b", at: 61)
        story.finish()
        #expect(story.fires == [0, 1800] && story.trace.filter { $0 == "goal" }.count == 1)
        var late = try Story("on: {did: a}\ngoal: {did: b, within: 1h}\ndo: [{webhook: feed}]")
        late.does("a", at: 0)
        late.does("b", at: 3601)
        #expect(!late.trace.contains("goal"))
    }

    // MARK: Steps

    @Test func aWaitEndsWithItsTimeOrWithWhatItWaitsFor() throws {
        let yaml = "on: {did: a}\ndo: [{wait: 1h, until: {did: b}, then: THEN}, {webhook: feed}]"
        for (then, bought, fires) in [
            ("exit", true, []), ("exit", false, [3600.0]), ("continue", true, [10]),
            ("continue", false, [3600]),
        ] {
            var story = try Story(yaml.replacing("THEN", with: then))
            story.does("a", at: 0)
            if bought { story.does("b", at: 10) }
            story.finish()
            #expect(story.fires == fires, "\(then) \(bought)")
        }
    }

    @Test func aSplitTakesTheFirstBranchThatIsTrue() throws {
        let yaml = """
            on: {did: a}
            do:
              - split:
                  - {if: 'n > 5', do: [{webhook: feed, params: {b: one}}, {wait: 1m}, {webhook: feed, params: {b: more}}]}
                  - {if: 'entry.n > 2', do: [{exit: enough}]}
                  - {else: true, do: [{set: {SEEN: 'n + 1'}}]}
              - webhook: feed
                params: {b: "end {attr.SEEN}"}
            """
        for (n, params) in [(9, ["one", "more", "end "]), (3, []), (1, ["end 2"])] {
            var story = try Story(yaml)
            story.does("a", "{\"n\": \(n)}", at: 0)
            story.finish()
            #expect(story.simulation.deliveries.flatMap { $0.params.map(\.value) } == params)
        }
    }

    @Test func sharesAreTakenByAHashThatStays() throws {
        var story = try Story(
            "on: {did: a}\ndo: [{ab: [{share: 30%, do: [{webhook: feed, params: {b: x}}]}, {share: 70%, do: [{webhook: feed, params: {b: y}}]}]}]"
        )
        for i in 0..<1000 { story.does("a", at: Double(i), by: "p\(i)") }
        let first = story.simulation.deliveries.map { $0.params[0].value }
        #expect(first.count == 1000 && (220...380).contains(first.filter { $0 == "x" }.count))
        for i in 0..<1000 { story.does("a", at: 2000 + Double(i), by: "p\(i)") }
        #expect(story.simulation.deliveries.dropFirst(1000).map { $0.params[0].value } == first)
    }

    @Test func aControlGroupIsSentNothingAndCounted() throws {
        var story = try Story("on: {did: a}\ncontrol: 20%\ngoal: {did: b}\ndo: [{webhook: feed}]")
        for i in 0..<1000 { story.does("a", at: Double(i), by: "p\(i)") }
        #expect((740...860).contains(story.fires.count))
        for i in 0..<1000 { story.does("b", at: 2000 + Double(i), by: "p\(i)") }
        #expect(story.trace.filter { $0 == "goal" }.count == 1000)
    }

    @Test func aCapCountsDeliveriesToAProfile() throws {
        var story = try Story("on: {did: a}\ncap: {max: 2, per: 1h}\ndo: [{webhook: feed}]")
        for at in [0.0, 1, 2, 3600, 3601, 3602] { story.does("a", at: at) }
        story.does("a", at: 3603, by: "other")
        #expect(story.fires == [0, 1, 3600, 3601, 3603])
        #expect(story.trace.filter { $0 == "skipped" }.count == 2)
    }

    /// What was not sent is nothing that somebody could have had too much of.
    @Test func aCapDoesNotCountWhatShadowDecides() throws {
        let cap = "on: {did: a}\ncap: {max: 1, per: 1h}\ndo: [{webhook: feed}]"
        let (shadow, live) = (try Story("state: shadow\n" + cap), try Story(cap))
        var person = Person(Story.profile("p"))
        _ = shadow.engine.step(&person, .event(Story.event("a", at: 0)))
        func delivers(_ at: Double) -> Bool {
            live.engine.step(&person, .event(Story.event("a", at: at))).contains {
                if case .deliver = $0 { true } else { false }
            }
        }
        #expect(delivers(1))
        #expect(!delivers(2))
    }

    @Test func keysThatLookTheSameAreOne() throws {
        var story = try Story("on: {did: a}\nkey: id\nreentry: once\ndo: [{webhook: feed}]")
        story.does("a", "{\"id\":\"caf\u{e9}\"}", at: 0)
        story.does("a", "{\"id\":\"cafe\u{301}\"}", at: 1)
        #expect(story.fires == [0])
        #expect(story.simulation.person(Story.profile("p"))?.enrolments[0].key.utf8.count == 5)
    }

    /// Grace and late entries put off when it is certain, not from when what follows is counted.
    @Test func aWaitBehindUnlessBeginsWhereItsTimeWasUp() throws {
        let journey = """
            on: {did: a}
            unless: {did: b, within: 1h, grace: 10m}
            do: [{webhook: feed}, {wait: 1d, until: {did: b}, then: exit}, {webhook: feed}]
            """
        var bought = try Story(journey)
        bought.does("a", at: 0)
        bought.does("b", at: 3900)
        bought.finish()
        #expect(bought.fires == [4200])
        var late = try Story(journey)
        late.does("a", at: 0, received: 7200)
        late.finish()
        #expect(late.fires == [7800, 90_000])
    }

    @Test func aPrivateAttributeIsSetWhereConditionsLookForIt() throws {
        var story = try Story(
            """
            on: {did: a}
            do: [{set: {"private.x": '"sec"'}}, {split: [{if: 'attr.private.x == "sec"', do: [{webhook: feed}]}]}]
            """)
        story.does("a", at: 0)
        #expect(story.fires == [0])
    }

    // MARK: Subjects

    @Test func anEventWithoutAProfileRunsAJourneyThatNeedsNone() throws {
        let story = try Story("on: {did: a}\ndo: [{webhook: feed}]")
        let event = Story.event("a", at: 0)
        var person = Person(.event(event.id))
        let effects = story.engine.step(&person, .event(event))
        #expect(
            effects.contains {
                if case .deliver(let delivery) = $0 { delivery.subject == .event(event.id) } else { false }
            })
    }

    @Test func anEventThatIsAttachedLaterIsEvidenceOfItsOwnTime() throws {
        let story = try Story(Self.abandoned)
        var person = Person(Story.profile("p"))
        _ = story.engine.step(&person, .event(Story.event("add to cart", Self.cart(), at: 0)))
        var bought = Story.event("purchase", Self.cart(), at: 60)
        bought.seen = Story.at(600)
        _ = story.engine.step(&person, .event(bought))
        #expect(person.enrolments[0].phase == .ended)
    }
}

extension String {
    func replacing(_ text: String, with other: String) -> String {
        guard let range = firstRange(of: text) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
