import Foundations
import Journeys
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// Persons who have finished thousands of keys.
@Suite(.serialized) struct ManyKeysTests {
    private static let carts = """
        cart:
          state: live
          on: {did: add to cart}
          key: cart
          reentry: per_key
          unless: {did: checkout, where: 'cart == entry.cart', within: 1m}
          do: [{webhook: feed}]
        """

    /// Ended runs of the journey, one a key, as they stand once they are through.
    private static func finish(_ count: Int, by name: String, in town: Town) throws {
        let profile = Town.profile(name)
        try town.database.run(
            """
            insert into enrolment (bucket, id, subject, by_event, journey, version, key, n, phase, step, started_at,
                ended_at, reason, is_latest, state)
            select \(profile.bucket), q.id, '\(profile)', false, 'cart', 'old', 'k' || i, 1, 'ended', '1', now(), now(), 'done',
                true, json_build_object('id', q.id, 'journey', 'cart', 'version', 'old', 'profile', '\(profile)',
                    'key', 'k' || i, 'n', 1, 'started', \(Town.at(0).microseconds), 'enrolled', \(Town.at(0).microseconds),
                    'phase', 'ended', 'step', '1', 'ended', \(Town.at(0).microseconds), 'reason', 'done')::text
            from (select i, gen_random_uuid() as id from generate_series(1, \(count)) i) q
            """)
    }

    /// How many enrolments were read from the table by what is done.
    private static func rowsRead(_ town: Town, _ body: () throws(PostgresError) -> Void) throws -> Int {
        try town.connection.transaction { () throws(PostgresError) in
            try body()
            return try town.connection.execute(
                """
                select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int from pg_stat_xact_user_tables
                where relname = 'enrolment'
                """
            ).int(0, 0)
        }
    }

    @Test func whatSomebodyHasFinishedCostsNothing() throws {
        let town = try Town(Self.carts)
        try Self.finish(10_000, by: "busy", in: town)
        try Self.finish(10, by: "new", in: town)
        try town.database.run("analyze enrolment")
        func cost(_ label: String, _ key: String, _ name: String, _ second: Double) throws -> Int {
            let event = Town.event(label, #"{"cart":"\#(key)"}"#, at: second, by: name)
            return try Self.rowsRead(town) { () throws(PostgresError) in
                _ = try town.step.step([event], at: Town.at(second), town.connection)
            }
        }
        for (second, (label, key)) in [
            ("add to cart", "fresh"), ("add to cart", "k7"), ("checkout", "k7"), ("checkout", "k8"),
        ].enumerated() {
            let (busy, new) = (
                try cost(label, key, "busy", Double(second)), try cost(label, key, "new", Double(second))
            )
            #expect(busy <= new + 2 && busy < 60, "\(label) \(key): \(busy) rows, \(new) for who has few")
        }
        let due = try DueTimers.find(until: Town.at(100), limit: 10, town.connection)
        #expect(due.count == 2)
        let timers = try Self.rowsRead(town) { () throws(PostgresError) in
            _ = try town.step.decide(
                due.map { ($0.subject, $0.input) }, without: [], at: Town.at(100), town.connection)
        }
        #expect(timers < 60)
        // The key that was finished before is a second run.
        #expect(try town.count("select count(*) from enrolment where key = 'k7' and n = 2") == 2)
        #expect(try town.count("select count(*) from enrolment where key = 'k7' and is_latest") == 2)
        #expect(try town.count("select count(*) from decision where kind = 'fired'") == 2)
    }

    @Test func aMergeReadsOnlyWhatTheOtherHas() throws {
        let town = try Town(Self.carts)
        try Self.finish(10_000, by: "busy", in: town)
        try Self.finish(3, by: "other", in: town)
        try town.does("add to cart", #"{"cart":"x"}"#, at: 1, by: "other")
        try town.does("add to cart", #"{"cart":"x"}"#, at: 2, by: "busy")
        try town.merge("other", into: "busy")
        let event = Town.event("checkout", #"{"cart":"x"}"#, at: 3, by: "busy")
        let rows = try Self.rowsRead(town) { () throws(PostgresError) in
            _ = try town.step.step([event], at: Town.at(3), town.connection)
        }
        #expect(rows < 60, "\(rows) rows")
        #expect(try town.count("select count(*) from enrolment") == 10_001)
        #expect(try town.count("select count(*) from enrolment where ended_at is null") == 0)
        #expect(try town.count("select count(*) from decision where kind = 'dropped'") == 4)
        #expect(try town.count("select count(*) from enrolment where is_latest") == 10_001)
    }

    /// A key that the event alone does not say is looked for when it is known.
    @Test func aKeyThatIsKnownLateIsFoundToo() throws {
        let town = try Town(
            """
            again:
              state: live
              on: {did: x}
              key: 'k + did("never")'
              reentry: after_exit
              do: [{webhook: feed}]
            once:
              state: live
              on: {did: x}
              key: 'k + did("never")'
              reentry: once
              do: [{webhook: feed}]
            """)
        try town.database.run("create table event_all partition of event default")
        for second in 1...6 { try town.does("x", #"{"k":\#(second % 2)}"#, at: Double(second)) }
        #expect(
            try town.database.rows(
                "select journey, key, count(*), max(n), count(*) filter (where is_latest) from enrolment group by 1, 2 order by 1, 2"
            ) == [
                ["again", "0", "3", "3", "1"], ["again", "1", "3", "3", "1"], ["once", "0", "1", "1", "1"],
                ["once", "1", "1", "1", "1"],
            ])
        // In one batch the same.
        let events = (7...12).map { Town.event("x", #"{"k":\#($0 % 2)}"#, at: Double($0), by: "p") }
        try town.does(events, at: 12)
        #expect(try town.count("select max(n) from enrolment where journey = 'again'") == 6)
        #expect(try town.count("select count(*) from enrolment where journey = 'again' and is_latest") == 2)
        #expect(try town.count("select count(*) from enrolment where journey = 'once'") == 2)
    }

    @Test func whatIsOpenNoLongerLeavesTheIndex() throws {
        let town = try Town(Self.carts + "\n  goal: {did: pay, within: 1h}")
        try town.does("add to cart", #"{"cart":"x"}"#, at: 1)
        try town.fire(until: 100)
        #expect(try town.count("select count(*) from enrolment where open_until is not null") == 1)
        _ = try Forgetting.forget(at: Town.at(3 * 86_400), town.connection)
        #expect(try town.count("select count(*) from enrolment where open_until is not null") == 0)
        #expect(try town.count("select count(*) from enrolment") == 1)
    }
}
