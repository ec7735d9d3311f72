import Foundations
import Identity
import Payload
import Postgres
import TestSupport
import Testing

@testable import Loader

/// Databases that die, come back, are somebody else's, or are older than they were.
@Suite(.serialized) struct OutageTests {
    @Test func killsOfPostgreSQLLoseNothingAndRepeatNothing() throws {
        let server = try PostgresServer(durable: true)
        let database = try server.makeDatabase()
        let node = try Node(database, events: 50)
        node.load()
        for round in 0..<4 {
            for i in 0..<60 {
                try node.write([
                    TestRequest(session: "s\(round)-\(i % 7)", events: [.init(), .client("\(round)-\(i)")])
                ])
                if i == 20 + round * 10 { server.kill() }
            }
            try server.start()
            try node.drain()
        }
        #expect(try database.ledger() == [480, 480, 0, 0, 0, 0])
        #expect(try database.count("select count(distinct id) from event") == 480)
        #expect(try database.count("select count(*) from event") == 480)
        try node.stop()
        server.stop()
    }

    /// A server that was stopped between two statements, and one that was stopped while it copied.
    @Test(arguments: ["", "copy event_key from stdin"])
    func aServerThatStandsStillHoldsNobodyUp(_ last: String) throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database) { ($0.patience, $0.frozen) = (700, 1) }
        node.load()
        try node.write([TestRequest(session: "shared")])
        try node.drain()
        let frozen = try Connection(
            database.conninfo, name: "waymark loader", deadline: last.isEmpty ? 1000 : 60_000)
        try frozen.begin()
        try frozen.execute("update session set last_seen_at = last_seen_at + interval '1 h'")
        let begin = Clock.system.monotonic()
        if last.isEmpty {
            try node.write(
                [TestRequest(session: "shared")], at: Clock.system.now().adding(microseconds: 60_000_000))
            try node.drain()
        } else {
            // It is where its next bytes would be written that it stands still.
            let error = #expect(throws: PostgresError.self) {
                try frozen.copy(last) { writer throws(PostgresError) in
                    let next = TestRequest(session: "shared")
                    do {
                        try node.write([next], at: Clock.system.now().adding(microseconds: 60_000_000))
                        try node.drain()
                    } catch { Issue.record("\(error)") }
                }
            }
            #expect(error?.isConnectionLost == true)
        }
        #expect(Clock.system.monotonic() - begin < 15_000_000_000)
        #expect(try database.count("select count(*) from event") == 2)
        #expect(throws: PostgresError.self) { try frozen.execute("select 1") }
        try node.stop()
    }

    @Test func somebodyElseMovedThePosition() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database)
        node.load()
        try node.write([TestRequest()])
        try node.drain()
        // As another process would have done it, that loaded the next record while we were asleep.
        node.loader.use(nil)
        try node.write([TestRequest(session: "taken")])
        try database.run("update spool_position set position = \(node.spool.durable.rawValue)")
        try node.write([TestRequest(session: "ours")])
        node.load()
        try node.drain()
        #expect(try database.rows("select session_id from event order by 1") == [["ours"], ["s"]])
        try node.stop()
    }

    @Test func thePositionMovesUnderALoaderThatIsConnected() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database)
        node.load()
        try node.write([TestRequest()])
        try node.drain()
        try database.run(
            "update spool_position set position = 0; delete from event; delete from ledger_entry")
        try node.write([TestRequest(session: "next")])
        try node.drain()
        #expect(try database.rows("select session_id from event order by 1") == [["next"], ["s"]])
        #expect(try database.ledger() == [2, 2, 0, 0, 0, 0])
        try node.stop()
    }

    /// A backup of a moment ago is fed again, sessions and profiles included, although the cache knows them.
    @Test func aDatabaseThatWasRestoredIsFedAgain() throws {
        let server = try PostgresServer(durable: true)
        let database = try server.makeDatabase()
        let node = try Node(database)
        node.load()
        try node.write([TestRequest(session: "before", .known, .random())])
        try node.drain()
        let position = try database.value("select position from spool_position") ?? ""
        try node.write([
            TestRequest(session: "after", .known, .random(), events: [.client("k"), .client("k")])
        ])
        try node.drain()
        try database.run(
            """
            begin;
            update spool_position set position = \(position);
            delete from event where session_id = 'after'; delete from session where id = 'after';
            delete from event_key;
            delete from profile p where not exists (select from session s where s.profile_id = p.id);
            update ledger_entry set received = 1, stored = 1, duplicate = 0;
            commit
            """)
        try node.drain()
        #expect(try database.rows("select session_id from event order by 1") == [["after"], ["before"]])
        #expect(try database.count("select count(*) from session") == 2)
        #expect(try database.count("select count(*) from profile") == 2)
        #expect(try database.ledger() == [3, 2, 1, 0, 0, 0])
        try node.stop()
        server.stop()
    }

    @Test func aPartitionThatVanishedIsMadeAgain() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database)
        node.load()
        try node.write([TestRequest()])
        try node.drain()
        let today = try database.value("select tableoid::regclass from event") ?? ""
        try database.run("drop table \(today)")
        try node.write([TestRequest(session: "again")])
        try node.drain()
        #expect(try database.rows("select session_id from event") == [["again"]])
        try node.stop()
    }

    /// What the spool holds no more cannot be loaded: that is said, and nothing is passed over in silence.
    @Test func aDatabaseThatForgotThisSpoolIsRefusedWhenTheBeginningIsGone() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database, segmentBytes: 64 << 10, retain: 0)
        node.load()
        let long = TestEvent {
            $0.properties = Array(("{\"a\":\"" + String(repeating: "x", count: 40_000) + "\"}").utf8)
        }
        for _ in 0..<6 { try node.write([TestRequest(long)]) }
        try node.drain()
        try eventually("old segments go") {
            node.spool.tick()
            return node.spool.status.oldest > .start
        }
        #expect(node.loader.status.fault == nil)
        try database.run("delete from spool_position; delete from event")
        let fault = try eventually("it says so") { node.loader.status.fault }
        #expect(fault.contains("0/0"), "\(fault)")
        try node.write([TestRequest()])
        #expect(try database.count("select count(*) from event") == 0)
        try node.stop()
    }

    /// The other servers go on, and so does this one when the server lives again.
    @Test func aServerThatStandsStillIsWaitedFor() throws {
        let server = try PostgresServer()
        let database = try server.makeDatabase()
        let node = try Node(database)
        node.load()
        try node.write([TestRequest(session: "a")])
        try node.drain()
        server.freeze()
        for i in 0..<50 { try node.write([TestRequest(session: "b\(i)")]) }
        pause(1)
        server.thaw()
        try node.drain()
        #expect(try database.ledger() == [51, 51, 0, 0, 0, 0])
        try node.stop()
        server.stop()
    }
}
