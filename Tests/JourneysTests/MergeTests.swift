import Foundations
import TestSupport
import Testing

@testable import Journeys

/// Which enrolments remain when two profiles turn out to be one person.
struct MergeTests {
    private static let journeys = """
        webhooks: {feed: {url: https://x.example}}
        journeys:
          single: {on: {did: a}, key: k, reentry: per_key, do: [{wait: 1h}, {webhook: feed}]}
          parallel: {on: {did: a}, key: k, reentry: always, do: [{wait: 1h}, {webhook: feed}]}
        """

    private static func engine() throws -> Engine {
        let folder = DefinitionFolder(texts: [("merge", journeys)])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        return Engine(Rulebook(journeys: folder.journeys))
    }

    private static func enrolment(
        _ journey: JourneyDefinition, _ person: String, _ key: String, _ n: Int, at second: Double, runs: Bool
    ) -> Enrolment {
        var enrolment = Enrolment(
            id: NameBasedID.enrolment(journey.name, Story.profile(person), key: key, n: n),
            journey: journey.name,
            version: journey.version, subject: Story.profile(person), key: key, n: n,
            startedAt: Story.at(second),
            enrolledAt: Story.at(second), entry: nil, phase: runs ? .waiting : .ended)
        enrolment.due = runs ? Story.at(second + 3600) : nil
        return enrolment
    }

    /// A person's enrolments as they may stand: numbers grow, one runs at a time where only one may.
    private static func person(_ name: String, _ engine: Engine, _ random: inout SeededRandom) -> Person {
        var person = Person(Story.profile(name))
        for journey in ["parallel", "single"].compactMap({ engine.rules.current($0)?.journey }) {
            for key in ["x", "y"] {
                var second = Double(Int.random(in: 0..<50, using: &random))
                let count = Int.random(in: 0..<4, using: &random)
                for n in 0..<count {
                    let mayRun = journey.name == "parallel" || n == count - 1
                    let runs = mayRun && Int.random(in: 0..<3, using: &random) > 0
                    // What was forgotten long ago leaves gaps.
                    if runs || n == count - 1 || Int.random(in: 0..<3, using: &random) > 0 {
                        person.enrolments.append(
                            enrolment(journey, name, key, n + 1, at: second, runs: runs))
                    }
                    second += Double(Int.random(in: 1..<30, using: &random))
                }
            }
        }
        person.enrolments.shuffle(using: &random)
        return person
    }

    /// By age, each one that no older one that stayed is in the way of.
    private static func obvious(_ winner: Person, _ loser: Person) -> Set<UUID> {
        let all =
            (winner.enrolments.map { ($0, true) } + loser.enrolments.map { ($0, false) }).sorted {
                ($0.0.startedAt, $0.0.enrolledAt, $0.0.id) < ($1.0.startedAt, $1.0.enrolledAt, $1.0.id)
            }
        var stayed: [(Enrolment, Bool)] = []
        for (one, isWinners) in all {
            let isInTheWay = stayed.contains { other, otherIsWinners in
                otherIsWinners != isWinners && one.journey == other.journey && one.key == other.key
                    && (one.n == other.n || one.isRunning && other.isRunning && one.journey == "single")
            }
            if !isInTheWay { stayed.append((one, isWinners)) }
        }
        return Set(stayed.map(\.0.id))
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func theOlderOfEachTwoThatCollideStays(seed: UInt64) throws {
        let engine = try Self.engine()
        var random = SeededRandom(seed)
        let (before, loser) = (
            Self.person("w", engine, &random), Self.person("l", engine, &random)
        )
        var winner = before
        let effects = engine.merge(loser, into: &winner, at: Story.at(10_000))
        #expect(Set(winner.enrolments.map(\.id)) == Self.obvious(before, loser))
        #expect(winner.enrolments.allSatisfy { $0.subject == winner.subject })
        // What the contract promises to be unique is; and what goes is said, once.
        let places = winner.enrolments.map { "\($0.journey) \($0.key) \($0.n)" }
        #expect(Set(places).count == places.count)
        let single = winner.enrolments.filter { $0.journey == "single" && $0.isRunning }.map(\.key)
        #expect(Set(single).count == single.count)
        let dropped = effects.compactMap { if case .drop(let id) = $0 { id } else { nil } }
        let all = Set((before.enrolments + loser.enrolments).map(\.id))
        #expect(Set(dropped) == all.subtracting(winner.enrolments.map(\.id)))
        #expect(Set(dropped).count == dropped.count)
    }

    /// One that moves meets two at once: the one with its number, and the one that runs.
    @Test func bothRivalsOfAnOlderOneGo() throws {
        let engine = try Self.engine()
        let journey = try #require(engine.rules.current("single")?.journey)
        var winner = Person(Story.profile("w"))
        winner.enrolments = [
            Self.enrolment(journey, "w", "x", 1, at: 10, runs: false),
            Self.enrolment(journey, "w", "x", 2, at: 20, runs: true),
        ]
        var loser = Person(Story.profile("l"))
        loser.enrolments = [Self.enrolment(journey, "l", "x", 1, at: 5, runs: true)]
        _ = engine.merge(loser, into: &winner, at: Story.at(30))
        #expect(winner.enrolments.map(\.id) == loser.enrolments.map(\.id))
    }

    @Test func enrolmentsMoveAndOnACollisionTheOlderStays() throws {
        let story = try Story("on: {did: a}\nkey: k\nreentry: per_key\ndo: [{wait: 1h}, {webhook: feed}]")
        func person(_ name: String, _ events: [(String, Double)]) -> Person {
            var person = Person(Story.profile(name))
            for (key, at) in events {
                _ = story.engine.step(&person, .event(Story.event("a", "{\"k\": \"\(key)\"}", at: at)))
            }
            return person
        }
        var winner = person("w", [("x", 10), ("y", 20)])
        let loser = person("l", [("x", 5), ("z", 30)])
        let older = loser.enrolments[0].id
        let effects = story.engine.merge(loser, into: &winner, at: Story.at(40))
        #expect(Set(winner.enrolments.map(\.key)) == ["x", "y", "z"] && winner.enrolments.count == 3)
        #expect(
            winner.enrolments.contains { $0.id == older }
                && winner.enrolments.allSatisfy { $0.subject == winner.subject })
        let kinds = effects.compactMap { effect -> String? in
            if case .decided(let decision) = effect { return decision.kind.rawValue }
            return nil
        }
        #expect(kinds == ["moved", "dropped", "moved"])
        #expect(effects.contains { if case .drop = $0 { true } else { false } })
        let timer = Input.timer(older, due: try #require(winner.enrolments.first { $0.id == older }?.due))
        #expect(story.engine.step(&winner, timer).contains { if case .deliver = $0 { true } else { false } })
    }

    @Test func evidenceOfBothProfilesCompletesACombination() throws {
        let story = try Story("on: {seq: [{did: a}, {did: b}], within: 1h}\ndo: [{webhook: feed}]")
        var (winner, loser) = (Person(Story.profile("w")), Person(Story.profile("l")))
        _ = story.engine.step(&loser, .event(Story.event("a", at: 0)))
        _ = story.engine.merge(loser, into: &winner, at: Story.at(5))
        let effects = story.engine.step(&winner, .event(Story.event("b", at: 10)))
        #expect(effects.contains { if case .deliver = $0 { true } else { false } })
    }
}
