import Foundations
import Identity
import Payload
import Postgres
import Spool
import TestSupport
import Testing

@testable import Loader

/// Starts and ends of sessions, against a real PostgreSQL.
struct VisitTests {
    static let silence: Int64 = 1_800_000_000
    /// Where the tests' times begin.
    static let zero = Timestamp(seconds: 1_790_000_000)

    let database: Database
    let node: Node

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database, silence: Self.silence)
    }

    /// An event of the session so many minutes after the beginning.
    static func request(
        _ session: String, _ minutes: Int..., page: String? = nil, profile: UUID? = nil
    ) -> TestRequest {
        let events = minutes.map { minute in
            TestEvent {
                $0.said = zero.adding(seconds: Int64(minute) * 60)
                if let page { $0.properties = Array(#"{"url":"\#(page)"}"#.utf8) }
            }
        }
        return TestRequest(session: session, profile == nil ? .none : .known, profile, events: events)
    }

    /// Number, first and last minute, events, state of every visit of a session.
    static func visits(_ session: String, _ database: Database) throws -> [String] {
        try database.rows(
            """
            select number || ': ' || extract(epoch from started_at - to_timestamp(1790000000))::int / 60 || '-' ||
                extract(epoch from last_at - to_timestamp(1790000000))::int / 60 || ' ' || events ||
                case when ended then ' ended' else '' end || case when is_last then ' last' else '' end
            from visit where session_id = $1 and joined is null order by started_at
            """, session
        ).map { $0[0] ?? "" }
    }

    /// The server's own events of a session: kind, visit, minute.
    static func events(_ session: String, _ database: Database) throws -> [String] {
        try database.rows(
            """
            select substr(activity, 9) || ' ' || (properties->>'visit') || ': ' ||
                extract(epoch from time - to_timestamp(1790000000))::int / 60
            from event where source = '@waymark' and session_id = $1 order by time, activity desc
            """, session
        ).map { $0[0] ?? "" }
    }

    private func visits(_ session: String) throws -> [String] { try Self.visits(session, database) }
    private func events(_ session: String) throws -> [String] { try Self.events(session, database) }

    /// Looks for silence once, as of some minute.
    private func end(_ minute: Int, by connection: Connection) throws -> Int {
        let ends = VisitEnds(silence: Self.silence)
        let until = Self.zero.adding(seconds: Int64(minute) * 60)
        return try eventually("sessions are ended") {
            let due = try ends.due(until: until, limit: 1000, connection)
            return try ends.end(due, until: until, now: Clock.system.now(), connection)
        }
    }

    private func store(_ requests: [TestRequest]..., at minute: Int = 100_000) throws {
        for requests in requests {
            try node.write(requests, at: Self.zero.adding(seconds: Int64(minute) * 60))
        }
        node.load()
        try node.drain()
    }

    /// Nobody has analysed the table yet: what grows is found by its key all the same, not by reading all that is open.
    @Test func openVisitsCostABatchNothing() throws {
        node.load()
        try node.write((0..<3000).map { Self.request("s\($0)", 0) })
        try node.drain()
        for minute in 1...3 {
            try node.write((0..<64).map { Self.request("s\($0)", minute) })
            try node.drain()
        }
        #expect(try Self.visits("s7", database) == ["1: 0-3 4 last"])
        // Its session tells what it read when it ends.
        try node.stop()
        let read = try eventually("the statistics are there") {
            try database.value(
                "select nullif(seq_tup_read + idx_tup_fetch, 0) from pg_stat_user_tables where relname = 'visit'"
            ).flatMap { Int($0) }
        }
        #expect(read < 3000)
    }

    @Test func aSessionStartsOnceAndEndsOnce() throws {
        let profile = UUID.random()
        try store([Self.request("s", 0, 10, page: "https://a.example/?utm_source=mail", profile: profile)])
        try store([Self.request("s", 20, page: "https://a.example/out", profile: profile)])
        #expect(try visits("s") == ["1: 0-20 3 last"])
        #expect(try events("s") == ["start 1: 0"])
        let connection = try Connection(database.conninfo, name: "test")
        #expect(try end(49, by: connection) == 0)
        #expect(try end(50, by: connection) == 1)
        #expect(try end(51, by: connection) == 0)
        #expect(try visits("s") == ["1: 0-20 3 ended last"])
        #expect(try events("s") == ["start 1: 0", "end 1: 20"])
        #expect(
            try database.rows(
                """
                select extract(epoch from ended_at - to_timestamp(1790000000))::int / 60, visits, events, entry_page,
                    exit_page from session
                """) == [["20", "1", "3", "https://a.example/", "https://a.example/out"]])
        let properties = try database.value(
            "select properties - 'started_at' from event where activity = 'session.end'")
        #expect(
            properties
                == #"{"visit": 1, "events": 3, "source": "shop", "seconds": 1200, "session": "s", "exit_page": "#
                + #""https://a.example/out", "entry_page": "https://a.example/", "utm_source": "mail"}"#)
        #expect(try database.count("select count(*) from event where profile_id is null") == 0)
        #expect(try database.count("select count(distinct bucket) from event") == 1)
        #expect(try database.ledger() == [3, 3, 0, 0, 0, 0])
        try eventually("it is counted") { node.loader.metrics.sessionsStarted.total == 1 }
        try node.stop()
    }

    @Test func silenceBeginsANewVisitOfTheSameSession() throws {
        try store([Self.request("s", 0)], [Self.request("s", 30)], [Self.request("s", 90, 100, 200)])
        #expect(try visits("s") == ["1: 0-0 1", "2: 30-30 1", "3: 90-100 2", "4: 200-200 1 last"])
        #expect(try events("s") == ["start 1: 0", "start 2: 30", "start 3: 90", "start 4: 200"])
        let connection = try Connection(database.conninfo, name: "test")
        #expect(try end(150, by: connection) == 3)
        #expect(try database.value("select ended_at from session") == nil)
        #expect(try end(230, by: connection) == 1)
        #expect(try database.value("select visits || ' ' || events from session") == "4 5")
        try node.stop()
    }

    @Test func aLateEventMovesTheEndUnderTheSameId() throws {
        try store([Self.request("s", 0)])
        let connection = try Connection(database.conninfo, name: "test")
        #expect(try end(40, by: connection) == 1)
        let id = try database.value("select id from event where activity = 'session.end'")
        try store([Self.request("s", 25)])
        #expect(try visits("s") == ["1: 0-25 2 last"])
        #expect(try events("s") == ["start 1: 0"])
        #expect(try database.value("select ended_at from session") == nil)
        #expect(try end(54, by: connection) == 0)
        #expect(try end(55, by: connection) == 1)
        #expect(try events("s") == ["start 1: 0", "end 1: 25"])
        #expect(try database.value("select id from event where activity = 'session.end'") == id)
        try node.stop()
    }

    @Test func aLateEventBetweenTwoVisitsJoinsThem() throws {
        try store([Self.request("s", 0)], [Self.request("s", 50)])
        let connection = try Connection(database.conninfo, name: "test")
        #expect(try end(100, by: connection) == 2)
        try store([Self.request("s", 25, page: "/late")])
        #expect(try visits("s") == ["1: 0-50 3 last"])
        #expect(try events("s") == ["start 1: 0"])
        #expect(try end(100, by: connection) == 1)
        #expect(try events("s") == ["start 1: 0", "end 1: 50"])
        #expect(try database.value("select joined from visit where number = 2") == "1")
        // What comes now finds its way although the server remembers the visit that is gone.
        try store([Self.request("s", 60)], [Self.request("s", 300)])
        #expect(try visits("s") == ["1: 0-60 4", "3: 300-300 1 last"])
        try node.stop()
    }

    @Test func anEarlierEventMovesTheStart() throws {
        try store([Self.request("s", 20, page: "/b?utm_source=x")])
        let id = try database.value("select id from event where activity = 'session.start'")
        try store([Self.request("s", 5, page: "/a?utm_source=y")])
        #expect(try events("s") == ["start 1: 5"])
        #expect(
            try database.rows(
                "select id, properties->>'entry_page', properties->>'utm_source' from event where activity = 'session.start'"
            )
                == [[id, "/a", "y"]])
        #expect(try database.rows("select entry_page, exit_page from visit") == [["/a", "/b"]])
        try node.stop()
    }

    @Test func whatIsNotSavedHasNone() throws {
        let request = Self.request("s", 0).with { $0.flags = [.settled] }
        let unsaved = Self.request("t", 0).with { $0.events[0].verdict = .unsaved }
        try store([request, unsaved, Self.request("", 0)])
        #expect(try database.count("select count(*) from visit") == 0)
        #expect(try database.count("select count(*) from event where source = '@waymark'") == 0)
        try node.stop()
    }

    @Test func aDuplicateChangesNothing() throws {
        let event = TestEvent {
            $0.clientID = Array("a".utf8)
            $0.said = Self.zero
        }
        try store([TestRequest(event)], [TestRequest(event), Self.request("s", 500)])
        #expect(try visits("s") == ["1: 0-0 1", "2: 500-500 1 last"])
        try node.stop()
    }

    @Test func oneBadEventCostsTheOthersNothing() throws {
        let bad = TestEvent {
            $0.properties = Array(#"{"url":"/bad","x":1e400000}"#.utf8)
            $0.said = Self.zero.adding(seconds: 60)
        }
        var requests = (0..<20).map { Self.request("s\($0 % 3)", $0, page: "/p") }
        requests[7].events.append(bad)
        try store(requests)
        let counted = try database.count("select sum(events) from visit")
        #expect(try counted == database.count("select count(*) from event where source <> '@waymark'"))
        #expect(counted == 20)
        #expect(try database.count("select count(*) from event where activity = 'session.start'") == 3)
        try node.stop()
    }

    /// Two servers, each with a part of every session's events, batches of a few events, and a third party that
    /// looks for silence at any moment: the same as if all had come in order.
    @Test(arguments: 1...8)
    func anyOrderOnTwoServersEndsInTheSameVisits(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let nodes = [node, try Node(database, events: 7, silence: Self.silence)]
        for node in nodes { node.load() }
        try eventually("the tables are there") { nodes.allSatisfy(\.loader.status.isConnected) }
        let connection = try Connection(database.conninfo, name: "test")
        var minutes: [String: [Int]] = [:]
        for _ in 0..<60 {
            let requests = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let session = "s\(Int.random(in: 0..<5, using: &random))"
                let some = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                    Int.random(in: 0..<600, using: &random)
                }
                minutes[session, default: []] += some
                var request = Self.request(session)
                request.events = some.flatMap { Self.request(session, $0).events }
                return request
            }
            let node = nodes[random.chance(50) ? 0 : 1]
            try node.write(requests, at: Self.zero.adding(seconds: 50_000))
            if random.chance(30) { _ = try end(Int.random(in: 0..<700, using: &random), by: connection) }
        }
        for node in nodes { try node.drain() }
        while try end(10_000, by: connection) > 0 {}
        for (session, minutes) in minutes {
            #expect(try events(session) == Self.expected(minutes, events(session)), "seed \(seed)")
            let counted = try database.count(
                "select sum(events) from visit where session_id = $1 and joined is null", session)
            #expect(counted == minutes.count, "seed \(seed)")
        }
        for node in nodes { try node.stop() }
    }

    /// The starts and ends that must be there; a visit's number is the one that is there.
    private static func expected(_ minutes: [Int], _ found: [String]) -> [String] {
        var spans: [(Int, Int)] = []
        for minute in minutes.sorted() {
            if let last = spans.last, minute - last.1 < 30 {
                spans[spans.count - 1].1 = minute
            } else {
                spans.append((minute, minute))
            }
        }
        let numbers = found.filter { $0.hasPrefix("start") }.map { $0.dropFirst(6).prefix { $0 != ":" } }
        return zip(numbers, spans).flatMap { ["start \($0): \($1.0)", "end \($0): \($1.1)"] }
    }
}
