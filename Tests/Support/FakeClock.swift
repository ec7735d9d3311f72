import Foundation

/// A server's wall clock, which a test steps forward and back while the server runs (libfaketime, Debian's `faketime`).
///
/// Only the wall clock is false: what is measured with the monotonic one goes on as it is.
package final class FakeClock: Sendable {
    private let file: String
    private let library: String

    package init() throws {
        file = Scratch.shared.newPath("clock")
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let paths = folders.filter { $0.hasSuffix("linux-gnu") }
            .map { "/usr/lib/\($0)/faketime/libfaketimeMT.so.1" }
        guard let path = paths.first(where: { access($0, R_OK) == 0 }) else {
            throw Failure("there is no libfaketime: Scripts/install faketime")
        }
        let correction = Scratch.shared.newPath("timers")
        try writeFile("\(correction).c", Self.correction)
        let built = try run([
            "/usr/bin/cc", "-shared", "-fPIC", "-O1", "-o", "\(correction).so", "\(correction).c",
        ])
        guard built.exit == .code(0) else { throw Failure("cc: \(built.output)") }
        library = "\(correction).so:\(path)"
        try set(0)
    }

    /// libfaketime moves every absolute timer by what the wall clock is off, also Dispatch's, which count by the
    /// monotonic clock: they would come an hour late, or all at once.
    private static let correction = """
        #include <sys/syscall.h>
        #include <sys/timerfd.h>
        #include <unistd.h>
        int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
            return syscall(SYS_timerfd_settime, fd, flags, new, old);
        }
        int timerfd_gettime(int fd, struct itimerspec *now) { return syscall(SYS_timerfd_gettime, fd, now); }
        """

    /// So many seconds before (below 0) or behind the machine's clock.
    package func set(_ seconds: Int) throws {
        try writeFile("\(file).new", (seconds < 0 ? "" : "+") + "\(seconds)\n")
        guard rename("\(file).new", file) == 0 else { throw Failure("rename \(file)") }
    }

    /// On top of what is loaded before the system's library anyway.
    package func environment(_ other: [String: String]) -> [String: String] {
        let libraries = [other["LD_PRELOAD"], library].compactMap(\.self).joined(separator: ":")
        let more = [
            "LD_PRELOAD": libraries, "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        ]
        return other.merging(more) { _, new in new }
    }
}
