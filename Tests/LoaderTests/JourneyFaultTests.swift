import Enrolments
import Foundations
import Journeys
import Postgres
import TestSupport
import Testing
import Webhooks

@testable import Loader

/// Faults of events and faults of journeys, in one batch of the real loader.
struct JourneyFaultTests {
    /// What `noted` delivers where `a` is 7 is what the table refuses, see below.
    private static let journeys = """
        webhooks: {feed: {url: https://x.example}}
        journeys:
          noted:
            state: live
            on: {did: page view}
            reentry: always
            do: [{webhook: feed}]
          plain: {state: live, on: {did: page view}, reentry: always, do: [{webhook: feed}]}
        """

    private static func apply(_ text: String, to database: Database) throws {
        let connection = try Connection(database.conninfo, name: "test")
        defer { connection.close() }
        try migrate(connection, Schema.migrations)
        let folder = DefinitionFolder(texts: [("test", text)])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        let webhooks = [WebhookDefinition(name: "feed", url: "https://x.example")]
        _ = try DefinitionStore.apply(
            DefinitionSet(folder, webhooks: webhooks), at: Clock.system.now(), connection)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func anEventIsPoisonOrStoredWhateverItsJourneysDo(seed: UInt64) throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        try Self.apply(Self.journeys, to: database)
        try database.run(
            #"alter table delivery add constraint refused check (journey <> 'noted' or body not like '%"a":7%')"#
        )
        let node = try Node(database)
        var random = SeededRandom(seed)
        var (all, poison, refused) = (0, 0, 0)
        var requests: [TestRequest] = []
        for session in 0..<8 {
            let events = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                let (isPoison, isRefused) = (random.chance(10), random.chance(15))
                (all, poison) = (all + 1, poison + (isPoison ? 1 : 0))
                refused += isRefused && !isPoison ? 1 : 0
                return TestEvent {
                    $0.properties = Array((isRefused ? #"{"a":7}"# : #"{"a":1}"#).utf8)
                    if isPoison { $0.label = [0x61, 0xff] }
                }
            }
            requests.append(TestRequest(session: "s\(session % 5)", .known, .random(), events: events))
        }
        try node.write(requests)
        node.load()
        try node.drain(within: 120)
        #expect(try database.ledger() == [all, all - poison, 0, 0, poison, 0])
        #expect(try database.count("select count(*) from event") == all - poison)
        let reasons = try database.rows(
            "select reason, coalesce(journey, ''), count(*) from quarantine group by 1, 2 order by 1, 2"
        ).map { "\($0[0] ?? "") \($0[1] ?? "") \($0[2] ?? "")" }
        #expect(
            reasons == (refused > 0 ? ["journey noted \(refused)"] : [])
                + (poison > 0 ? ["poison  \(poison)"] : []))
        #expect(
            try database.count("select count(*) from delivery where journey = 'plain'") == all - poison)
        #expect(
            try database.count("select count(*) from delivery where journey = 'noted'") == all - poison
                - refused)
        try eventually("it is counted") { node.loader.metrics.journeyFaults.total == refused }
        try node.stop()
    }

    /// The fault of one person's journey, and another person whose attributes change behind the event that starts it.
    @Test func aFaultMakesNobodySeeWhatComesLater() throws {
        let journeys = """
            webhooks: {feed: {url: https://x.example}}
            journeys:
              noted:
                state: live
                on: {did: page view, where: 'exists(a)'}
                who: 'attr.company == "gold"'
                reentry: always
                do: [{webhook: feed}]
            """
        let database = try PostgresServer.shared.get().makeDatabase()
        try Self.apply(journeys, to: database)
        try database.run(#"alter table delivery add constraint refused check (body not like '%"a":7%')"#)
        let town = try Town(database)
        func views(_ session: String, _ properties: String...) -> TestRequest {
            town.request(session, properties.map { json in TestEvent { $0.properties = Array(json.utf8) } })
        }
        try town.load([
            views("x", #"{"a":7,"company":"gold"}"#),
            views("y", #"{"a":1,"company":"gold"}"#, #"{"company":"silver"}"#, #"{"a":2}"#),
            views("z", #"{"a":3,"company":"silver"}"#, #"{"a":4,"company":"gold"}"#, #"{"company":"lead"}"#),
        ])
        #expect(try database.count("select count(*) from quarantine where journey = 'noted'") == 1)
        #expect(
            try database.rows("select body::json#>>'{payload_params,a}' from delivery order by 1") == [
                ["1"], ["4"],
            ])
        try town.node.stop()
    }
}
