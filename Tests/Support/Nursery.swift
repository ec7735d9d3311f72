import Foundation

/// The one thread that all children are born on.
///
/// A child asks the kernel to be killed when its parent goes (`PR_SET_PDEATHSIG`), and the kernel's parent is a
/// thread: a worker thread that comes and goes would take living children with it.
final class Nursery: @unchecked Sendable {  // `waiting` and `alive` are owned by whoever holds `condition`
    static let shared = Nursery()

    private let condition = NSCondition()
    private var waiting: [() -> Void] = []
    private var alive: Set<pid_t> = []

    private init() {
        Thread { [self] in work() }.start()
        atexit { Nursery.shared.endAll() }
    }

    func spawn(_ words: [String], _ environment: [String], _ output: String) throws -> pid_t {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var result: Result<pid_t, Failure>?  // the thread's, until `done`
        condition.withLock {
            waiting.append { [self] in
                result = spawnHere(words, environment, output)
                done.signal()
            }
            condition.signal()
        }
        done.wait()
        guard let result else { throw Failure("not started") }
        return try result.get()
    }

    func forget(_ pid: pid_t) { _ = condition.withLock { alive.remove(pid) } }

    private func work() {
        while true {
            let next: () -> Void = condition.withLock {
                while waiting.isEmpty { condition.wait() }
                return waiting.removeFirst()
            }
            next()
        }
    }

    private func spawnHere(
        _ words: [String], _ environment: [String], _ output: String
    ) -> Result<pid_t, Failure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // An accepted socket that a child had as well would stay open when we close it. (One that is none is ignored.)
        for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Its own group (a Ctrl-C is ours to pass on), and no signal masked or ignored as a test runner may have it.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, words[0], &actions, &attributes, &arguments, &variables)
        guard code == 0 else { return .failure(Failure("\(words[0]): \(String(cString: strerror(code)))")) }
        _ = condition.withLock { alive.insert(pid) }
        return .success(pid)
    }

    private func endAll() {
        let left = condition.withLock { alive }
        for pid in left {
            kill(pid, SIGKILL)
            kill(pid, SIGCONT)
        }
        for pid in left { waitpid(pid, nil, 0) }
        Scratch.shared.removeAll()
    }
}
