import Foundation
import TestSupport
import Testing

/// Exactly once up to the wire, at least once over it, with one id: whatever is killed, every journey fires for exactly
/// whom it should.
@Suite struct JourneyKillTests {
    private func expectKept(_ books: Books, at site: Site) throws {
        let violations = try site.violations(of: books, within: 90)
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        let fires = site.desk?.counts
        #expect(books.promised >= 200 && fires?.fires ?? 0 >= 50, "too little happened: \(books.summary)")
        print(books.summary, fires.map { "\($0)" } ?? "")
    }

    @Test func journeysFireOnceWhateverIsKilled() throws {
        let site = try Site(instances: 2, journeys: true)
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load(clients: 4, pace: 0.005)
        let plan: [Calamity] = [
            .killServer, .breakReceiver, .killPostgres, .killServer, .breakReceiver, .killBoth,
        ]
        for calamity in plan {
            pause(.random(in: 0.2...1, using: &random))
            _ = try calamity.perform(at: site, &random)
        }
        try expectKept(load.stop(), at: site)
    }

    @Test func connectionsThatAreCutLoseAndDoubleNothing() throws {
        let site = try Site(instances: 2, wires: true, journeys: true)
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load(clients: 4, pace: 0.005)
        for calamity in [Calamity.cutClients, .cutDatabase, .endBackends, .stallDatabase] + [
            .cutClients, .cutDatabase,
        ] {
            pause(.random(in: 0.2...0.8, using: &random))
            _ = try calamity.perform(at: site, &random)
        }
        let books = load.stop()
        #expect(books.answers[0, default: 0] > 0, "nothing was cut: \(books.summary)")
        try expectKept(books, at: site)
    }

    /// The judge is judged: what is broken on purpose in the database is found.
    @Test func aBrokenPromiseOfAJourneyIsFound() throws {
        let site = try Site(journeys: true)
        let desk = try #require(site.desk), database = site.database
        let load = site.load(clients: 3)
        try eventually("something is delivered") { desk.counts.fires > 60 }
        let books = load.stop()
        #expect(try site.violations(of: books).isEmpty)

        func found(_ text: String, after sql: String, undo: String) throws {
            try database.run(sql)
            let violations = try Fires(round: books.round, books).violations(
                in: database, at: desk, within: 1)
            #expect(violations.contains { $0.contains(text) }, "\(text): \(violations)")
            try database.run(undo)
        }
        try database.run("create table aside as select * from delivery where journey = 'bought' limit 1")
        try found(
            "did not fire", after: "delete from delivery d using aside a where d.id = a.id",
            undo: "insert into delivery select * from aside")
        try found(
            "fired twice",
            after: "update aside set id = gen_random_uuid(); insert into delivery select * from aside",
            undo: "delete from delivery d using aside a where d.id = a.id")
        try found(
            "should not have",
            after: "update event set properties = properties || '{\"total\": 1}' where activity = 'big-buy'",
            undo: "update event set properties = properties || '{\"total\": 100}' where activity = 'big-buy'")
        try database.run(
            "create table once as select bucket, id from enrolment where journey = 'tour' limit 1")
        try found(
            "without a timer",
            after:
                "update enrolment e set ended_at = null from once o where e.bucket = o.bucket and e.id = o.id",
            undo:
                "update enrolment e set ended_at = now() from once o where e.bucket = o.bucket and e.id = o.id"
        )
    }

    @Test(
        arguments: [
            (
                [JourneyRules.Stored("big-buy", "a", total: 99), .init("big-buy", "b", total: 100)],
                ["bought/b/"], []
            ),
            ([.init("fill-cart", "a", time: 5)], ["cart/a/"], []),
            (
                [.init("fill-cart", "a", time: 5), .init("check-out", "b", cart: "a", time: 3_000_005)], [],
                []
            ),
            (
                [.init("fill-cart", "a", time: 5), .init("check-out", "b", cart: "a", time: 3_000_006)],
                ["cart/a/"], []
            ),
            (
                [.init("fill-cart", "a", time: 5), .init("check-out", "b", cart: "a", time: 5)], [],
                ["cart/a/"]
            ),
            (
                [.init("fill-cart", "a", time: 5), .init("check-out", "b", cart: "a", time: 4)], ["cart/a/"],
                []
            ),
            (
                [.init("fill-cart", "a", time: 5), .init("check-out", "b", cart: "c", time: 9)], ["cart/a/"],
                []
            ),
            (
                [.init("fill-cart", "a"), .init("check-out", "b", cart: "a", profile: "q", time: 9)],
                ["cart/a/"], []
            ),
            (
                [
                    .init("fill-cart", "a"),
                    .init("check-out", "b", cart: "a", profile: "q", person: "p", time: 9),
                ], [],
                ["cart/a/"]
            ),
            ([.init("look", "a"), .init("look", "b"), .init("look", "c", profile: "q")], [], []),
            ([.init("look", "a"), .init("look", "b"), .init("look", "c")], ["hot/p/"], []),
            ([.init("begin-tour", "a")], ["tour/a/first", "tour/a/second"], []),
        ] as [([JourneyRules.Stored], [String], [String])])
    func whatMustFireFollowsFromWhatIsStored(events: [JourneyRules.Stored], must: [String], may: [String]) {
        let expected = JourneyRules.expected(events)
        #expect(expected.must.map(\.text).sorted() == must)
        #expect(expected.may.map(\.text).sorted() == may)
    }
}
