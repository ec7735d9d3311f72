import Foundations
import Journeys
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// What journeys cost the database, in statements and rows; how long that takes is for `Scripts/bench`.
@Suite struct CostTests {
    /// Each begins with another tenth of the prices; half of them wait, the others deliver at once.
    private static func journeys(_ count: Int) -> String {
        (0..<count).map { i in
            """
            j\(i):
              state: live
              on: {did: add to cart, where: 'price >= \(i % 10) && price < \(i % 10 + 1)'}
              reentry: always
              \(i % 2 == 0 ? "unless: {did: checkout, within: 1h}" : "exit: {did: checkout}")
              do: [{webhook: feed, params: {price: "{price}"}}]
            """
        }.joined(separator: "\n")
    }

    private static func carts(of persons: Int) -> [JourneyStep.Event] {
        (0..<persons).flatMap { i in
            (0..<10).map { price in
                Town.event(
                    "add to cart", #"{"price":\#(price)}"#, at: Double(i) / 100 + Double(price) / 1000,
                    by: "p\(i)")
            }
        }
    }

    private static func statements(_ town: Town, _ body: () throws -> Void) rethrows -> Int {
        let before = town.connection.statements
        try body()
        return town.connection.statements - before
    }

    @Test func aBatchOfManyPersonsAndJourneysTakesNoMoreStatementsThanOneOfOne() throws {
        func cost(persons: Int, journeys: Int) throws -> Int {
            let town = try Town(Self.journeys(journeys))
            let events = Self.carts(of: persons)
            let begin = try Self.statements(town) { try town.does(events, at: 10) }
            let leave = try Self.statements(town) {
                try town.does(
                    (0..<persons).map { Town.event("checkout", at: 20 + Double($0) / 100, by: "p\($0)") },
                    at: 40)
            }
            #expect(try town.count("select count(*) from enrolment") == persons * journeys)
            return begin + leave
        }
        let one = try cost(persons: 1, journeys: 2)
        #expect(try cost(persons: 40, journeys: 2) == one)
        #expect(try cost(persons: 40, journeys: 20) == one)
    }

    @Test func timersOfManyPersonsTakeNoMoreStatementsThanThatOfOne() throws {
        func cost(persons: Int) throws -> Int {
            let town = try Town(Self.journeys(1))
            try town.does(
                (0..<persons).map {
                    Town.event("add to cart", #"{"price":0.5}"#, at: Double($0), by: "p\($0)")
                },
                at: 100)
            let cost = try Self.statements(town) { try town.fire(until: 4000) }
            // Each is queued as of when it was due.
            #expect(try town.count("select count(distinct created_at) from delivery") == persons)
            return cost
        }
        let one = try cost(persons: 1)
        #expect(try cost(persons: 40) == one)
    }

    @Test func anEventThatMeansNothingCostsNothing() throws {
        let town = try Town(Self.journeys(20))
        let nothing = try Self.statements(town) { try town.does([], at: 0) }
        let strange = (0..<100).flatMap { i in
            ["page view", "add to cart"].map { Town.event($0, #"{"price":11}"#, at: Double(i), by: "p\(i)") }
        }
        #expect(try Self.statements(town) { try town.does(strange, at: 100) } == nothing)
        #expect(try town.count("select count(*) from profile") == 0)
    }

    /// An event that can only end something is asked about, and read for those who are in a journey.
    @Test func whoIsInNoJourneyNeedNotBeLoaded() throws {
        let town = try Town(Self.journeys(2))
        for name in ["in", "lost", "left"] {
            try town.does("add to cart", #"{"price":0.5}"#, at: 0, by: name)
        }
        try town.does("checkout", at: 1, by: "left")
        // What a merged profile had is moved when its person is loaded.
        try town.merge("lost", into: "winner")
        let names = ["in", "left", "lost", "out", "winner"]
        let idle = try town.connection.transaction { () throws(PostgresError) in
            try town.step.idle(
                Set(names.map(Town.profile)), besides: [Town.profile("other")], at: Town.at(2),
                town.connection)
        }
        #expect(names.filter { idle.contains(Town.profile($0)) } == ["left", "out"])
    }

    /// Also when the statistics know nothing of them yet, and when most that was due was decided.
    @Test func dueTimersAreFoundByTheirIndexAlone() throws {
        let town = try Town(Self.journeys(1))
        try town.database.run(
            """
            alter table enrolment set (autovacuum_enabled = off);
            insert into enrolment (bucket, id, subject, by_event, journey, version, key, n, phase, step,
                started_at, due, is_latest, state)
            select i % 4096, gen_random_uuid(), gen_random_uuid(), false, 'j0', 'v', '', 1, 'awaiting', '0', now(),
                to_timestamp(\(Town.noon)) + (i % 1000 - 10) * interval '1 minute', true, ''
            from generate_series(1, 100000) i;
            insert into memory (bucket, profile_id, review, state)
            select bucket, subject, due, '' from enrolment
            """)
        for query in [DueTimers.enrolments, DueTimers.reviews] {
            let plan = try town.plan(of: query)
            #expect(plan.contains("Index Scan using") || plan.contains("Index Only Scan"), "\(plan)")
            #expect(
                !plan.contains("Sort") && !plan.contains("Seq Scan") && !plan.contains("Bitmap"), "\(plan)")
            #expect(plan.contains("rows=50 loops=1"), "\(plan)")
        }
        #expect(try DueTimers.find(until: Town.at(0), limit: 5000, town.connection).count == 2200)
    }

    @Test func timersOfAPausedJourneyHoldUpNoOther() throws {
        let paused = Self.journeys(3).replacing("j0:\n  state: live", with: "j0:\n  state: paused")
        let town = try Town(Self.journeys(3))
        try town.does(Self.carts(of: 3), at: 0)
        try town.apply(paused)
        #expect(town.step.resting == ["j0"])
        let due = try DueTimers.find(
            until: Town.at(8000), limit: 3, besides: town.step.resting, town.connection)
        #expect(due.count == 3)
        _ = try DueTimers.decide(due, with: town.step, at: Town.at(8000), town.connection)
        let waiting = try town.database.rows("select journey from enrolment where due is not null")
        #expect(waiting.map { $0[0] } == ["j0", "j0", "j0"])
    }
}

extension Town {
    /// How PostgreSQL finds the first fifty.
    fileprivate func plan(of query: String) throws -> String {
        try connection.transaction { () throws(PostgresError) in
            try connection.script(DueTimers.byIndex)
            let rows =
                query.contains("$3")
                ? try connection.execute("explain (analyze) \(query)", Self.at(0), Int64(50), [String]())
                : try connection.execute("explain (analyze) \(query)", Self.at(0), Int64(50))
            return (0..<rows.count).map { rows.string($0, 0) }.joined(separator: "\n")
        }
    }
}
