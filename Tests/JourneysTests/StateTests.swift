import Foundations
import Payload
import Testing

@testable import Journeys

struct StateTests {
    @Test func anEnrolmentComesBackFromItsText() throws {
        let story = try Story(
            "on: {did: a}\nkey: k\nunless: {did: b, within: 1h}\ngoal: {did: c}\ncontrol: 50%\ndo: [{webhook: feed}, {wait: 1h}, {webhook: feed}]"
        )
        var person = Person(Story.profile("p"))
        // White space, digits and the order of keys are those that were received.
        let properties = "{ \"k\" : \"é\\u00e9\\\"\", \"n\": 18446744073709551616.10, \"a\":1 }"
        _ = story.engine.step(&person, .event(Story.event("a", properties, at: 0)))
        for _ in 0..<4 {
            let enrolment = person.enrolments[0]
            #expect(Enrolment(encoded: enrolment.encoded) == enrolment)
            #expect(
                enrolment.entry.map { String(decoding: $0.properties, as: UTF8.self) } ?? properties
                    == properties)
            guard let due = enrolment.due else { break }
            _ = story.engine.step(&person, .timer(enrolment.id, due: due))
        }
        #expect(person.enrolments[0].phase == .ended)
        #expect(
            Enrolment(encoded: Array("{}".utf8)) == nil && Enrolment(encoded: Array("nonsense".utf8)) == nil)
    }

    @Test func aMemoryComesBackFromItsText() throws {
        var memory = Memory()
        #expect(Memory(encoded: memory.encoded) == memory && Memory(encoded: []) == memory)
        let event = Story.event("a", "{\"x\": 1}", at: 1, received: 2)
        memory.evidence = ["j": [Memory.Evidence(parts: [0, 2], time: Story.at(5), id: event.id)]]
        let counts = [
            [Memory.Score.Count(time: Story.at(1), count: 2), .init(time: Story.at(3), count: 1)], [],
        ]
        memory.scores = ["lead": Memory.Score(version: "v", counts: counts, band: "hot", at: Story.at(9))]
        memory.segments = [
            "in": Memory.Membership(isIn: true, at: Story.at(1), next: Story.at(9)),
            "out": Memory.Membership(isIn: false, at: Story.at(2)),
        ]
        memory.sent = ["j": [Story.at(1), Story.at(2)]]
        memory.parked = [
            Memory.Parked(journey: "j", cause: .event(event), clock: Story.at(2)),
            Memory.Parked(journey: "j", cause: .event(event), clock: Story.at(2), step: 7, sees: Story.at(3)),
            Memory.Parked(
                journey: "k", cause: .entered(time: Story.at(3), clock: Story.at(4)), clock: Story.at(4)),
        ]
        memory.review = Story.at(100)
        #expect(Memory(encoded: memory.encoded) == memory)
        #expect(Memory(encoded: Array("[]".utf8)) == nil)
    }

    /// State that went through its text at every step gives the same fires.
    @Test func aStoryGoesOnWhereItsTextEnds() throws {
        let story = try Story(
            "on: {seq: [{did: a}, {did: b}], within: 1h}\nunless: {did: c, within: 10m}\ncap: {max: 2, per: 1h}\ndo: [{webhook: feed}, {wait: 1m}, {webhook: feed}]"
        )
        var person = Person(Story.profile("p"))
        var delivered = 0
        func step(_ input: Input) {
            delivered +=
                story.engine.step(&person, input).filter { if case .deliver = $0 { true } else { false } }
                .count
            person.enrolments = person.enrolments.compactMap { Enrolment(encoded: $0.encoded) }
            person.memory = Memory(encoded: person.memory.encoded) ?? Memory()
        }
        step(.event(Story.event("a", at: 0)))
        step(.event(Story.event("b", at: 60)))
        for _ in 0..<2 { step(.timer(person.enrolments[0].id, due: try #require(person.enrolments[0].due))) }
        #expect(delivered == 2 && !person.enrolments[0].isRunning)
    }

    @Test func anExplanationSaysWhatEachConditionSaw() throws {
        var story = try Story(RuleTests.abandoned + "\nwho: 'attr.TIER == \"gold\"'")
        story.set("{\"TIER\": \"gold\"}")
        story.does("add to cart", RuleTests.cart(50), at: 0)
        story.does("add to cart", RuleTests.cart(200), at: 60)
        story.does("add to cart", "{\"cart\": \"x\"}", at: 70)
        story.does("purchase", RuleTests.cart(1), at: 600)
        let subject = Story.profile("p")
        let person = try #require(story.simulation.person(subject))
        let explanation = try #require(
            story.engine.explain("j", person, history: story.simulation.history(subject), at: Story.at(700)))
        #expect(explanation.enrolments.map(\.reason) == ["disproved by purchase"])
        #expect(
            explanation.attempts.map(\.verdict) == [
                "value >= 100 is unknown", "enrolled: ended: disproved by purchase", "value >= 100 is false",
            ])
        #expect(explanation.attempts[2].conditions[0].saw == ["value = 50"])
        #expect(explanation.attempts[2].conditions[1].saw == ["attr.TIER = \"gold\""])
        #expect(story.engine.explain("other", person, history: Remembrance(), at: Story.at(0)) == nil)
    }

    @Test func anExplanationLooksIntoSegments() throws {
        var story = try Story(
            "on: {did: a}\nwho: 'in_segment(\"outer\")'\ndo: [{webhook: feed}]",
            others:
                #"segments: {inner: {where: 'attr.C == "x"'}, outer: {where: 'in_segment("inner") && attr.N > 1'}}"#
        )
        story.set(#"{"C": "y", "N": 2}"#)
        story.does("a", at: 0)
        let person = try #require(story.simulation.person(Story.profile("p")))
        let explanation = try #require(
            story.engine.explain(
                "j", person, history: story.simulation.history(Story.profile("p")), at: Story.at(5)))
        #expect(
            explanation.attempts.first?.conditions.first?.saw ?? [] == [
                #"in_segment("outer") = false"#, #"in_segment("inner") = false"#, #"attr.C = "y""#,
                "attr.N = 2",
            ])
    }

    @Test func anExplanationOfAScoreSaysItsPoints() throws {
        var story = try Story(
            "on: {score: lead, enters: [hot]}\ndo: [{webhook: feed}]", others: RuleTests.scores)
        story.does("a", at: 0)
        let subject = Story.profile("p")
        let person = try #require(story.simulation.person(subject))
        let explanation = try #require(
            story.engine.explain("j", person, history: story.simulation.history(subject), at: Story.at(5)))
        #expect(
            explanation.attempts[0].conditions[0].saw == [
                "score.lead.points = 10", "score.lead.band = unknown",
            ])
        #expect(explanation.attempts[0].verdict == "score lead enters hot is false")
    }

    // MARK: Who listens

    @Test func nobodyIsAskedWhatNobodyListensTo() throws {
        let story = try Story(RuleTests.abandoned)
        func listens(_ key: String) -> Bool {
            var key = key
            return key.withUTF8 { story.engine.listens(to: Bytes($0)) }
        }
        #expect(listens("add-to-cart") && listens("purchase"))
        #expect(
            !listens("page-view") && !listens("add-to-car") && !listens("")
                && !listens(String(repeating: "x", count: 256)))
        #expect(story.engine.concern(Story.event("add to cart", RuleTests.cart(), at: 0)) == .start)
        #expect(story.engine.concern(Story.event("add to cart", RuleTests.cart(1), at: 0)) == .nothing)
        #expect(story.engine.concern(Story.event("purchase", at: 0)) == .running)
        #expect(story.engine.concern(Story.event("page view", at: 0)) == .nothing)
    }

    @Test func aTableFindsEachOfManyKeys() {
        let keys = (0..<2000).map { "activity-\($0 % 7)-\($0)" }
        let table = ListenerTable(keys)
        for (i, key) in keys.enumerated() { #expect(Array(key.utf8).withUnsafeBytes { table.find($0) } == i) }
        #expect(Array("activity-0-1".utf8).withUnsafeBytes { table.find($0) } == nil)
    }
}
