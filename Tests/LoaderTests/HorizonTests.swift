import Enrolments
import Foundations
import Logging
import Postgres
import TestSupport
import Testing

@testable import Loader

/// Up to when all is loaded: the slowest living server decides.
struct HorizonTests {
    static let now = Timestamp(seconds: 1_790_000_000)

    /// What was received at that very moment may still have to be loaded.
    static func before(_ moment: Timestamp) -> Timestamp { moment.adding(microseconds: -1) }

    /// One look: seconds of who listens, and of each server seconds before now, loaded until and alive at.
    struct Look: Sendable {
        let at: UInt64
        let servers: [(loaded: Int64, alive: Int64)]
        let expected: Int64?

        init(_ at: UInt64, _ servers: [(Int64, Int64)], _ expected: Int64?) {
            (self.at, self.servers, self.expected) = (at, servers, expected)
        }

        /// What they say, by the number of each.
        func words(now: Timestamp) -> [Horizon.Server] {
            servers.enumerated().map { i, server in
                Horizon.Server(
                    loadedUntil: now.adding(seconds: -server.loaded),
                    aliveAt: now.adding(seconds: -server.alive),
                    name: "\(i)")
            }
        }
    }

    @Test(
        arguments: [
            [Look(0, [], nil)],
            [Look(0, [(5, 1)], 5)],
            [Look(0, [(5, 1), (300, 2)], 300)],
            // The second one says no more: it is waited for for a minute …
            [
                Look(0, [(5, 1), (300, 2)], 300), Look(29, [(4, 0), (300, 2)], 300),
                Look(59, [(3, 0), (300, 2)], 300),
                Look(60, [(2, 0), (300, 2)], 2),
                // … and again when it is back.
                Look(70, [(1, 0), (290, 0)], 290),
            ],
            // Also by who has just begun to listen, but not if it was silent for a day.
            [Look(0, [(5, 1), (300, 3600)], 300)],
            [
                Look(0, [(5, 1), (300, 90_000)], 5), Look(1, [(5, 0), (300, 90_000)], 5),
                Look(2, [(5, 0), (299, 89_999)], 299),
            ],
            // Clocks that stand apart by more than a minute, or a day, or are stepped back.
            [
                Look(0, [(5, 1), (300, 200)], 300), Look(29, [(4, 0), (290, 190)], 290),
                Look(58, [(4, 0), (280, 180)], 280),
                Look(87, [(4, 0), (270, 170)], 270),
            ],
            [
                Look(0, [(5, 1), (-300, -100_000)], 5), Look(29, [(5, 1), (-310, -100_010)], 5),
                Look(58, [(5, 1), (-315, -100_015)], 5),
                Look(60, [(5, 1), (-320, -100_020)], -320),
            ],
            [
                Look(0, [(5, 1)], 5), Look(29, [(5, 100)], 5), Look(58, [(5, 120)], 5),
                Look(87, [(5, 140)], 5),
            ],
            // Who was stopped itself has not listened.
            [Look(0, [(5, 1), (300, 2)], 300), Look(100, [(5, 1), (300, 2)], 300)],
        ])
    func theSlowestServerThatIsHeardDecides(looks: [Look]) {
        var horizon = Horizon()
        for look in looks {
            let found = horizon.listen(
                to: look.words(now: Self.now), at: look.at * 1_000_000_000, wall: Self.now)
            #expect(
                found.until == look.expected.map { Self.before(Self.now.adding(seconds: -$0)) }, "\(look)")
        }
    }

    /// It commits nothing for two minutes, and says twice a minute that it is loading; then it says nothing more.
    @Test func aServerThatSaysThatItIsLoadingIsWaitedFor() {
        var horizon = Horizon()
        func until(at seconds: UInt64, beats: Int64) -> Timestamp? {
            let busy = Horizon.Server(
                loadedUntil: Self.now.adding(seconds: -300), aliveAt: Self.now.adding(seconds: -200),
                beats: beats, name: "busy")
            let idle = Horizon.Server(
                loadedUntil: Self.now, aliveAt: Self.now.adding(seconds: Int64(seconds)), name: "idle")
            return horizon.listen(to: [busy, idle], at: seconds * 1_000_000_000, wall: Self.now).until
        }
        for beat in 0..<5 {
            #expect(
                until(at: UInt64(beat) * 29, beats: Int64(beat))
                    == Self.before(Self.now.adding(seconds: -300)))
        }
        #expect(until(at: 145, beats: 4) == Self.before(Self.now.adding(seconds: -300)))
        #expect(until(at: 174, beats: 4) == Self.before(Self.now.adding(seconds: -300)))
        #expect(until(at: 177, beats: 4) == Self.before(Self.now))
    }

    @Test func whoIsNotWaitedForIsNamed() {
        var horizon = Horizon()
        func absent(at seconds: UInt64, _ servers: [(Int64, Int64)]) -> [AbsentServer] {
            let words = Look(seconds, servers, nil).words(now: Self.now)
            return horizon.listen(to: words, at: seconds * 1_000_000_000, wall: Self.now).absent
        }
        #expect(absent(at: 0, [(5, 1), (66, 61), (90_005, 90_000)]) == [])
        #expect(absent(at: 30, [(5, 0), (66, 61), (90_005, 90_000)]) == [])
        let silent = AbsentServer(
            name: "1", loadedUntil: Self.now.adding(seconds: -66), silentSince: Self.now.adding(seconds: -61))
        #expect(absent(at: 60, [(5, 1), (66, 61), (90_005, 90_000)]) == [silent])
    }

    /// What arrives while an idle server says up to when it has loaded counts from there, although its clock was read
    /// before.
    @Test func nothingArrivesBeforeWhatAnIdleServerPromised() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database, silence: 60_000_000)
        node.load()
        let before = Clock.system.now()
        func promised() throws -> String? {
            try database.value("select (extract(epoch from loaded_until) * 1e6)::bigint from spool_position")
        }
        let until = try eventually("the idle server goes on") {
            try promised().flatMap { Int64($0) }.flatMap { $0 > before.microseconds ? $0 : nil }
        }
        try node.write([TestRequest(session: "late")], at: before.adding(seconds: -5))
        try node.drain()
        let received = try database.value(
            "select (extract(epoch from received_at) * 1e6)::bigint from event where source <> '@waymark'")
        #expect(try #require(received.flatMap { Int64($0) }) >= until)
        try node.stop()
    }

    /// Whose transaction takes long is not taken for gone: what it is loading may be evidence.
    @Test func aServerSpeaksWhileItIsLoading() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database, pulse: Heartbeat.Pace(look: 10, patience: 20))
        try node.write([TestRequest()])
        node.load()
        try node.drain()
        let other = try Connection(database.conninfo, name: "test")
        let listener = try Connection(database.conninfo, name: "test")
        func beats() throws -> Int64 { try #require(try Horizon.servers(listener).first).beats }
        try other.begin()
        try other.script("lock table event in exclusive mode")
        try node.write([TestRequest()])
        for _ in 0..<2 {
            let before = try beats()
            try eventually("the busy server speaks") { try beats() > before }
        }
        try other.rollback()
        try node.drain()
        try eventually("it falls silent again, and lets its connection go") {
            try database.count(
                "select count(*) from pg_stat_activity where application_name = 'waymark heartbeat' and datname = current_database()"
            ) == 0
        }
        try node.stop()
    }

    @Test func aSpoolThatWasNeverLoadedPromisesNothing() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let node = try Node(database, silence: 60_000_000)
        try node.write([TestRequest()], at: Self.now)
        node.load()
        try eventually("the first batch is loaded") { try database.count("select count(*) from event") > 0 }
        let ahead = try database.count("select count(*) from spool_position where loaded_until > now()")
        #expect(ahead == 0)
        try node.stop()
    }
}

/// The worker that ends sessions, next to real loaders.
struct SessionEndTests {
    private let database: Database
    private let nodes: [Node]
    private let logger: Logger

    init() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        self.database = database
        nodes = try (0..<2).map { _ in try Node(database, silence: VisitTests.silence) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        self.logger = logger
    }

    private func worker(of node: Node) -> SessionEnds {
        let worker = SessionEnds(
            silence: VisitTests.silence, metrics: node.loader.metrics, logger: logger,
            isReady: { node.loader.status.isConnected })
        worker.use(database.conninfo)
        return worker
    }

    private func ends() throws -> Int {
        try database.count("select count(*) from event where activity = 'session.end'")
    }

    @Test func twoServersEndEverySessionOnce() throws {
        for node in nodes { node.load() }
        try eventually("the tables are there") { nodes.allSatisfy(\.loader.status.isConnected) }
        for i in 0..<300 {
            try nodes[i % 2].write([VisitTests.request("s\(i % 150)", i % 7, 60 + i % 5)])
        }
        for node in nodes { try node.drain() }
        let workers = nodes.map { worker(of: $0) }
        try eventually("all sessions have ended") { try ends() >= 300 }
        for node in nodes { try node.stop() }
        for worker in workers { worker.stop() }
        #expect(try ends() == 300)
        #expect(try database.count("select count(distinct id) from event where source = '@waymark'") == 600)
        #expect(try database.count("select count(*) from visit where not ended") == 0)
        #expect(try database.count("select count(*) from session where ended_at is null") == 0)
        #expect(nodes.reduce(0) { $0 + $1.loader.metrics.sessionsEnded.total } == 300)
    }

    /// An event that waits in the spool of a server that lives is not taken for silence.
    @Test func aSlowServerIsWaitedFor() throws {
        let node = nodes[0]
        node.load()
        try node.write([VisitTests.request("s", 0)], at: VisitTests.zero.adding(seconds: 60))
        try node.drain()
        try database.run(
            """
            insert into spool_position (instance, epoch, position, loaded_until, alive_at, host)
            values (gen_random_uuid(), gen_random_uuid(), 0, to_timestamp(1790000000 + 1799), now() + interval '1 h', 'slow')
            """)
        let worker = worker(of: node)
        defer { worker.stop() }
        // The worker has looked: it ends another session that the slow server cannot touch any more.
        try node.write([VisitTests.request("old", -31)])
        try eventually("the older session has ended") { try ends() == 1 }
        #expect(try database.value("select ended_at from session where id = 's'") == nil)
        try database.run(
            "update spool_position set loaded_until = to_timestamp(1790000000 + 1801) where host = 'slow'")
        try eventually("the session has ended") { try ends() == 2 }
        for node in nodes { try node.stop() }
    }
}
