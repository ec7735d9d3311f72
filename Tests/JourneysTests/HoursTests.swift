import Foundations
import Testing

@testable import Journeys

/// When a webhook may be called.
@Suite struct HoursTests {
    /// Monday noon in UTC is 17:30 in Kolkata.
    @Test(arguments: [
        ("hours: {from: \"09:00\", to: \"21:00\"}", "{}", 0.0),
        ("hours: {from: \"13:00\", to: \"21:00\"}", "{}", 3600.0),
        ("hours: {from: \"13:00\", to: \"12:00\"}", "{}", 3600.0),
        ("hours: {from: \"22:00\", to: \"12:01\"}", "{}", 0.0),
        ("hours: {from: \"09:00\", to: \"12:00\"}", "{}", 75_600.0),
        ("hours: {from: \"09:00\", to: \"21:00\", days: [tue, wed]}", "{}", 75_600.0),
        ("hours: {from: \"18:00\", to: \"21:00\", tz: Asia/Kolkata}", "{}", 1800.0),
        ("hours: {from: \"18:00\", to: \"21:00\", tz: profile}", "{\"timezone\": \"Asia/Kolkata\"}", 1800.0),
        (
            "hours: {from: \"18:00\", to: \"21:00\", tz: profile}", "{\"timezone\": \"Nowhere/Land\"}",
            21_600.0
        ),
    ])
    func deliveriesWaitForTheHours(hours: String, attributes: String, fires: Double) throws {
        var story = try Story("on: {did: a}\n\(hours)\ndo: [{webhook: feed}]")
        story.set(attributes)
        story.does("a", at: 0)
        story.finish()
        #expect(story.fires == [fires])
    }

    /// Behind an outage, or when a journey goes on: nobody is called in the evening because of a timer of the day.
    @Test(arguments: [
        (0.0, "hold", "fired"), (59, "hold", "fired"), (500, "hold", "fired"), (700, "hold", "held"),
        (700, "skip", "skipped"), (72_700, "skip", "fired"),
    ])
    func whatIsDecidedLateAsksTheHoursOfThePresent(
        _ delay: Double, _ otherwise: String, _ outcome: String
    ) throws {
        let story = try Story(
            """
            on: {did: a}
            hours: {from: "09:00", to: "13:00", else: \(otherwise)}
            do: [{wait: 50m}, {webhook: feed}]
            """)
        var person = Person(Story.profile("p"))
        _ = story.engine.step(&person, .event(Story.event("a", at: 0)), now: Story.at(0))
        let due = Story.at(3000)
        let effects = story.engine.step(
            &person, .timer(person.enrolments[0].id, due: due), now: Story.at(3000 + delay))
        let kinds = effects.compactMap { effect -> String? in
            if case .decided(let decision) = effect { decision.kind.rawValue } else { nil }
        }
        #expect(kinds.first == outcome)
        let delivers = effects.contains { if case .deliver = $0 { true } else { false } }
        #expect(delivers == (outcome == "fired"))
        #expect(person.enrolments[0].due == (outcome == "held" ? Story.at(75_600) : nil))
    }

    /// On the day on which clocks are put back or forward.
    @Test(arguments: [
        // The second 02:10 of the night, and the first one.
        (1792890600, "02:30", 1792891800),
        (1792887000, "02:30", 1792888200),
        // 02:30 is jumped over: 03:00 comes next.
        (1774744200, "02:30", 1774746000),
        (1774728000, "08:00", 1774764000),
    ])
    func theyOpenAsClocksAreChanged(_ now: Int64, _ from: String, _ opens: Int64) throws {
        let story = try Story(
            "on: {did: a}\nhours: {from: \"\(from)\", to: \"20:00\", tz: Europe/Berlin}\ndo: [{webhook: feed}]"
        )
        let at = Double(now - Story.noon)
        var person = Person(Story.profile("p"))
        _ = story.engine.step(&person, .event(Story.event("a", at: at)))
        #expect(person.enrolments.first?.due == Timestamp(seconds: opens))
    }

    @Test func outsideOfTheHoursADeliveryMayBeSkipped() throws {
        var story = try Story(
            "on: {did: a}\nhours: {from: \"13:00\", to: \"14:00\", else: skip}\ndo: [{webhook: feed}]")
        story.does("a", at: 0)
        story.does("a", at: 3600)
        story.does("a", at: 7200)
        story.finish()
        #expect(story.fires == [3600])
    }
}
