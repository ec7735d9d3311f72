import Foundations
import Glibc
import Synchronization

/// Ends the waits of the connections it was given to, from any thread and for good: a stop must not wait for a
/// server that does not answer.
///
/// A pipe that becomes readable wakes `poll`; where no descriptor is left for it, waits look at the flag in slices.
package final class Interrupter: Sendable {
    private let flag = Atomic<Bool>(false)
    private let writeEnd: Int32
    /// −1: there was no descriptor for it.
    let readEnd: Int32

    package init() {
        var ends: [Int32] = [-1, -1]
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        guard readEnd >= 0 else { return }
        close(readEnd)
        close(writeEnd)
    }

    package func interrupt() {
        guard !flag.exchange(true, ordering: .sequentiallyConsistent), writeEnd >= 0 else { return }
        _ = write(writeEnd, [1], 1)
    }

    /// Sleeps so long, or until it is interrupted; whether it is.
    package func sleep(milliseconds: Int) -> Bool {
        let end = Clock.system.monotonic() + UInt64(max(milliseconds, 0)) * 1_000_000
        while !isInterrupted {
            let now = Clock.system.monotonic()
            if now >= end { return false }
            var left = (end - now + 999_999) / 1_000_000
            if readEnd < 0 { left = min(left, 100) }
            var polled = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
            _ = poll(&polled, 1, Int32(min(left, 3_600_000)))
        }
        return true
    }

    package var isInterrupted: Bool { flag.load(ordering: .sequentiallyConsistent) }
}
