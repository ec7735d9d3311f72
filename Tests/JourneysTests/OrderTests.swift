import Foundations
import TestSupport
import Testing

@testable import Journeys

/// Whenever timers are looked at, the same steps give the same fires: what a live run, several servers and a backtest
/// have in common.
struct OrderTests {
    static let journeys = [
        RuleTests.abandoned,
        "on: {did: add to cart}\nunless: {did: purchase, within: 5m, restart: true}\nexit: [{did: leave}]\ndo: [{webhook: feed}, {wait: 5m, until: {did: purchase}, then: exit}, {webhook: feed}]",
        "on: {did: add to cart}\nkey: cart\nunless: {did: purchase, within: 5m, grace: 3m, restart: true}\nexit: [{did: leave}]\ndo: [{webhook: feed}]",
        "on: {seq: [{did: view}, {did: add to cart}], within: 10m}\nunless: {did: purchase, within: 10m, grace: 30s, lookback: 2m}\ngoal: {did: purchase, within: 1h}\ndo: [{wait: 3m, until: [{did: leave}]}, {webhook: feed}]",
        "on: {did: view, where: 'did(\"view\", \"10m\") > 2'}\nreentry: {mode: cooldown, every: 10m}\nexit: [{did: purchase}]\ndo: [{wait: 4m}, {webhook: feed}]",
        "on: {all: [{did: view}, {did: leave}], within: 8m}\nreentry: always\ndo: [{wait: 2m}, {webhook: feed}, {wait: 2m}, {webhook: feed}]",
    ]

    @Test(arguments: journeys.indices)
    func whenATimerIsLookedAtChangesNothing(index: Int) throws {
        var random = SeededRandom(UInt64(index) + 100)
        let story = try Story(Self.journeys[index])
        var fired = 0
        for round in 0..<150 {
            let events = Self.events(&random)
            let prompt = Self.run(story.engine, events) { _ in 0 }
            var lag = SeededRandom(UInt64(round))
            let late = Self.run(story.engine, events) { _ in Int.random(in: 0...6, using: &lag) }
            #expect(
                prompt == late,
                "round \(round): \(events.map { "\($0.label) \($0.time.seconds - Story.noon) \($0.received.seconds - Story.noon)" })"
            )
            if prompt != late { return }
            fired += prompt.count
        }
        #expect(fired > 20)
    }

    /// What is too much to be parked is not lost in silence.
    @Test func whatGoesByAnUndecidedTimerIsSaid() throws {
        let story = try Story("on: {did: a}\nunless: {did: b, within: 1m}\ndo: [{webhook: feed}]")
        var person = Person(Story.profile("p"))
        _ = story.engine.step(&person, .event(Story.event("a", at: 0)))
        var passed: [Decision] = []
        for second in 0..<250 {
            let effects = story.engine.step(&person, .event(Story.event("b", at: 100 + Double(second))))
            passed += effects.compactMap {
                if case .decided(let decision) = $0, decision.kind == .passedBy { decision } else { nil }
            }
        }
        #expect(person.memory.parked.count == Memory.mostParked)
        #expect(passed.count == 250 - Memory.mostParked)
        #expect(passed.first?.event == Story.event("b", at: 100 + Double(Memory.mostParked)).id)
        #expect(passed.allSatisfy { $0.enrolment == person.enrolments[0].id })
    }

    /// In the order of their steps: mostly that of arrival, but two servers may be at different places.
    private static func events(_ random: inout SeededRandom) -> [Occurrence] {
        var events: [Occurrence] = []
        var clock = 0.0
        for _ in 0..<Int.random(in: 2...14, using: &random) {
            clock += Double(Int.random(in: 0...240, using: &random))
            let lateness = random.chance(30) ? Double(Int.random(in: 0...900, using: &random)) : 0
            let label =
                ["add to cart", "view", "view", "purchase", "leave", "add to cart"].randomElement(
                    using: &random) ?? "view"
            let cart = RuleTests.cart(random.chance(70) ? 200 : 50, random.chance(70) ? "c" : "d")
            events.append(Story.event(label, cart, at: clock - lateness, received: clock))
        }
        for i in events.indices.dropFirst() where random.chance(15) { events.swapAt(i, i - 1) }
        return events
    }

    /// Steps the events; a timer may be decided once nothing is left that was received before it was due, and is
    /// decided so many steps later.
    private static func run(_ engine: Engine, _ events: [Occurrence], lag: (Int) -> Int) -> [String] {
        var person = Person(Story.profile("p"))
        var history = Remembrance()
        var fires: [String] = []
        func step(_ input: Input) {
            for effect in engine.step(&person, input, history: history) {
                if case .deliver(let delivery) = effect {
                    fires.append(
                        "\(delivery.id) \(delivery.at.seconds - Story.noon) \(delivery.entry?.time.seconds ?? 0)"
                    )
                }
            }
        }
        func decide(before end: Timestamp) {
            while let due = person.enrolments.compactMap(\.due).min(), due < end,
                let one = person.enrolments.first(where: { $0.due == due })
            {
                step(.timer(one.id, due: due))
            }
        }
        var held = 0
        for (i, event) in events.enumerated() {
            held -= 1
            if held <= 0 {
                let end = events[i...].map(\.received).min() ?? event.received
                decide(before: end)
                held = lag(i)
            }
            var event = event
            event.step = Int64(i + 1)
            history.add(event)
            step(.event(event))
        }
        decide(before: Timestamp(microseconds: .max))
        return fires.sorted()
    }
}
