import Foundation

/// Seconds on a clock that never goes back.
package enum Moment {
    package static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// By how much all deadlines of tests are longer than they are written: code under a sanitizer is many times slower.
///
/// `WAYMARK_PATIENCE` says so. A deadline is there for what hangs, never for what is merely slow.
package let patience: Double = {
    ProcessInfo.processInfo.environment["WAYMARK_PATIENCE"].flatMap { Double($0) }.map { max(1, $0) } ?? 1
}()

/// Gives the processor away for a moment; only between two looks at something, never instead of a look.
package func pause(_ seconds: Double) { usleep(UInt32(seconds * 1e6)) }

/// Looks again and again until `look` finds something, which it returns.
///
/// - Throws: what `look` threw last, or a `Failure` that says what was waited for.
package func eventually<Found>(
    _ what: String, within seconds: Double = 60, every step: Double = 0.01, _ look: () throws -> Found?
) throws -> Found {
    let seconds = seconds * patience
    let deadline = Moment.now + seconds
    while true {
        let late = Moment.now >= deadline
        do {
            if let found = try look() { return found }
        } catch  where !late {
            // The other side may just be starting; the last look decides.
        }
        if late { throw Failure("not within \(seconds) s: \(what)") }
        pause(step)
    }
}

/// Waits until `look` is true.
package func eventually(
    _ what: String, within seconds: Double = 60, every step: Double = 0.01, holds look: () throws -> Bool
) throws {
    _ = try eventually(what, within: seconds, every: step) { try look() ? true : nil }
}

/// Runs both at the same time and returns what each gave.
package func together<A: Sendable, B: Sendable>(
    _ first: @escaping @Sendable () throws -> A, _ second: @escaping @Sendable () throws -> B
) throws -> (A, B) {
    nonisolated(unsafe) var other: Result<B, any Error>?  // owner: the thread, until `done`
    let done = DispatchSemaphore(value: 0)
    Thread {
        other = Result { try second() }
        done.signal()
    }.start()
    let mine = Result { try first() }
    done.wait()
    guard let other else { throw Failure("the second thread gave nothing") }
    return (try mine.get(), try other.get())
}
