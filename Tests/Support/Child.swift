import Foundation

/// A program that a test started; it is ended, by its id, when the test process ends in whatever way.
///
/// Its standard output and error go to a file, so that a child that was killed leaves all it said.
package final class Child: @unchecked Sendable {  // `ended` is owned by whoever holds `lock`
    package let pid: pid_t
    /// Where its standard output and error go.
    package let output: String
    private let lock = NSLock()
    private var ended: Exit?

    package enum Exit: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    /// Starts `command`, with `environment` on top of our own; `user`: as whom (nil: as ourselves).
    package init(
        _ command: [String], environment: [String: String] = [:], user: String? = nil, output: String
    ) throws {
        var words = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
        if let user { words += ["--reuid", user, "--regid", user, "--clear-groups"] }
        words += ["--"] + command
        let merged = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        self.output = output
        pid = try Nursery.shared.spawn(words, merged.map { "\($0)=\($1)" }, output)
    }

    /// What it has said so far.
    package var said: String { (try? String(decoding: readFile(output), as: UTF8.self)) ?? "" }

    package var isRunning: Bool { exit(within: 0) == nil }

    /// Sends a signal; nothing happens when it has ended, so that a reused id is never hit.
    package func signal(_ number: Int32) {
        lock.withLock {
            if reap() == nil { kill(pid, number) }
        }
    }

    /// How it ended; nil when it still runs after so many seconds.
    package func exit(within seconds: Double) -> Exit? {
        let deadline = Moment.now + seconds
        while true {
            if let exit = lock.withLock({ reap() }) { return exit }
            if Moment.now >= deadline { return nil }
            pause(0.002)
        }
    }

    /// Ends it without mercy and waits until it is gone.
    package func end() {
        signal(SIGKILL)
        signal(SIGCONT)
        _ = exit(within: 10)
    }

    private func reap() -> Exit? {
        if let ended { return ended }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        let signal = status & 0x7f
        ended = signal == 0 ? .code(status >> 8 & 0xff) : .signal(signal)
        Nursery.shared.forget(pid)
        return ended
    }
}

/// Runs a program to its end and returns how it ended and what it said.
@discardableResult
package func run(
    _ command: [String], environment: [String: String] = [:], user: String? = nil,
    within seconds: Double = 120
) throws -> (exit: Child.Exit, output: String) {
    let output = Scratch.shared.newPath("run")
    let child = try Child(command, environment: environment, user: user, output: output)
    defer { unlink(output) }
    let seconds = seconds * patience
    guard let exit = child.exit(within: seconds) else {
        child.end()
        throw Failure("\(command.joined(separator: " ")) did not end within \(seconds) s: \(child.said)")
    }
    return (exit, child.said)
}

/// The processes below `pid`, of all generations.
package func descendants(of pid: pid_t) -> [pid_t] {
    let text = (try? readFile("/proc/\(pid)/task/\(pid)/children")).map {
        String(decoding: $0, as: UTF8.self)
    }
    let children = (text ?? "").split(separator: " ").compactMap { pid_t($0) }
    return children + children.flatMap { descendants(of: $0) }
}

/// Those that work in a folder, whoever their parent is.
package func processes(in folder: String) -> [pid_t] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { pid_t($0) }.filter { pid in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")) == folder
    }
}
