import Foundations
import Identity
import Journeys
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// Why and why not, read from the tables.
@Suite struct ExplanationTests {
    private static let waits = """
        waits:
          state: live
          on: {did: a}
          unless: {did: b, within: 1h}
          do: [{webhook: feed}]
        """

    private func town(_ journeys: String = waits) throws -> Town {
        let town = try Town(journeys)
        try town.database.run("create table event_all partition of event default")
        return town
    }

    @Test func theTraceSaysWhichOfTwoEventsEnrolled() throws {
        let town = try town()
        let events = [#"{"i": 1}"#, #"{"i": 2}"#].map { Town.event("a", $0, at: 1, by: "p") }
        try town.does(events, at: 1)
        for event in events { try town.store(event) }
        try town.does("b", at: 2)
        let attempts = try town.explanation("waits").attempts
        let verdicts = Dictionary(uniqueKeysWithValues: attempts.map { ($0.event, $0.verdict) })
        #expect(verdicts[events[0].occurrence.id] == "enrolled: ended: disproved by b")
        #expect(
            verdicts[events[1].occurrence.id] == "enrolment 1 was running then: ended: disproved by b")
    }

    @Test func anEventThatCameWhileTheJourneyWasPausedSaysSo() throws {
        let town = try town()
        try town.apply(Self.waits.replacing("live", with: "paused"), at: 10)
        try town.doesAndStores("a", at: 20)
        #expect(try town.explanation("waits").attempts.map(\.verdict) == ["the journey was paused then"])
        try town.apply(Self.waits, at: 30)
        #expect(
            try town.explanation("waits").attempts.map(\.verdict) == [
                "the journey is live since \(Town.at(30).iso8601); what it was when the event came is not recorded"
            ])
    }

    @Test func aJourneyThatWasRemovedIsStillExplained() throws {
        let town = try town()
        try town.doesAndStores("a", at: 1)
        let other = "other:\n  on: {did: x}\n  do: [{exit: no}]"
        try town.apply(other, at: 10)
        let running = try town.explanation("waits")
        #expect(running.state == "removed" && running.attempts[0].verdict.hasPrefix("enrolled: waits until"))
        #expect(try town.fire(until: 4000) == 1)
        try town.apply(other, at: 4001)
        try town.doesAndStores("a", at: 4002)
        let explanation = try town.explanation("waits")
        #expect(explanation.state == "removed")
        #expect(
            explanation.notes == [
                "the journey is removed: nobody enters, and who is in it goes on to the end"
            ])
        #expect(
            explanation.attempts.map(\.verdict) == [
                "the journey is removed; what it was when the event came is not recorded",
                "enrolled: ended: done",
            ])
    }

    /// Right behind its last delivery no server needs it any more, and its trace is kept.
    @Test func aJourneyThatNobodyIsInAnyMoreIsStillExplained() throws {
        let town = try town("sends:\n  state: live\n  on: {did: a}\n  do: [{webhook: feed}]")
        try town.doesAndStores("a", at: 1)
        try town.apply("other:\n  on: {did: x}\n  do: [{exit: no}]", at: 10)
        let explanation = try town.explanation("sends")
        #expect(explanation.state == "removed")
        #expect(explanation.attempts.map(\.verdict) == ["enrolled: ended: done"])
        #expect(try JourneyReading.names(town.connection).sorted() == ["other", "sends"])
    }
}

extension Town {
    fileprivate func doesAndStores(_ label: String, at seconds: Double) throws {
        let event = Self.event(label, at: seconds, by: "p")
        try does([event], at: seconds)
        try store(event)
    }

    fileprivate func explanation(_ journey: String) throws -> Explanation {
        let profile = Self.profile("p")
        let found = try JourneyReading.explain(
            journey, of: profile, with: step.rules, at: Self.at(10_000), connection)
        return try #require(found)
    }
}
