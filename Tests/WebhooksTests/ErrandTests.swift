import Foundations
import Logging
import Outbound
import Postgres
import TestSupport
import Testing

@testable import Webhooks

/// That deliveries cost the database few statements, counted by the database itself, and one transaction a group.
@Suite struct ErrandTests {
    @Test func anErrandIsFewStatementsHoweverMuchItMoves() throws {
        let world = try World()
        let names = (0..<50).map { "webhook\($0)" }
        let webhooks = names.map { Samples.webhook($0) }
        try world.apply(webhooks)
        for name in names { try world.enqueue(0..<20, to: name) }
        let statements = try Statements(world)
        let store = SenderStore(host: "test", logger: Logger(label: "test"))
        defer { Self.close(store) }
        store.use(world.database.conninfo)

        var first = Errand(now: Clock.system.now())
        first.rooms = names.map { ($0, 10) }
        first.leaseUntil = first.now.adding(seconds: 45)
        let claimed = try #require(try Self.run(first, store).claimed)
        #expect(claimed.count == 500)
        #expect(try statements.take() == ["UPDATE delivery": 1])

        // What went out is recorded, and what is next is claimed, in one transaction.
        var second = Errand(now: Clock.system.now())
        second.rooms = first.rooms
        second.leaseUntil = first.leaseUntil
        let response = OutboundResponse(status: 200, milliseconds: 1)
        second.results = claimed.map {
            AttemptResult($0, .success(response), at: second.now, webhook: webhooks[0])
        }
        let outcome = try Self.run(second, store)
        #expect(outcome.isRecorded && outcome.claimed?.count == 500)
        #expect(try statements.transactions() == 1)
        #expect(try statements.take() == ["UPDATE delivery": 2, "INSERT attempt": 1])
        #expect(try world.count("sent") == 500)
    }

    @Test func allBatchesOfAnErrandAreStoredAtOnce() throws {
        let world = try World()
        try world.apply(Samples.webhook())
        let ids = try world.enqueue(0..<300)
        let store = SenderStore(host: "test", logger: Logger(label: "test"))
        defer { Self.close(store) }
        store.use(world.database.conninfo)
        var errand = Errand(now: Clock.system.now())
        (errand.rooms, errand.leaseUntil) = ([("call_centre", 300)], errand.now.adding(seconds: 45))
        let claimed = try #require(try Self.run(errand, store).claimed)
        let groups = (0..<30).map { n in Array(claimed[n * 10..<n * 10 + 10]) }

        // Somebody else has a delivery of one of them by now: that one is not made, and all others are.
        try world.database.run("update delivery set fence = fence + 1 where id = '\(ids[57])'")
        let statements = try Statements(world)
        errand = Errand(now: Clock.system.now())
        errand.batches = groups.map { .new($0) }
        let made = try Self.run(errand, store).batches
        #expect(made.enumerated().allSatisfy { ($1 == nil) == ($0 == 5) })
        #expect(try world.database.count("select count(*) from batch") == 29)
        #expect(try world.count("batched") == 29 * 9)

        _ = try statements.take()
        errand = Errand(now: Clock.system.now())
        errand.batches = [.new(groups[5].filter { $0.id != ids[57] })]
        #expect(try Self.run(errand, store).batches.first??.claim.members.count == 9)
        #expect(try statements.take() == ["UPDATE delivery": 1, "INSERT batch": 1])

        // Read again, they are as they were stored.
        errand = Errand(now: Clock.system.now())
        errand.batches = made.compactMap { $0 }.map { stored -> Errand.Batch in
            var claim = stored.claim
            claim.members = []
            return .stored(claim)
        }
        let read = try Self.run(errand, store).batches
        #expect(read.count == 29)
        for (before, after) in zip(made.compactMap { $0 }, read.compactMap { $0 }) {
            #expect(before.body == after.body && before.claim.batch == after.claim.batch)
            #expect(before.claim.members.map(\.id) == after.claim.members.map(\.id))
        }
        #expect(try statements.take().isEmpty)
    }

    /// However quickly the receiver answers, the database is asked once in a while.
    @Test func answersShareTheirWayToTheDatabase() throws {
        let receiver = try Receiver(keepsCalls: false)
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.enqueue(0..<1000)
        let statements = try Statements(world)
        let begun = Moment.now
        world.startSender { $0.pace = 50 }
        try world.await("sent", 1000, within: 60)
        let errands = Int((Moment.now - begun) / 0.05) + 2
        let counts = try statements.take()
        #expect(counts["INSERT attempt", default: 0] <= errands)
        #expect(counts["UPDATE delivery", default: 0] <= 2 * errands)
    }

    // MARK: Helpers

    /// Counts the statements that change deliveries, attempts and batches, and their transactions.
    private struct Statements {
        let database: Database

        init(_ world: World) throws {
            database = world.database
            try database.run("create table seen (what text, tx bigint)")
            try database.run(
                """
                create function see() returns trigger language plpgsql as $$ begin
                    insert into seen values (tg_op || ' ' || tg_table_name, txid_current());
                    return null;
                end $$
                """)
            for table in ["delivery", "attempt", "batch"] {
                try database.run(
                    """
                    create trigger see after insert or update or delete on \(table)
                        for each statement execute function see()
                    """)
            }
        }

        func transactions() throws -> Int {
            try database.count("select count(distinct tx) from seen")
        }

        /// Since the last time.
        func take() throws -> [String: Int] {
            let rows = try database.rows("select what, count(*) from seen group by what")
            try database.run("truncate seen")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] ?? "", Int($0[1] ?? "") ?? 0) })
        }
    }

    private static func run(_ errand: Errand, _ store: SenderStore) throws -> Errand.Outcome {
        let box = Locked<Errand.Outcome?>(nil)
        store.run(errand) { outcome in box.withLock { $0 = outcome } }
        let outcome = try eventually("the errand is done", within: 60) { box.withLock { $0 } }
        if let error = outcome.error { throw error }
        return outcome
    }

    private static func close(_ store: SenderStore) {
        let isDone = Locked(false)
        store.close(Errand(now: Clock.system.now())) { isDone.withLock { $0 = true } }
        _ = try? eventually("closed", within: 10) { () -> Bool in isDone.withLock { $0 } }
    }
}
