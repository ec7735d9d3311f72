import Foundation
import TestSupport
import Testing

/// What an event costs, in numbers that do not depend on the machine: system calls, allocations, bytes of WAL,
/// statements. docs/performance.md explains them.
///
/// The load is fixed, and so is what is together in it: one request at a time, or sixteen in one packet, while the
/// loader waits for a lock; then the loader has all it will get before it begins.
@Suite(.serialized, .enabled(if: Server.binary.contains("/release/"), "the counts are the release build's"))
struct SmokeBenchmarkTests {
    /// A figure, what it was when this was written, and what it may be at most.
    struct Limit: CustomTestStringConvertible, Sendable {
        let name: String
        let measured: Double
        let most: Double
        var testDescription: String { name }

        init(_ name: String, was measured: Double, most: Double) {
            (self.name, self.measured, self.most) = (name, measured, most)
        }
    }

    static let limits = [
        Limit("alone: system calls a request", was: 14, most: 20),
        Limit("alone: syncs a request", was: 1, most: 1.25),
        Limit("alone: allocations a request", was: 3, most: 6),
        Limit("sixteen: system calls a request", was: 0.875, most: 1.9),
        Limit("sixteen: syncs a request", was: 0.0625, most: 0.08),
        Limit("sixteen: allocations a request", was: 0.19, most: 3),
        Limit("loading: system calls an event", was: 0.06, most: 0.25),
        Limit("loading: allocations an event", was: 1.3, most: 2),
        Limit("loading: bytes of WAL an event", was: 553, most: 690),
        Limit("loading: statements a batch", was: 6.8, most: 10.6),
        Limit("loading: batches", was: 6, most: 12),
    ]

    static let measured = Result { try CountedLoad().figures() }

    @Test(arguments: limits) func itCostsNoMore(than limit: Limit) throws {
        let figure = try #require(try Self.measured.get()[limit.name])
        print("\(limit.name): \(figure) (was \(limit.measured), at most \(limit.most))")
        #expect(figure <= limit.most, "\(limit.name)")
        #expect(figure > 0, "\(limit.name): nothing was counted")
    }
}

/// The load, and what it costs a server that nobody else talks to.
private struct CountedLoad {
    static let events = 20_000
    let counter: CallCounter
    let postgres: PostgresServer
    let database: Database
    let server: Server
    let client: Client

    init() throws {
        counter = try CallCounter()
        postgres = try PostgresServer()
        database = try postgres.makeDatabase()
        var options = ServerOptions(sources: ["{id: shop, kind: web}"], database: database.conninfo)
        options.environment = counter.environment
        options.settings = []
        server = try Server.ready(options)
        client = try Client(server.address, patience: 60)
    }

    private func request(session: Int, events: ClosedRange<Int>) -> [UInt8] {
        let list = events.map {
            """
            {"type":"purchase-order","properties":{"product":"Nike shoes",\
            "sku":"SKU-\(100_000 + $0 * 7919 % 900_000)","quantity":\($0 % 5 + 1),"price":\($0 % 500).90,"currency":"EUR",\
            "url":"https://shop.example/item/\($0)?ref=newsletter","tags":["a\($0 % 9)","b\($0 % 7)"]}}
            """
        }
        let body = """
            {"source":{"id":"shop"},"session":{"id":"session-\(session)"},"context":{"locale":"en-US","city":"Lima"},\
            "events":[\(list.joined(separator: ","))]}
            """
        return Request("POST", "/track", [("Content-Type", "application/json")], body: Array(body.utf8)).bytes
    }

    /// Sends them in one packet and takes all answers.
    private func send(_ requests: [[UInt8]]) throws {
        try client.send(Array(requests.joined()))
        for _ in requests {
            let answer = try client.receive()
            guard answer.status == 200 else { throw Failure("\(answer.status) \(answer.text)") }
        }
    }

    private func awaitLoaded() throws {
        // Not often: the look itself is counted as well.
        try eventually("everything is loaded", within: 120, every: 0.25) {
            try server.metric("waymark_spool_backlog_bytes") == 0
        }
    }

    private func position() throws -> Double {
        try Double(database.value("select pg_current_wal_insert_lsn() - '0/0'") ?? "") ?? 0
    }

    func figures() throws -> [String: Double] {
        var figures: [String: Double] = [:]
        // What is made once, such as caches and the first pages of tables, is not an event's cost.
        for session in 0..<16 { try send([request(session: session, events: 1...50)]) }
        try awaitLoaded()
        let lock = Database(conninfo: database.conninfo)
        try lock.run("begin; lock table spool_position in access exclusive mode")

        var sent = 0
        for _ in 0..<40 {
            let before = try counter.counts
            for n in 0..<10 { try send([request(session: n, events: n...n)]) }
            note("alone", try counter.counts - before, 10, &figures)
            sent += 10
        }
        for _ in 0..<40 {
            let before = try counter.counts
            for n in 0..<2 { try send((0..<16).map { request(session: $0, events: n...n) }) }
            note("sixteen", try counter.counts - before, 32, &figures)
            sent += 32
        }

        for n in 0..<Self.events / 50 { try send([request(session: n % 16, events: n * 50...n * 50 + 49)]) }
        try database.run("checkpoint")
        let batches = try server.metric("waymark_batches_total") ?? 0
        let stored = try server.metric("waymark_events_total", "stored") ?? 0
        let start = try position()
        let before = try counter.counts
        try lock.run("commit")
        try awaitLoaded()
        let counts = try counter.counts - before
        let events = try (server.metric("waymark_events_total", "stored") ?? 0) - stored
        guard Int(events) == Self.events + sent else {
            throw Failure("\(events) events stored")
        }
        let made = try (server.metric("waymark_batches_total") ?? 0) - batches
        figures["loading: system calls an event"] = Double(counts.calls) / events
        figures["loading: allocations an event"] = Double(counts[.allocations]) / events
        figures["loading: bytes of WAL an event"] = try (position() - start) / events
        figures["loading: statements a batch"] = Double(counts[.statements]) / max(made, 1)
        figures["loading: batches"] = made
        return figures
    }

    /// What the server does once a while, whoever asks for what, counts as well: the window with least of it is kept.
    private func note(
        _ name: String, _ counts: CallCounter.Counts, _ requests: Int, _ figures: inout [String: Double]
    ) {
        for (what, count) in [
            ("system calls", counts.calls), ("syncs", counts[.syncs]), ("allocations", counts[.allocations]),
        ] {
            let figure = Double(count) / Double(requests)
            figures["\(name): \(what) a request", default: figure].reduce(to: figure)
        }
    }
}

extension Double {
    fileprivate mutating func reduce(to other: Double) { self = min(self, other) }
}
