import Foundations
import Identity
import Payload
import TestSupport
import Testing

@testable import Loader

/// What one loader makes of a spool, against a real PostgreSQL.
struct LoadingTests {
    let database: Database
    let node: Node

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database)
    }

    @Test func eachVerdictIsCountedAndOnlyTheStoredAreStored() throws {
        let verdicts: [Submission.Verdict] = [.store, .unsaved, .denied, .quarantined, .store]
        try node.write([TestRequest().with { $0.events = verdicts.map { v in TestEvent { $0.verdict = v } } }]
        )
        node.load()
        try node.drain()
        #expect(try database.ledger() == [5, 2, 0, 1, 1, 1])
        #expect(try database.count("select count(*) from event") == 2)
        #expect(try database.count("select count(*) from quarantine where reason = 'schema'") == 1)
        try node.stop()
    }

    @Test func anEventKeepsAllThatWasSaid() throws {
        let profile = UUID.random()
        let received = Timestamp(seconds: 1_790_000_000)
        let event = TestEvent {
            $0.said = Timestamp(seconds: 1_789_999_000)
            $0.properties = Array(#"{"n":12345678901234567890.10,"deep":[{}]}"#.utf8)
            $0.context = Array(#"{"c":true}"#.utf8)
            $0.tags = Array(#"["a","b\"c"]"#.utf8)
            $0.clientID = Array("mine".utf8)
        }
        let request = TestRequest(session: "s", .known, profile, events: [event])
        try node.write([request.with { $0.sentAt = received.adding(seconds: -100) }], at: received)
        node.load()
        try node.drain()
        let row = try database.rows(
            """
            select extract(epoch from received_at)::bigint, extract(epoch from time)::bigint, activity, label, source,
                session_id, profile_id, properties::text, context::text, tags::text, client_id,
                extract(epoch from client_time)::bigint, bucket = bucket_of(profile_id) from event
            """)
        #expect(
            row == [
                [
                    "1790000000", "1789999100", "page-view", "Page view", "shop", "s", "\(profile)",
                    #"{"n": 12345678901234567890.10, "deep": [{}]}"#, #"{"c": true}"#, #"{a,"b\"c"}"#, "mine",
                    "1789999000", "t",
                ]
            ])
        try node.stop()
    }

    /// The ways of two requests took so long (in seconds); two servers know nothing of each other's.
    @Test(
        arguments: [(0, 2.1, 1.9), (0, 50, 0.1), (0, 0.1, 50), (3600, 40, 0.1), (-3600, 0.1, 50)],
        [true, false])
    func aDevicesEventsKeepTheirOrderWhetherItsSessionIsSavedOrNot(
        _ times: (behind: Double, first: Double, second: Double), isSaved: Bool
    ) throws {
        let profile = UUID.random()
        let others = times.behind == 0 ? try Node(database) : nil
        others?.load()
        node.load()
        for (i, way) in [times.first, times.second].enumerated() {
            let device = Timestamp(microseconds: Int64(1_790_000_000_000_000 + i * 1_000_000))
            let event = TestEvent { $0.said = device }
            let request = TestRequest(session: "s", .known, profile, events: [event]).with {
                $0.sentAt = device
                if !isSaved { $0.flags.remove(.saveSession) }
            }
            let received = device.adding(microseconds: Int64((times.behind + way) * 1_000_000))
            let server = i > 0 ? others ?? node : node
            try server.write([request], at: received)
            try server.drain()
        }
        #expect(
            try database.rows("select client_time from event order by time")
                == database.rows("select client_time from event order by client_time"))
        if times.behind != 0 {
            #expect(try database.count("select count(*) from event where time = client_time") == 0)
        }
        #expect(try database.count("select count(*) from session") == (isSaved ? 1 : 0))
        try others?.stop()
        try node.stop()
    }

    @Test func aRepeatIsADuplicateAndAnotherContentAConflict() throws {
        try node.write([TestRequest(.client("a"), .client("a"), .client("b"))])
        try node.write([TestRequest(.client("a", #"{"a":1.0}"#), .client("b", #"{"a":2}"#), .client("c"))])
        node.load()
        try node.drain()
        #expect(try database.ledger() == [6, 3, 2, 0, 1, 0])
        #expect(try database.rows("select reason, client_id from quarantine") == [["conflict", "b"]])
        #expect(try database.count("select count(*) from event_key") == 3)
        try node.stop()
    }

    @Test(arguments: [(30, 31, 2), (30, 30, 1), (nil, 400, 1)])
    func aClientsIDMayComeAgainAfterItsTime(days: Int?, later: Int64, stored: Int) throws {
        let node = try Node(database, days: days)
        let first = Timestamp(seconds: 1_790_000_000)
        try node.write([TestRequest(.client("a"))], at: first)
        node.load()
        try node.drain()
        try node.write([TestRequest(.client("a"))], at: first.adding(seconds: later * 86_400))
        try node.drain()
        #expect(try database.ledger() == [2, stored, 2 - stored, 0, 0, 0])
        try node.stop()
    }

    @Test func oneBatchMaySpanDays() throws {
        let first = Timestamp(seconds: 1_790_000_000)
        for day in 0..<5 { try node.write([TestRequest()], at: first.adding(seconds: Int64(day) * 86_400)) }
        node.load()
        try node.drain()
        #expect(try database.count("select count(distinct tableoid) from event") == 5)
        #expect(try database.ledger() == [5, 5, 0, 0, 0, 0])
        try eventually("it is counted") { node.loader.metrics.batches.total == 1 }
        try node.stop()
    }

    @Test func theReceiptComesAfterTheCommit() throws {
        let request = TestRequest(.client("a"), .client("a")).with { $0.flags.insert(.waits) }
        let got = Locked<(Receipt, Int)?>(nil)
        node.receipts.expect(task: request.task) { [database] receipt in
            let count = (try? database.count("select count(*) from event")) ?? -1
            got.withLock { $0 = (receipt, count) }
        }
        try node.write([request])
        node.load()
        let (receipt, count) = try eventually("the receipt") { got.withLock { $0 } }
        #expect(count == 1)
        #expect(receipt.events.map(\.outcome) == [.stored, .duplicate])
        #expect(receipt.sessionSaved)
        try node.stop()
    }

    /// A timer for each look would be one more for each batch, for ever.
    @Test func anIdleLoaderLooksNowAndThenOnly() throws {
        node.load()
        for _ in 0..<20 {
            try node.write([TestRequest()])
            try node.drain()
        }
        #expect(node.loader.alarms <= 1)
        try node.stop()
    }

    @Test func theLedgerHasALineForEachSourceAndMinute() throws {
        let first = Timestamp(seconds: 1_790_000_000).minute
        for (seconds, source) in [(0, "a"), (1, "b"), (59, "a"), (60, "a"), (61, "b")] {
            let requests = [source, source == "a" ? "b" : "a", source].map { source in
                TestRequest(TestEvent(), TestEvent()).with { $0.source = source }
            }
            try node.write(requests, at: first.adding(seconds: Int64(seconds)))
        }
        node.load()
        try node.drain()
        _ = try database.ledger()
        let lines = try database.rows(
            """
            select source, (extract(epoch from minute) - 1790000000 / 60 * 60)::int, received, stored from ledger
            order by 1, 2
            """)
        #expect(
            lines == [
                ["a", "0", "10", "10"], ["a", "60", "6", "6"], ["b", "0", "8", "8"], ["b", "60", "6", "6"],
            ])
        try node.stop()
    }

    /// What waits for a transaction waits for all of it: timers, answers, other servers.
    @Test(arguments: [(1, 2), (6, 3)])
    func afterASlowBatchSmallerOnesFollow(seconds: UInt64, batches: Int) throws {
        let time = Locked(UInt64(1_000_000_000))
        let clock = Clock(now: Clock.system.now) {
            time.withLock { time in
                time += seconds * 1_000_000_000
                return time
            }
        }
        let node = try Node(database, events: 400, clock: clock)
        for _ in 0..<700 { try node.write([TestRequest()]) }
        node.load()
        try node.drain()
        try eventually("the last batch is counted") { node.loader.metrics.batches.total >= batches }
        #expect(node.loader.metrics.batches.total == batches)
        try node.stop()
    }
}
