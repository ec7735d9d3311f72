import Foundations
import Journeys
import TestSupport
import Testing
import Webhooks

@testable import Enrolments

/// What `plan` says before anything is changed.
@Suite struct PlanTests {
    private static let waits = """
        waits:
          state: live
          on: {did: a}
          do: [{wait: 1d}, {webhook: feed}]
        """

    @Test func itSaysHowManyRunAndHowManyTimersTheyHave() throws {
        let town = try Town(Self.waits)
        try town.does("a", at: 1)
        let paused = try town.set(Self.waits.replacing("live", with: "paused"))
        let changes = try DefinitionStore.plan(paused, town.connection)
        #expect(
            changes == [
                DefinitionChange(
                    kind: .state, what: "journey waits", detail: "live becomes paused", running: 1, timers: 1)
            ])
    }

    @Test func whatIsAppliedAgainIsInForceSinceItCameIntoForce() throws {
        let parts = "segments: {s: {where: 'exists(attr.x)'}}"
        let town = try Town(Self.waits, others: parts)
        func moments() throws -> [Timestamp] {
            let rows = try town.connection.execute(
                "select applied_at from journey union all select applied_at from journey_part")
            return (0..<rows.count).map { rows.timestamp($0, 0) }
        }
        try town.apply(Self.waits, at: 10)
        #expect(try moments() == [Town.at(0), Town.at(0)])
        try town.apply(Self.waits.replacing("live", with: "paused"), at: 20)
        #expect(try moments() == [Town.at(20), Town.at(0)])
        try town.apply("other:\n  on: {did: x}\n  do: [{exit: no}]", at: 30)
        try town.apply(Self.waits.replacing("live", with: "paused"), at: 40)
        #expect(try moments().contains(Town.at(40)))
    }

    /// Who waits in a version goes on as it began, though nothing of it stands in a file any more.
    @Test func aSegmentThatIsRemovedStaysForWhoIsInAJourneyThatAsksForIt() throws {
        let parts = "segments: {gold: {where: 'attr.tier == \"gold\"'}}"
        let town = try Town(
            """
            thanks:
              state: live
              on: {did: a}
              do: [{wait: 10s}, {split: [{if: 'in_segment("gold")', do: [{webhook: feed}]}]}]
            """, others: parts)
        try town.does("a", at: 1)
        try town.database.run("update profile set traits = '{\"tier\":\"gold\"}'")
        let gone = DefinitionSet(
            DefinitionFolder(texts: [
                ("gone", "journeys: {other: {state: live, on: {did: x}, do: [{exit: no}]}}")
            ]),
            webhooks: [WebhookDefinition(name: "feed", url: "https://x.example")])
        let changes = try DefinitionStore.plan(gone, town.connection)
        #expect(changes.contains { $0.kind == .removed && $0.what == "segment gold" })
        _ = try DefinitionStore.apply(gone, at: Town.at(5), town.connection)
        try town.read(town.step, town.connection)
        #expect(try DefinitionStore.plan(gone, town.connection).isEmpty)
        #expect(!town.step.rules.hasSegment("gold"))
        #expect(try town.fire(until: 20) == 1)
    }

    @Test func aSettingIsAChangeAsWell() throws {
        let town = try Town(Self.waits)
        var set = try town.set(Self.waits)
        set.panel.timezone = "Asia/Kolkata"
        let change = DefinitionChange(
            kind: .changed, what: "setting timezone", detail: "as in waymark.yaml becomes Asia/Kolkata")
        #expect(try DefinitionStore.plan(set, town.connection) == [change])
        #expect(try DefinitionStore.apply(set, at: Town.at(2), town.connection) == [change])
        #expect(try DefinitionStore.plan(set, town.connection).isEmpty)
    }

    @Test(arguments: [
        ("price", "price"), ("items[].price", "items"), (#""a.b".c"#, "a.b"), (#""x\"y""#, #"x"y"#),
        ("{*}", "{*}"),
    ])
    func aPathOfTheCatalogueBeginsWithAProperty(path: String, property: String) {
        #expect(KnownNames.property(path) == property)
    }

    @Test func namesAreComparedOnceThereWasAnEvent() throws {
        let town = try Town(Self.waits)
        #expect(try KnownNames.read(attributes: ["tier"], town.connection) == nil)
        try town.database.run(
            """
            insert into activity (key, id, label, source, summary, events, parameters, sources, first_seen_at,
                last_seen_at, shape) values ('visit', 101, 'Visit', 'shop', '', 1, 0, '{}', now(), now(), 1)
            """)
        try town.database.run(
            """
            insert into profile (bucket, id, traits, created_at, last_seen_at)
                values (1, gen_random_uuid(), '{"tier": 1}', now(), now())
            """)
        let known = try #require(try KnownNames.read(attributes: ["tear", "tier"], town.connection))
        #expect(known.activities["visit"] == [])
        #expect(known.activities["session.end"]?.contains("exit_page") == true)
        #expect(known.attributes == ["tier"])
    }
}
