import Foundations
import Identity
import Journeys
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// Events that were stored, and stepped, before it was known whose they are.
@Suite struct AttachedTests {
    private static let feed = "feed:\n  state: live\n  on: {did: x}\n  do: [{webhook: feed}]"
    private static let waiting = """
        later:
          state: live
          on: {did: x}
          unless: {did: y, within: 1m}
          do: [{webhook: feed}]
        """

    private func town(_ journeys: String) throws -> Town {
        let town = try Town(journeys)
        try town.database.run("create table event_all partition of event default")
        return town
    }

    /// Gives a stored event its person, as the loader does.
    private func attach(_ event: JourneyStep.Event, to name: String, at seconds: Double, _ town: Town) throws
    {
        let (id, profile) = (event.occurrence.id, Town.profile(name))
        try town.connection.execute("delete from event where id = $1", id)
        try town.store(JourneyStep.Event(event.occurrence, profile: profile))
        try town.connection.execute(
            """
            insert into attached (bucket, event_id, received_at, profile_id, attached_at) values ($1, $2, $3, $4, $5)
            """, profile.bucket, id, event.occurrence.received, profile, Town.at(seconds))
    }

    @discardableResult
    private func step(_ town: Town, at seconds: Double) throws -> JourneyStep.Outcome {
        try AttachedEvents.step(limit: 100, with: town.step, at: Town.at(seconds), town.connection).outcome
    }

    @Test func whatItFiredWithoutItsPersonItDoesNotFireAgain() throws {
        let town = try town(Self.feed)
        let event = Town.event("x", at: 1, by: nil)
        #expect(try town.does([event], at: 1).deliveries == 1)
        try attach(event, to: "p", at: 5, town)
        #expect(try step(town, at: 5).deliveries == 0)
        // It is the person's now, as any other.
        let profile = Town.profile("p")
        #expect(
            try town.database.rows("select subject, bucket, by_event, n from enrolment") == [
                ["\(profile)", "\(profile.bucket)", "f", "1"]
            ])
        #expect(try town.count("select count(*) from decision where kind = 'moved'") == 1)
        #expect(try town.does("x", at: 9).deliveries == 1)
        #expect(try town.database.value("select max(n) from enrolment") == "2")
    }

    @Test func whatItWaitsForGoesOnWithItsPerson() throws {
        let town = try town(Self.waiting)
        let (one, two) = (Town.event("x", at: 1, by: nil), Town.event("x", at: 2, by: nil))
        try town.does([one, two], at: 2)
        try attach(one, to: "p", at: 5, town)
        try attach(two, to: "q", at: 5, town)
        try step(town, at: 5)
        // The person's own events are evidence.
        try town.does("y", at: 10, by: "q")
        #expect(try town.fire(until: 100) == 1)
        #expect(try town.database.value("select profile_id from delivery") == "\(Town.profile("p"))")
        #expect(try town.count("select count(*) from enrolment where by_event") == 0)
    }

    @Test func whereThePersonRunsTheSameTheOlderStays() throws {
        let town = try town(Self.waiting)
        let event = Town.event("x", at: 1, by: nil)
        try town.does([event], at: 1)
        try town.does("x", at: 2, by: "p")
        try attach(event, to: "p", at: 5, town)
        try step(town, at: 5)
        #expect(
            try town.database.value("select state::jsonb->'entry'->>'id' from enrolment")
                == "\(event.occurrence.id)")
        #expect(try town.fire(until: 100) == 1)
    }

    @Test func whatItDidNotStartWithoutAPersonItMayStartWithOne() throws {
        let town = try town(
            "\(Self.feed)\ngold:\n  state: live\n  on: {did: x}\n  who: 'exists(attr.tier)'\n  do: [{webhook: feed}]"
        )
        let profile = Town.profile("p")
        try town.connection.execute(
            "insert into profile (bucket, id, created_at, last_seen_at, traits) values ($1, $2, $3, $3, '{\"tier\":1}')",
            profile.bucket, profile, Town.at(0))
        let event = Town.event("x", at: 1, by: nil)
        #expect(try town.does([event], at: 1).deliveries == 1)
        try attach(event, to: "p", at: 5, town)
        #expect(try step(town, at: 5).deliveries == 1)
        #expect(
            try town.trace() == [
                "enrolled feed ", "fired feed ", "left feed ", "moved feed ", "enrolled gold ", "fired gold ",
                "left gold ",
            ])
    }

    /// It is numbered when it is stepped, and till then nobody looks back at it.
    @Test func itIsNumberedWhenItIsStepped() throws {
        let town = try town(
            "j:\n  state: live\n  on: {did: z}\n  who: 'did(\"x\") == 1'\n  do: [{webhook: feed}]")
        let event = Town.event("x", at: 1, by: nil)
        try attach(event, to: "p", at: 5, town)
        #expect(try town.does("z", at: 6).deliveries == 0)
        #expect(try town.database.value("select step from event") == nil)
        try step(town, at: 7)
        #expect(try town.does("z", at: 8).deliveries == 1)
        #expect(
            try town.database.rows(
                "select step > 0, seen_at = $1::timestamptz from event", Town.at(5).iso8601) == [["t", "t"]])
    }
}
