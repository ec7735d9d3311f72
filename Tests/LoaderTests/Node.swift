import Foundations
import Glibc
import Identity
import Logging
import Payload
import Spool
import TestSupport

@testable import Loader

/// One server's back half: a real spool in a folder, and a loader that brings it into a database.
final class Node: Sendable {
    let folder: String
    let spool: Spool
    let loader: Loader
    let receipts = Receipts()
    let database: Database

    /// `silence`: after which sessions have ended, in microseconds; without it they have no starts and ends.
    init(
        _ database: Database, folder: String? = nil, events: Int = 5000, linger: Int = 0,
        segmentBytes: Int = 1 << 20,
        cache: SessionCache = SessionCache(capacity: 1024), clock: Clock = .system, days: Int? = 30,
        retain: Int64 = 3_600_000_000, silence: Int64? = nil,
        pulse: Heartbeat.Pace = Heartbeat.Pace(), _ change: (inout Loader.Options) -> Void = { _ in }
    ) throws {
        self.database = database
        let path = try folder ?? Scratch.shared.newFolder("data")
        self.folder = path
        var options = SpoolOptions(data: path)
        options.segmentBytes = segmentBytes
        options.retain = retain
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        spool = try Spool(options: options, clock: .system, logger: logger)
        var loading = Loader.Options(deduplicateDays: days, host: "test")
        loading.events = events
        loading.linger = linger
        loading.sessionTimeout = silence
        loading.pulse = pulse
        loading.heartbeat = silence == nil ? 2000 : 100
        change(&loading)
        loader = try Loader(
            spool: spool, cache: cache, installation: Installation(data: path), receipts: receipts,
            options: loading, clock: clock, logger: logger)
    }

    /// Begins to load, or goes on.
    func load() { loader.use(database.conninfo) }

    /// Writes one record, and waits until it is on disk. Counts what it holds, as Intake does.
    func write(_ requests: [TestRequest], at time: Timestamp = Clock.system.now()) throws {
        let written = Locked<Result<Void, SpoolError>?>(nil)
        let frame = Frame { _, result in written.withLock { $0 = result } }
        frame.receivedAt = time
        for request in requests { request.write(into: &frame.body) }
        for (source, count) in TestRequest.counts(requests) {
            withBytes(source) { SubmissionWriter.counter(into: &frame.body, source: $0, received: count) }
        }
        spool.submit(frame)
        try eventually("the record is on disk", every: 0.0005) { written.withLock { $0 } }.get()
    }

    /// Waits until the database has all that is on disk.
    func drain(within seconds: Double = 30) throws {
        try eventually("all is loaded", within: seconds, every: 0.003) {
            let row = try database.rows(
                "select position, part from spool_position where instance = $1::uuid and epoch = $2::uuid",
                "\(spool.instance)", "\(spool.epoch)")
            return row == [["\(spool.durable.rawValue)", "0"]]
        }
    }

    /// As a process that dies, but in order.
    func stop() throws {
        let done = Locked((false, false))
        loader.stop(within: 100) { done.withLock { $0.0 = true } }
        try eventually("the loader stops") { done.withLock { $0.0 } }
        spool.close { done.withLock { $0.1 = true } }
        try eventually("the spool closes") { done.withLock { $0.1 } }
    }
}

extension Database {
    /// What the ledger says in all: received, stored, duplicate, denied, quarantined, unsaved; it adds up.
    func ledger() throws -> [Int] {
        let wrong = try rows(
            "select * from ledger where received <> stored + duplicate + denied + quarantined + unsaved")
        if !wrong.isEmpty { throw Failure("the ledger does not add up: \(wrong)") }
        return try rows(
            """
            select sum(received), sum(stored), sum(duplicate), sum(denied), sum(quarantined), sum(unsaved) from ledger
            """)[0].map { Int($0 ?? "0") ?? -1 }
    }
}

func withBytes<Result>(_ text: String, _ body: (Bytes) throws -> Result) rethrows -> Result {
    var text = text
    return try text.withUTF8 { try body(Bytes($0)) }
}
