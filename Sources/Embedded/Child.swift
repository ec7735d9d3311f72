private import CLinux
import Foundations
import Glibc

/// A program that we started: PostgreSQL's server, or one of its tools.
final class Child {
    let pid: Int32
    /// As `waitpid` gave it; nil while the program runs.
    private(set) var status: Int32?

    /// Starts `arguments[0]` as `owner`, in a session of its own, with its output in `log`.
    init(
        _ arguments: [String], as owner: Owner, reaching path: String, log: borrowing FileDescriptor
    ) throws(EmbeddedError) {
        let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/"]
        var step: UnsafePointer<CChar>?
        let output = log.raw
        let keepSearch = owner.isOther && !owner.canReach(path)
        let pid = withCArray(arguments) { arguments in
            withCArray(environment) { environment in
                var options = clinux_spawn_options(
                    path: arguments[0], arguments: arguments, environment: environment, output: output,
                    change_user: owner.isOther ? 1 : 0, uid: owner.uid, gid: owner.gid,
                    keep_search: keepSearch ? 1 : 0)
                return clinux_spawn(&options, &step)
            }
        }
        guard pid > 0 else {
            let error = SystemError(step.map { String(cString: $0) } ?? "starting", arguments[0])
            throw EmbeddedError(error)
        }
        self.pid = pid
    }

    /// Whether it still runs; takes its exit status when it does not.
    var isRunning: Bool {
        if status != nil { return false }
        var exit: Int32 = 0
        while true {
            switch waitpid(pid, &exit, WNOHANG) {
            case 0: return true
            case -1 where errno == EINTR: continue
            case -1: status = -1
            default: status = exit
            }
            return false
        }
    }

    var hasSucceeded: Bool { status == 0 }

    /// How it ended, for a log.
    var ending: String {
        guard let status, status >= 0 else { return "ended" }
        return status & 0x7f == 0
            ? "exited with \(status >> 8 & 0xff)" : "was killed by signal \(status & 0x7f)"
    }

    /// Signals it and all that it started in its session's first group.
    func signalGroup(_ number: Int32) { kill(-pid, number) }
}

/// Calls `body` with an array of C strings that ends with a null pointer.
private func withCArray<Result>(
    _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = texts.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { pointers in
        guard let base = pointers.baseAddress else {
            preconditionFailure("an array with an element has a base")
        }
        return body(base)
    }
}
