import Foundations
import Testing

@testable import Journeys

/// The order in which stored events are run again, and who they are about.
@Suite struct ReplayTests {
    private static func entry(_ name: String, at seconds: Double, step: Int64) -> Replay.Entry {
        var event = Story.event(name, at: seconds)
        event.step = step
        return Replay.Entry(event, of: Story.profile("p").id)
    }

    /// Names of events, with the second of their arrival and the number of their step.
    @Test(
        arguments: [
            ([("a", 1.0, 2), ("b", 2, 1)], "ba"), ([("a", 2, 0), ("b", 1, 0)], "ba"),
            ([("a", 5, 3), ("b", 1, 4), ("c", 2, 0), ("d", 6, 0)], "cabd"),
            ([("a", 1, 1), ("b", 1, 0), ("c", 2, 2)], "abc"),
        ] as [([(String, Double, Int64)], String)])
    func numbersComeFirstAndArrivalWhereThereIsNone(
        entries: [(name: String, at: Double, step: Int64)], order: String
    ) {
        let all = entries.map { Self.entry($0.name, at: $0.at, step: $0.step) }
        let names = Replay.ordered(all).map { entry in
            if case .event(let event, _) = entry.what { event.label } else { "" }
        }
        #expect(names.joined() == order)
    }

    @Test func whatComesAnHourLateHoldsNoTimerUp() {
        let entries = [(1.0, 1), (9000, 2), (8990, 3), (2, 4), (9100, 5)].map {
            Self.entry("a", at: $0.0, step: $0.1)
        }
        #expect(Replay.horizons(entries) == [1, 8990, 8990, 9000, 9100].map { Story.at($0) })
    }

    @Test func mergedProfilesAreApartUntilTheyAreOne() throws {
        let story = try Story(
            "on: {did: a}\nwho: 'did(\"b\") == 0'\nunless: {did: c, within: 1m}\ndo: [{webhook: feed}]")
        let (one, two) = (Story.profile("one").id, Story.profile("two").id)
        func event(_ name: String, of profile: UUID, at seconds: Double, step: Int64) -> Replay.Entry {
            var event = Story.event(name, at: seconds)
            event.step = step
            return Replay.Entry(event, of: profile)
        }
        let entries = [
            event("b", of: two, at: 1, step: 1), event("a", of: one, at: 2, step: 2),
            Replay.Entry(merge: two, into: one, step: 3, at: Story.at(3)),
            event("a", of: two, at: 4, step: 4),
        ]
        let simulation = Replay(story.engine).run(entries, attributes: [], until: Story.at(100))
        // One had done no b, when it did a; the two together had.
        #expect(simulation.deliveries.map(\.at) == [Story.at(62)])
        let apart = Replay(story.engine).run(
            entries + [event("c", of: two, at: 5, step: 5)], attributes: [], until: Story.at(100))
        #expect(apart.deliveries.isEmpty)
    }
}
