import Foundations
import Identity
import Payload
import TestSupport
import Testing

@testable import Loader

/// One bad event costs nobody else anything.
struct PoisonTests {
    let database: Database
    let node: Node

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database)
    }

    static let faults: [(name: String, change: @Sendable (inout TestEvent) -> Void)] = [
        ("a label that is no UTF-8", { $0.label = [0x61, 0xff, 0x62] }),
        ("a NUL in the activity", { $0.activity = [0x61, 0, 0x62] }),
        ("an activity that is too long", { $0.activity = [UInt8](repeating: 0x61, count: 300) }),
        ("properties that are no JSON", { $0.properties = Array("{\"a\":".utf8) }),
        ("a NUL in the properties", { $0.properties = Array(#"{"a":"\u0000"}"#.utf8) }),
        ("a number that numeric does not hold", { $0.properties = Array(#"{"a":1e400000}"#.utf8) }),
        (
            "bytes that are no UTF-8 in the context",
            { $0.context = Array("{\"a\":\"".utf8) + [0xc3, 0x22, 0x7d] }
        ),
        ("a client's id with a NUL", { $0.clientID = [0x61, 0] }),
        ("a time that is no timestamp", { $0.said = Timestamp(microseconds: -9_000_000_000_000_000_000) }),
    ]

    @Test(arguments: faults.indices)
    func whatPostgreSQLRefusesIsQuarantinedAlone(fault: Int) throws {
        let bad = TestEvent(Self.faults[fault].change)
        try node.write([
            TestRequest(TestEvent(), TestEvent()), TestRequest(TestEvent(), bad, TestEvent()), TestRequest(),
        ])
        node.load()
        try node.drain()
        #expect(try database.ledger() == [6, 5, 0, 0, 1, 0], "\(Self.faults[fault].name)")
        #expect(try database.rows("select id, reason from quarantine") == [["\(bad.id)", "poison"]])
        let sqlstate = try database.value("select detail->>'sqlstate' from quarantine") ?? ""
        #expect(sqlstate.hasPrefix("22") || sqlstate.hasPrefix("54") || sqlstate == "23514", "\(sqlstate)")
        try node.stop()
    }

    @Test(arguments: [1, 2, 3])
    func aRequestWhoseSessionIsPoisonCostsOnlyItsOwnEvents(fault: Int) throws {
        let bad = TestRequest(TestEvent(), TestEvent()).with {
            switch fault {
            case 1: $0.session = [0x61, 0x00]
            case 2: $0.context = Array("{".utf8)
            default: $0.userAgent = [0xff]
            }
        }
        try node.write([TestRequest(session: "a"), bad, TestRequest(session: "b")])
        node.load()
        try node.drain()
        #expect(try database.ledger() == [4, 2, 0, 0, 2, 0])
        #expect(try database.count("select count(*) from session where id in ('a', 'b')") == 2)
        try node.stop()
    }

    @Test(arguments: [1, 2, 7, 64, 999])
    func manyAreFoundWhereverTheyAre(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var poison: Set<String> = []
        var all = 0
        for _ in 0..<20 {
            var requests: [TestRequest] = []
            for _ in 0..<Int.random(in: 1...10, using: &random) {
                let events = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                    TestEvent { event in
                        guard random.chance(4) else { return }
                        Self.faults.randomElement(using: &random)?.change(&event)
                        poison.insert("\(event.id)")
                    }
                }
                all += events.count
                let session = "s\(Int.random(in: 0..<10, using: &random))"
                requests.append(TestRequest(session: session, .known, .random(), events: events))
            }
            try node.write(requests)
        }
        node.load()
        try node.drain()
        #expect(try database.ledger() == [all, all - poison.count, 0, 0, poison.count, 0], "seed \(seed)")
        let found = try database.rows("select id from quarantine where reason = 'poison'").compactMap {
            $0[0]
        }
        #expect(Set(found) == poison, "seed \(seed)")
        try node.stop()
    }

    /// A part that failed wrote no session; the cache must not believe that it did.
    @Test func aSessionThatOnlyPoisonBroughtIsWrittenWhenItComesAgain() throws {
        try node.write([
            TestRequest(session: "ok"),
            TestRequest(session: "late", events: [TestEvent(Self.faults[0].change)]),
        ])
        node.load()
        try node.drain()
        #expect(try database.count("select count(*) from session where id = 'late'") == 0)
        try node.write([TestRequest(session: "late")])
        try node.drain()
        #expect(try database.count("select count(*) from session where id = 'late'") == 1)
        try node.stop()
    }

    @Test func aKeyOfAPoisonedEventIsNotTaken() throws {
        let bad = TestEvent {
            $0.clientID = Array("x".utf8)
            $0.label = [0xff]
        }
        try node.write([TestRequest(bad, .client("x"))])
        node.load()
        try node.drain()
        #expect(try database.ledger() == [2, 1, 0, 0, 1, 0])
        try node.stop()
    }

    @Test func aSourceThatIsPoisonIsCountedAllTheSame() throws {
        try node.write([TestRequest(TestEvent(), TestEvent()).with { $0.source = "a\0b" }, TestRequest()])
        node.load()
        try node.drain()
        #expect(try database.ledger() == [3, 1, 0, 0, 2, 0])
        #expect(try database.rows("select distinct source from quarantine") == [["a\u{fffd}b"]])
        try node.stop()
    }
}
