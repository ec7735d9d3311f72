import Foundations
import Glibc
import Synchronization

/// Watches how many bytes the server has still to load, ten times a second.
final class Backlog: Sendable {
    private let over = Atomic<Bool>(false)

    init(port: UInt16, limit: Int, until end: UInt64) {
        _ = Thread { [self] in
            while monotonic() < end {
                if let bytes = Metrics.value("waymark_spool_backlog_bytes", port: port) {
                    over.store(bytes > Double(limit), ordering: .relaxed)
                }
                usleep(100_000)
            }
            over.store(false, ordering: .relaxed)
        }
    }

    var isOver: Bool { over.load(ordering: .relaxed) }
}
