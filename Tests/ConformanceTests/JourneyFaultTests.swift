import Foundation
import TestSupport
import Testing

/// What PostgreSQL refuses of what a journey makes of an event, on a running server: the event is stored, the journey
/// and the event are in the quarantine, and a replay runs that journey once.
@Suite struct JourneyFaultTests {
    /// Until they are mended, journeys say of a large order and of what is late what the table of deliveries refuses
    /// here.
    private static func journeys(isMended: Bool) -> String {
        let note = isMended ? "good" : "bad"
        return """
            noted:
              state: live
              on: {did: buy}
              key: order
              reentry: per_key
              do: [{webhook: feed, params: {by: noted, note: "{total > 100 ? '\(note)' : 'small'}"}}]
            plain:
              state: live
              on: {did: buy}
              key: order
              reentry: per_key
              do: [{webhook: feed, params: {by: plain}}]
            late:
              state: live
              on: {did: start}
              key: order
              reentry: per_key
              unless: {did: stop, where: 'order == entry.order', within: 1s}
              do: [{webhook: feed, params: {by: late, note: \(note)}}]
            probe:
              state: live
              on: {did: probe}
              reentry: always
              do: [{exit: done}]
            """
    }

    private let world: JourneysWorld

    init() throws {
        world = try JourneysWorld(Self.journeys(isMended: false))
        try world.settle()
        try world.database.run(
            #"alter table delivery add constraint refused check (body not like '%"note":"bad"%')"#)
    }

    private func fires(_ journey: String, _ order: String) -> Int {
        world.bodies(with: order).count { $0.contains(#""by":"\#(journey)""#) }
    }

    private func ledger() throws -> [String?] {
        try world.database.rows(
            "select sum(received - stored), sum(quarantined), bool_and(received = stored + duplicate + denied + quarantined + unsaved) from ledger"
        )[0]
    }

    @Test func theEventIsStoredAndAReplayRunsTheJourneyOnce() throws {
        let (cheap, dear) = (unique("order"), unique("order"))
        for (order, total) in [(cheap, 1), (dear, 1000)] {
            try world.track("buy", #"{"order":"\#(order)","total":\#(total)}"#, session: unique("s"))
        }
        try world.await(2, with: cheap)
        try world.await(1, with: dear)
        #expect(fires("plain", dear) == 1 && fires("noted", dear) == 0)
        #expect(try ledger() == ["0", "0", "t"])
        let list = try JSON(text: world.server.command("quarantine", "list", "--json").output)
        #expect(list["items"]?.list?.count == 1)
        #expect(list["groups", 0, "journey"] == "noted")
        let id = try #require(list["items", 0, "id"]?.text)
        let shown = try JSON(text: world.server.command("quarantine", "show", "--json", id).output)
        #expect(shown["reason"] == "journey" && shown["journey"] == "noted")
        #expect(shown["payload", "properties", "order"]?.text == dear)
        let event = try #require(shown["event_id"]?.text)
        #expect(try world.database.count("select count(*) from event where id = $1::uuid", event) == 1)
        #expect(try world.server.command("quarantine", "show", id).output.contains("journey       noted"))

        // As it is, it is refused again; then the journey is mended.
        let again = try world.server.command("quarantine", "replay", id)
        #expect(again.exit == .code(1) && again.output.contains("1 still in the quarantine: journey"))
        try world.apply(Self.journeys(isMended: true))
        let replay = try world.server.command("quarantine", "replay", "--journey", "noted")
        #expect(
            replay.exit == .code(0) && replay.output.contains("1 run through their journeys"),
            "\(replay.output)")
        try world.await(2, with: dear)
        #expect(fires("plain", dear) == 1 && fires("noted", dear) == 1)
        #expect(try world.database.count("select count(*) from quarantine") == 0)
        #expect(try world.database.count("select count(*) from event where id = $1::uuid", event) == 1)
        #expect(world.bodies(with: dear).contains { $0.contains(#""note":"good""#) })
        #expect(try ledger() == ["0", "0", "t"])
        #expect(try Books.imbalances(in: world.database).isEmpty)
        #expect(try world.server.command("quarantine", "replay", id).exit == .code(1))
        #expect(try world.server.metric("waymark_journey_faults_total") ?? 0 >= 1)
    }

    @Test func aTimersFaultIsReplayedToo() throws {
        let (late, fine) = (unique("order"), unique("order"))
        let session = unique("s")
        try world.track("start", #"{"order":"\#(late)"}"#, session: session)
        try eventually("the timer was decided in vain") {
            try world.database.count("select count(*) from quarantine where journey = 'late'") == 1
        }
        // The server goes on with everything else.
        try world.track("buy", #"{"order":"\#(fine)","total":1}"#, session: session)
        try world.await(2, with: fine)
        let profile = try #require(try world.database.value("select profile_id from quarantine"))
        let why = try world.server.command("journeys", "explain", "--profile", profile, "--journey", "late")
            .output
        #expect(why.contains("fault: PostgreSQL refused"), "\(why)")
        try world.apply(Self.journeys(isMended: true))
        let replay = try world.server.command("quarantine", "replay", "--reason", "journey")
        #expect(replay.exit == .code(0), "\(replay.output)")
        try world.await(1, with: late)
        #expect(fires("late", late) == 1)
    }
}
