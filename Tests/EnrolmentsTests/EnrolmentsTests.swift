import Foundations
import Identity
import Journeys
import Logging
import Payload
import Postgres
import TestSupport
import Testing
import Webhooks

@testable import Enrolments

/// A database with journeys, stepped by hand; seconds from a Monday's noon (UTC).
final class Town {
    static let noon: Int64 = 1_767_614_400
    let database: Database
    let connection: Connection
    let step: JourneyStep
    private let folder: String
    private var random = RandomSource()

    init(_ journeys: String, others: String = "") throws {
        database = try PostgresServer.shared.get().makeDatabase()
        connection = try Connection(database.conninfo, name: "test")
        try migrate(connection, Schema.migrations)
        folder = "webhooks: {feed: {url: https://x.example}}\n\(others)\njourneys:\n"
        step = Self.newStep()
        try apply(journeys)
    }

    static func newStep() -> JourneyStep {
        JourneyStep(
            RulesInForce(RulesInForce.Setting(Configuration())), identity: .none, metrics: IdentityMetrics())
    }

    func set(_ journeys: String) throws -> DefinitionSet {
        let lines = journeys.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let folder = DefinitionFolder(texts: [("town", folder + lines)])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        return DefinitionSet(folder, webhooks: [WebhookDefinition(name: "feed", url: "https://x.example")])
    }

    @discardableResult
    func apply(_ journeys: String, at seconds: Double = 0) throws -> [String] {
        let changes = try DefinitionStore.apply(set(journeys), at: Self.at(seconds), connection)
        try read(step, connection)
        return changes.map { "\($0.kind.rawValue) \($0.what)" }
    }

    func read(_ step: JourneyStep, _ connection: Connection) throws {
        try step.read(RulesInForce.Setting(Configuration()), connection, Logger(label: "test"))
    }

    static func at(_ seconds: Double) -> Timestamp {
        Timestamp(microseconds: noon * 1_000_000 + Int64(seconds * 1_000_000))
    }

    static func profile(_ name: String) -> UUID { NameBasedID.make(UUID(high: 1, low: 2), name) }

    static func event(_ label: String, _ json: String = "{}", at seconds: Double, by name: String?)
        -> JourneyStep.Event
    {
        let id = NameBasedID.make(UUID(high: 3, low: 4), "\(label) \(seconds) \(json) \(name ?? "")")
        return JourneyStep.Event(
            Occurrence(
                id: id, activity: activityKey(label) ?? label, label: label, source: "shop",
                time: at(seconds),
                properties: Array(json.utf8)), profile: name.map(profile))
    }

    @discardableResult
    func does(_ label: String, _ json: String = "{}", at seconds: Double, by name: String? = "p") throws
        -> JourneyStep.Outcome
    {
        try does([Self.event(label, json, at: seconds, by: name)], at: seconds)
    }

    @discardableResult
    func does(_ events: [JourneyStep.Event], at seconds: Double) throws -> JourneyStep.Outcome {
        try connection.transaction { () throws(PostgresError) in
            try step.step(step.concerning(events), at: Self.at(seconds), connection)
        }
    }

    /// Decides what is due up to a moment, as many servers do.
    @discardableResult
    func fire(until seconds: Double) throws -> Int {
        let due = try DueTimers.find(until: Self.at(seconds), limit: 1000, connection)
        return try DueTimers.decide(due, with: step, at: Self.at(seconds), connection).deliveries
    }

    /// What the settler does when two turn out to be one.
    func merge(_ loser: String, into winner: String) throws {
        let (loser, winner) = (Self.profile(loser), Self.profile(winner))
        try connection.transaction { () throws(PostgresError) in
            try connection.execute(
                "insert into alias (bucket, id, profile_id, created_at) values ($1, $2, $3, $4)",
                loser.bucket, loser,
                winner, Self.at(0))
            try connection.execute("delete from profile where bucket = $1 and id = $2", loser.bucket, loser)
        }
    }

    /// The trace, `kind journey key`, in the order of time.
    func trace() throws -> [String] {
        try database.rows(
            """
            select concat_ws(' ', d.kind, d.journey, e.key) from decision d left join enrolment e on e.id = d.enrolment
            order by d.at, d.id
            """
        ).compactMap { $0[0] }
    }

    func count(_ sql: String) throws -> Int { try database.count(sql) }
}

@Suite(.serialized) struct EnrolmentsTests {
    static let cart = """
        cart:
          state: live
          on: {did: add to cart}
          key: cart
          reentry: per_key
          unless: {did: checkout, where: 'cart == entry.cart', within: 1m}
          do: [{webhook: feed}]
        """

    @Test func applyingSaysWhatChanges() throws {
        let town = try Town(Self.cart)
        #expect(try town.apply(Self.cart).isEmpty)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1)
        let paused = Self.cart.replacingOccurrences(of: "live", with: "paused")
        let plan = try DefinitionStore.plan(town.set(paused), town.connection)
        #expect(
            plan.map(\.kind) == [.state] && plan[0].running == 1 && plan[0].detail == "live becomes paused")
        #expect(try town.apply(paused) == ["state journey cart"])
        #expect(
            try town.apply("other:\n  on: {did: x}\n  do: [{exit: no}]") == [
                "added journey other", "removed journey cart",
            ])
        #expect(try town.apply(Self.cart) == ["added journey cart", "removed journey other"])
        #expect(try town.count("select count(distinct number) from journey") == 2)
        #expect(try town.count("select count(*) from journey where is_current") == 1)
    }

    @Test func aRemovedJourneyGoesOnToItsEndWithNobodyNew() throws {
        let town = try Town(Self.cart)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1)
        try town.apply("other:\n  on: {did: x}\n  do: [{exit: no}]")
        try town.does("add to cart", #"{"cart":"b"}"#, at: 2)
        #expect(try town.fire(until: 100) == 1)
        #expect(try town.trace() == ["enrolled cart a", "fired cart a", "left cart a"])
    }

    @Test func whoHasLeftAnOlderVersionReachesItsGoalAndIsDisprovedLate() throws {
        let town = try Town(Self.cart + "\n  goal: {did: pay, within: 1h}")
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1)
        #expect(try town.fire(until: 100) == 1)
        try town.apply(Self.cart + "\n  goal: {did: visit, within: 1h}")
        #expect(try town.does("pay", at: 120).goals == 1)
        var late = Town.event("checkout", #"{"cart":"a"}"#, at: 30, by: "p").occurrence
        late.received = Town.at(130)
        let told = try town.does([JourneyStep.Event(late, profile: Town.profile("p"))], at: 130)
        #expect(told.disprovedLate == 1)
        let kinds = "select count(*) from decision where kind in ('goal', 'disproved_late')"
        #expect(try town.count(kinds) == 2)
    }

    @Test func aPausedJourneysTimersWait() throws {
        let town = try Town(Self.cart)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1)
        try town.apply(Self.cart.replacingOccurrences(of: "live", with: "paused"))
        #expect(try town.fire(until: 100) == 0)
        try town.apply(Self.cart)
        #expect(try town.fire(until: 200) == 1)
    }

    @Test func aTimerIsDecidedOnceByTwoServers() throws {
        let town = try Town(Self.cart)
        let events = (0..<200).map {
            Town.event("add to cart", #"{"cart":"\#($0)"}"#, at: 1, by: "p\($0 % 20)")
        }
        #expect(try town.does(events, at: 1).enrolled == 200)
        let due = try DueTimers.find(until: Town.at(100), limit: 1000, town.connection)
        #expect(due.count == 200)
        let decide: @Sendable () throws -> Int = { [conninfo = town.database.conninfo] in
            let connection = try Connection(conninfo, name: "server")
            let step = Town.newStep()
            try step.read(RulesInForce.Setting(Configuration()), connection, Logger(label: "test"))
            var deliveries = 0
            for start in stride(from: 0, to: due.count, by: 20) {
                deliveries += try DueTimers.decide(
                    Array(due[start..<start + 20]), with: step, at: Town.at(100), connection
                ).deliveries
            }
            return deliveries
        }
        let (one, two) = try together(decide, decide)
        #expect(one + two == 200)
        #expect(try town.count("select count(*) from delivery") == 200)
        #expect(try town.count("select count(*) from decision where kind = 'fired'") == 200)
        #expect(try town.count("select count(*) from enrolment where due is not null") == 0)
    }

    @Test func whatAMergedProfileWaitedForGoesOn() throws {
        let town = try Town(Self.cart)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1, by: "old")
        try town.does("add to cart", #"{"cart":"b"}"#, at: 2, by: "old")
        try town.does("add to cart", #"{"cart":"b"}"#, at: 3, by: "new")
        try town.merge("old", into: "new")
        // An event of the one disproves what the other began.
        try town.does("checkout", #"{"cart":"a"}"#, at: 4, by: "new")
        #expect(try town.trace().contains("left cart a"))
        // The older one of the two stays, and fires once.
        #expect(try town.fire(until: 100) == 1)
        let winner = Town.profile("new")
        #expect(
            try town.count(
                "select count(*) from enrolment where subject = '\(winner)' and bucket = \(winner.bucket)")
                == 2)
        #expect(try town.count("select count(*) from enrolment") == 2)
        #expect(try town.count("select count(*) from decision where kind = 'moved'") == 2)
        #expect(try town.count("select count(*) from decision where kind = 'dropped'") == 1)
        #expect(try town.count("select count(*) from enrolment where is_latest") == 2)
    }

    @Test func aTimerThatWasFoundBeforeTheMergeIsDecidedForTheOther() throws {
        let town = try Town(Self.cart)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1, by: "old")
        try town.does("probe", at: 1, by: "new")
        let due = try DueTimers.find(until: Town.at(100), limit: 10, town.connection)
        try town.merge("old", into: "new")
        #expect(try DueTimers.decide(due, with: town.step, at: Town.at(100), town.connection).deliveries == 1)
        #expect(try town.database.value("select profile_id from delivery") == "\(Town.profile("new"))")
    }

    @Test func theTraceNamesServersThatWereNotWaitedFor() throws {
        let town = try Town(Self.cart)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1)
        let due = try DueTimers.find(until: Town.at(100), limit: 10, town.connection)
        // The one had loaded all that it had received by then, the other had not.
        let absent = [(61.0, "one"), (60.0, "other")].map {
            AbsentServer(name: $1, loadedUntil: Town.at($0), silentSince: Town.at(70))
        }
        _ = try DueTimers.decide(due, without: absent, with: town.step, at: Town.at(200), town.connection)
        #expect(try town.trace() == ["enrolled cart a", "unwaited cart a", "fired cart a", "left cart a"])
        #expect(
            try town.database.value("select detail from decision where kind = 'unwaited'")
                == "the timer was decided without other, silent since \(Town.at(70).iso8601)")
    }

    /// A timer brings with it those that were due before; they are decided without the same servers.
    @Test func theTraceNamesServersOfTimersThatAreDecidedAlong() throws {
        let town = try Town(Self.cart)
        try town.does("add to cart", #"{"cart":"a"}"#, at: 1)
        try town.does("add to cart", #"{"cart":"b"}"#, at: 2)
        let due = try DueTimers.find(until: Town.at(100), limit: 10, town.connection)
        let absent = [AbsentServer(name: "other", loadedUntil: Town.at(60), silentSince: Town.at(70))]
        _ = try DueTimers.decide(
            [#require(due.last)], without: absent, with: town.step, at: Town.at(200), town.connection)
        let trace = try town.trace()
        #expect(trace.filter { $0.hasPrefix("fired") }.sorted() == ["fired cart a", "fired cart b"])
        #expect(trace.filter { $0.hasPrefix("unwaited") }.sorted() == ["unwaited cart a", "unwaited cart b"])
    }

    @Test func theFirstEventOfAnActivityHasItsNumber() throws {
        let town = try Town("feed:\n  state: live\n  on: {did: [new, newer]}\n  do: [{webhook: feed}]")
        let events = ["new", "newer", "new"].enumerated().map {
            Town.event($1, at: Double($0), by: "p\($0)")
        }
        try town.does(events, at: 3)
        let known = try town.database.rows("select key, id from activity order by key")
        let numbers = Dictionary(uniqueKeysWithValues: known.map { ($0[0] ?? "", $0[1] ?? "") })
        #expect(numbers.keys.sorted() == ["new", "newer"])
        for (activity, number) in numbers {
            #expect(
                try town.count(
                    "select count(*) from delivery where body like '%\"activity_id\":\(number),%\"activity_name\":\"\(activity)\"%'"
                ) == (activity == "new" ? 2 : 1))
        }
        // Asking again takes no further number.
        try town.does("newer", at: 4, by: "q")
        #expect(try town.count("select last_value from activity_id") == 102)
    }

    @Test func whatTheCatalogueHasNoRoomForHasNoNumber() throws {
        var configuration = Configuration()
        configuration.limits.activities = 1
        let town = try Town("feed:\n  state: live\n  on: {did: [a, b]}\n  do: [{webhook: feed}]")
        try town.step.read(RulesInForce.Setting(configuration), town.connection, Logger(label: "test"))
        try town.does("a", at: 1)
        try town.does("b", at: 2)
        #expect(try town.count("select count(*) from activity") == 1)
        #expect(try town.count("select count(*) from delivery where body like '%\"activity_id\":-1,%'") == 1)
    }

    @Test func aSegmentIsEnteredWhenAnAttributeChanges() throws {
        let town = try Town(
            "gold:\n  state: live\n  on: {segment: golden, enters: true}\n  do: [{webhook: feed}]",
            others: "segments: {golden: {where: 'attr.tier == \"gold\"'}}")
        let profile = Town.profile("p")
        #expect(town.step.watchesAttributes)
        for (second, tier) in [(1.0, "silver"), (2, "gold"), (3, "gold")] {
            try town.connection.transaction { () throws(PostgresError) in
                let before = try town.step.attributes(of: [profile], at: Town.at(second), town.connection)
                try town.connection.execute(
                    """
                    insert into profile (bucket, id, created_at, last_seen_at, traits) values ($1, $2, $3, $3, jsonb_build_object('tier', $4::text))
                    on conflict (bucket, id) do update set traits = excluded.traits
                    """, profile.bucket, profile, Town.at(second), tier)
                _ = try town.step.step([], changes: before, at: Town.at(second), town.connection)
            }
        }
        #expect(try town.trace() == ["enrolled gold ", "fired gold ", "left gold "])
    }

    @Test func anEventWithoutAPersonRunsAJourneyOfItsOwn() throws {
        let town = try Town("feed:\n  state: live\n  on: {did: x}\n  do: [{webhook: feed}]")
        #expect(try town.does("x", at: 1, by: nil).deliveries == 1)
        #expect(try town.count("select count(*) from enrolment where by_event and ended_at is not null") == 1)
        #expect(try town.count("select count(*) from delivery where profile_id is null") == 1)
    }

    @Test func aFaultRollsAllOfItBack() throws {
        let town = try Town(Self.cart)
        struct Fault: Error {}
        #expect(throws: PostgresError.self) {
            try town.connection.transaction { () throws(PostgresError) in
                _ = try town.step.step(
                    [Town.event("add to cart", #"{"cart":"a"}"#, at: 1, by: "p")], at: Town.at(1),
                    town.connection)
                try town.connection.execute("select 1 / 0")
            }
        }
        #expect(try town.count("select count(*) from enrolment") == 0)
        #expect(try town.does("add to cart", #"{"cart":"a"}"#, at: 1).enrolled == 1)
    }

    @Test func onlyTheLastEndedEnrolmentOfAKeyIsKept() throws {
        let town = try Town(
            "j:\n  state: live\n  on: {did: x}\n  key: k\n  reentry: after_exit\n  do: [{exit: done}]")
        for second in 1...4 { try town.does("x", #"{"k":"\#(second % 2)"}"#, at: Double(second)) }
        #expect(try town.count("select count(*) from enrolment") == 4)
        _ = try Forgetting.forget(at: Town.at(5), town.connection)
        #expect(try town.count("select count(*) from enrolment") == 4)
        #expect(try Forgetting.forget(at: Town.at(91 * 86_400), town.connection) == 10)
        #expect(try town.count("select count(*) from enrolment where n = 2") == 2)
        #expect(try town.count("select count(*) from enrolment") == 2)
        #expect(try town.does("x", #"{"k":"1"}"#, at: 91 * 86_400).enrolled == 1)
        #expect(try town.count("select max(n) from enrolment") == 3)
    }

    @Test func finishedDeliveriesAreForgottenAfterFourteenDays() throws {
        let town = try Town("j:\n  state: live\n  on: {did: x}\n  do: [{exit: done}]")
        for (id, state) in [(1, "sent"), (2, "failed"), (3, "queued")] {
            try town.connection.execute(
                """
                insert into delivery (bucket, id, webhook, state, ordinal, next_at, created_at, envelope, body)
                values (1, $1, 'w', $2, 1, $3, $3, 'json', '{}')
                """, UUID(high: 0, low: UInt64(id)), state, Town.at(0))
        }
        _ = try Forgetting.forget(at: Town.at(13 * 86_400), town.connection)
        #expect(try town.count("select count(*) from delivery") == 3)
        _ = try Forgetting.forget(at: Town.at(15 * 86_400), town.connection)
        #expect(try town.count("select count(*) from delivery where state = 'queued'") == 1)
        #expect(try town.count("select count(*) from delivery") == 1)
    }
}
