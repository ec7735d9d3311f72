import Foundations
import Journeys
import Logging
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// What PostgreSQL refuses of what journeys make of events.
@Suite(.serialized) struct FaultTests {
    /// `bad` delivers what the table refuses when `x` is boom; mended, it does not.
    private static func journeys(_ param: String = "{x}") -> String {
        """
        bad:
          state: live
          on: {did: buy}
          key: id
          reentry: per_key
          do: [{webhook: feed, params: {x: "\(param)"}}]
        good:
          state: live
          on: {did: buy}
          key: id
          reentry: per_key
          do: [{webhook: feed}]
        other:
          state: live
          on: {did: sell}
          do: [{webhook: feed}]
        """
    }

    /// What the deliveries' table does not take.
    private static func refuse(_ town: Town) throws {
        try town.database.run(
            #"alter table delivery add constraint refused check (body not like '%"custom_params":{"x":"boom"}%')"#
        )
    }

    private static func town() throws -> Town {
        let town = try Town(journeys())
        try refuse(town)
        return town
    }

    private static func buy(_ id: Int, _ x: String, by name: String) -> JourneyStep.Event {
        Town.event("buy", #"{"id":\#(id),"x":"\#(x)"}"#, at: Double(id), by: name)
    }

    private static func ask(_ town: Town) throws {
        try town.database.run("update quarantine set requested_at = now() where journey is not null")
    }

    private static func replayAll(_ town: Town, at seconds: Double = 1000) throws -> [String] {
        var ends: [String] = []
        while true {
            switch try JourneyReplays.next(with: town.step, at: Town.at(seconds), town.connection) {
            case .nothing: return ends
            case .stays: ends.append("stays")
            case .ran(let outcome): ends.append("ran \(outcome.deliveries)")
            }
        }
    }

    private static func fired(_ town: Town) throws -> [String] {
        try town.database.rows(
            "select journey, count(*) from decision where kind = 'fired' group by 1 order by 1"
        ).map { "\($0[0] ?? "") \($0[1] ?? "")" }
    }

    @Test func itCostsNobodyElseAnything() throws {
        let town = try Self.town()
        var events = (0..<60).map { Self.buy($0, $0 % 20 == 7 ? "boom" : "fine", by: "p\($0 % 7)") }
        events.insert(Town.event("sell", at: 30, by: "p1"), at: 30)
        let outcome = try town.does(events, at: 100)
        #expect(outcome.faults == 3 && outcome.enrolled == 118)
        #expect(try Self.fired(town) == ["bad 57", "good 60", "other 1"])
        #expect(try town.count("select count(*) from delivery") == 118)
        let rows = try town.database.rows(
            """
            select reason, journey, activity, source, detail->>'code', detail->>'constraint', payload #>> '{properties,x}',
                payload->>'type', event_id is not null, requested_at is null, task is null from quarantine
            """)
        let row = ["journey", "bad", "buy", "shop", "23514", "refused", "boom", "buy", "t", "t", "t"]
        #expect(rows == [row, row, row])
        #expect(try town.count("select count(*) from decision where kind = 'fault' and journey = 'bad'") == 3)
    }

    @Test func onceMendedAReplayRunsThatJourneyAloneAndOnce() throws {
        let town = try Self.town()
        try town.does((0..<6).map { Self.buy($0, $0 < 2 ? "boom" : "fine", by: "p\($0)") }, at: 10)
        #expect(try Self.replayAll(town).isEmpty, "nobody asked")
        try Self.ask(town)
        #expect(try Self.replayAll(town) == ["stays", "stays"], "nothing was mended")
        #expect(
            try town.count("select count(*) from quarantine where attempts = 1 and requested_at is null") == 2
        )
        try town.apply(Self.journeys("was {x}"))
        try Self.ask(town)
        // The entry is older than a day by now, and was not when it came.
        #expect(try Self.replayAll(town, at: 200_000) == ["ran 1", "ran 1"])
        #expect(try Self.fired(town) == ["bad 6", "good 6"])
        #expect(try town.count("select count(*) from quarantine") == 0)
        #expect(
            try town.count("select count(*) from replay where outcome = 'ran' and reason = 'journey'") == 2)
        #expect(
            try town.count(
                "select count(*) from delivery where body like '%was boom%' and created_at = '\(Town.at(200_000).iso8601)'"
            ) == 2)
        // It is as if it had come then: the key is used up.
        try town.does([Self.buy(0, "fine", by: "p0")], at: 20)
        #expect(try town.count("select max(n) from enrolment where journey = 'bad' and key = '0'") == 2)
    }

    @Test func twoServersReplayItOnce() throws {
        let town = try Self.town()
        try town.does((0..<30).map { Self.buy($0, "boom", by: "p\($0 % 5)") }, at: 10)
        #expect(try town.count("select count(*) from quarantine") == 30)
        try town.database.run("alter table delivery drop constraint refused")
        try Self.ask(town)
        let replay: @Sendable () throws -> Int = { [conninfo = town.database.conninfo] in
            let connection = try Connection(conninfo, name: "server")
            let step = Town.newStep()
            try step.read(RulesInForce.Setting(Configuration()), connection, Logger(label: "test"))
            var ran = 0
            while true {
                do throws(PostgresError) {
                    let result = try JourneyReplays.next(with: step, at: Town.at(1000), connection)
                    if case .ran = result { ran += 1 }
                    if case .nothing = result, try !JourneyReplays.isAsked(connection) { return ran }
                } catch {
                    guard error.isRetryable else { throw error }
                }
            }
        }
        let (one, two) = try together(replay, replay)
        #expect(one + two == 30)
        #expect(try town.count("select count(*) from delivery where journey = 'bad'") == 30)
    }

    @Test func whatWasDroppedOrHasNoJourneyHasNoEffect() throws {
        let town = try Self.town()
        try town.does((0..<2).map { Self.buy($0, "boom", by: "p") }, at: 10)
        try Self.ask(town)
        try town.database.run(
            "delete from quarantine where id = (select min(id::text)::uuid from quarantine)")
        try town.apply(
            Self.journeys().replacingOccurrences(of: "bad:\n  state: live", with: "bad:\n  state: paused"))
        #expect(try Self.replayAll(town) == ["stays"])
        #expect(try town.database.value("select detail->>'code' from quarantine") == "paused")
        try town.apply("else:\n  on: {did: x}\n  do: [{exit: no}]")
        try Self.ask(town)
        #expect(try Self.replayAll(town) == ["stays"])
        #expect(try town.database.value("select detail->>'code' from quarantine") == "unknown")
        #expect(try Self.fired(town) == ["good 2"])
    }

    /// A journey that fails with everything is not tried with everything: the rest is asked for again at once.
    @Test func aJourneyThatAlwaysFailsHoldsNothingUp() throws {
        let town = try Self.town()
        let events = (0..<50).map { Self.buy($0, "boom", by: "p\($0 % 9)") }
        let outcome = try town.does(events, at: 300)
        #expect(outcome.faults == 50)
        #expect(try Self.fired(town) == ["good 50"])
        let untried = try town.count(
            "select count(*) from quarantine where detail->>'code' = 'untried' and requested_at is not null")
        #expect(untried >= 30 && untried < 50)
        #expect(try Self.replayAll(town) == Array(repeating: "stays", count: untried))
        try town.database.run("alter table delivery drop constraint refused")
        try Self.ask(town)
        #expect(try Self.replayAll(town) == Array(repeating: "ran 1", count: 50))
        #expect(try Self.fired(town) == ["bad 50", "good 50"])
    }

    /// What is stepped in parts is the past of what follows, also before it is in the table.
    @Test func whatIsFoundByHalvingStillSeesWhatCameBefore() throws {
        let town = try Town(
            Self.journeys()
                + "\nseen:\n  state: live\n  on: {did: look, where: 'did(\"buy\") > 0'}\n  do: [{webhook: feed}]"
        )
        try Self.refuse(town)
        try town.does(
            [Self.buy(1, "fine", by: "p"), Self.buy(2, "boom", by: "q"), Town.event("look", at: 3, by: "p")],
            at: 10)
        #expect(try Self.fired(town) == ["bad 1", "good 2", "seen 1"])
    }

    @Test func aTimersFaultHoldsUpNoOtherTimer() throws {
        let cart = { (param: String) in
            """
            cart:
              state: live
              on: {did: add}
              key: cart
              reentry: per_key
              unless: {did: checkout, where: 'cart == entry.cart', within: 1m}
              goal: {did: pay, within: 1h}
              do: [{webhook: feed, params: {x: "\(param)"}}]
            """
        }
        let town = try Town(cart("{cart}"))
        try Self.refuse(town)
        for (i, name) in ["a", "boom", "c"].enumerated() {
            try town.does("add", #"{"cart":"\#(name)"}"#, at: Double(i), by: "p\(i % 2)")
        }
        #expect(try town.fire(until: 100) == 2)
        #expect(try town.fire(until: 100) == 0)
        #expect(try town.count("select count(*) from quarantine where journey = 'cart'") == 1)
        #expect(try town.count("select count(*) from enrolment where ended_at is null") == 0)
        // A goal that is reached meanwhile stays reached, and another one may begin.
        try town.does("pay", at: 120, by: "p1")
        try town.does("add", #"{"cart":"boom"}"#, at: 130, by: "p1")
        try town.does("checkout", #"{"cart":"boom"}"#, at: 131, by: "p1")
        try town.apply(cart("was {cart}"))
        try Self.ask(town)
        #expect(try Self.replayAll(town) == ["ran 1"])
        #expect(try town.count("select count(*) from delivery where body like '%was boom%'") == 1)
        #expect(try town.count("select count(*) from decision where kind = 'goal'") == 1)
        #expect(try town.count("select count(*) from enrolment where ended_at is null") == 0)
        #expect(try town.fire(until: 300) == 0)
    }

    @Test func aSegmentThatWasEnteredIsReplayedToo() throws {
        let town = try Town(
            """
            vip:
              state: live
              on: {segment: buyers, enters: true}
              do: [{webhook: feed, params: {x: boom}}]
            good:
              state: live
              on: {segment: buyers, enters: true}
              do: [{webhook: feed}]
            """, others: "segments: {buyers: {where: 'did(\"buy\") > 1'}}")
        try Self.refuse(town)
        try town.database.run("create table event_all partition of event default")
        for second in 1...4 {
            let event = Self.buy(second, "fine", by: "p")
            try town.does([event], at: Double(second))
            try town.store(event)
        }
        #expect(try Self.fired(town) == ["good 1"])
        #expect(try town.database.value("select journey from quarantine") == "vip")
        try town.database.run("alter table delivery drop constraint refused")
        try Self.ask(town)
        #expect(try Self.replayAll(town) == ["ran 1"])
        #expect(try Self.fired(town) == ["good 1", "vip 1"])
    }
}
