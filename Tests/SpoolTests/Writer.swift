import Dispatch
import Foundations
import Glibc
import Logging

@testable import Spool

/// Writes numbered records and keeps book of what became of each.
final class Writer: Sendable {
    struct Book {
        var submitted: [UInt64] = []
        /// On disk, in this order, with the position behind each.
        var kept: [(id: UInt64, next: Position)] = []
        var failed: Set<UInt64> = []
        var errors: [SpoolError] = []
    }

    private let target: Locked<Spool?>
    let book = Locked(Book())
    private let pending = DispatchGroup()

    init(_ spool: Spool) { target = Locked(spool) }

    var spool: Spool? { target.withLock { $0 } }

    func letGo() { target.withLock { $0 = nil } }

    /// Submits a record whose body begins with its number; does not wait.
    func submit(_ id: UInt64, bytes: Int = 104, at time: Timestamp = Timestamp(seconds: 1_000)) {
        pending.enter()
        book.withLock { $0.submitted.append(id) }
        let frame = Frame { [book, pending] frame, result in
            book.withLock { book in
                switch result {
                case .success: book.kept.append((id, frame.next))
                case .failure(let error):
                    book.failed.insert(id)
                    book.errors.append(error)
                }
            }
            pending.leave()
        }
        frame.receivedAt = time
        Writer.fill(&frame.body, id, bytes)
        spool?.submit(frame)
    }

    /// Submits and waits until all that was submitted is settled.
    func write(_ ids: some Sequence<UInt64>, bytes: Int = 104) {
        for id in ids { submit(id, bytes: bytes) }
        wait()
    }

    func wait() { pending.wait() }

    var kept: [UInt64] { book.withLock { $0.kept.map(\.id) } }
    var failed: Set<UInt64> { book.withLock { $0.failed } }
    var errors: [SpoolError] { book.withLock { $0.errors } }

    static func fill(_ body: inout ByteBuffer, _ id: UInt64, _ bytes: Int) {
        body.removeAll()
        var word = id
        while body.count < bytes {
            body.append(little: word)
            word = word &* 0x9e37_79b9_7f4a_7c15 &+ 1
        }
        body.truncate(to: bytes)
    }
}

/// Everything a spool holds from a position on, with the whole body compared.
func contents(
    _ spool: Spool, from position: Position? = nil
) throws -> (ids: [UInt64], records: [SpoolRecord]) {
    let reader = try spool.reader(from: position)
    var ids: [UInt64] = []
    var records: [SpoolRecord] = []
    var buffer = ByteBuffer()
    var body = ByteBuffer()
    while let record = try reader.next(into: &buffer) {
        let bytes = buffer[record.range]
        let id = bytes.little(at: 0, UInt64.self)
        Writer.fill(&body, id, bytes.count)
        guard bytes.equals(body.bytes) else { throw Unequal(id: id) }
        ids.append(id)
        records.append(record)
        buffer.removeAll()
    }
    return (ids, records)
}

struct Unequal: Error { var id: UInt64 }

let quiet: Logger = {
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    return logger
}()

func options(_ directory: TemporaryDirectory, segment: Int = 64 << 10, capacity: Int = 8 << 20)
    -> SpoolOptions
{
    var options = SpoolOptions(data: directory.path, capacity: capacity)
    options.segmentBytes = segment
    options.ticks = false
    return options
}

/// Opens a spool. One that was dropped keeps its lock until its last block is gone, which may be a moment later when
/// the machine is busy: the lock of this very process is waited for.
func open(_ options: SpoolOptions, clock: Clock = .system) throws -> Spool {
    for _ in 0..<5000 {
        let attempt = Result { try Spool(options: options, clock: clock, logger: quiet) }
        guard case .failure(let error) = attempt,
            error as? SpoolError == .locked(path: options.data, pid: getpid())
        else { return try attempt.get() }
        usleep(1000)
    }
    return try Spool(options: options, clock: clock, logger: quiet)
}

/// Closes a spool in good order.
func close(_ spool: Spool) {
    let done = DispatchSemaphore(value: 0)
    spool.close { done.signal() }
    done.wait()
    spool.settle()
}

/// Lets a spool go without closing it, as a process that ends does.
func drop(_ spool: inout Spool?, _ writer: Writer? = nil) {
    writer?.letGo()
    spool?.settle()
    spool = nil
}
