import Foundations
import Glibc

/// A running PostgreSQL server: our child, or the orphan of an instance that was killed.
final class Postmaster {
    let pid: pid_t
    private let child: Child?
    /// When an orphan was started, in the kernel's ticks: its pid may be somebody else's by now.
    private let started: String?

    init(_ child: Child) {
        self.child = child
        pid = child.pid
        started = nil
    }

    private init(orphan pid: pid_t, started: String) {
        self.pid = pid
        self.started = started
        child = nil
    }

    var isRunning: Bool {
        if let child { return child.isRunning }
        return Process(pid)?.started == started
    }

    var ending: String { child?.ending ?? "ended" }

    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Fast shutdown (SIGINT), after `milliseconds` an immediate one (SIGQUIT), five seconds later SIGKILL.
    func stop(within milliseconds: Int) {
        for (number, patience) in [(SIGINT, milliseconds), (SIGQUIT, 5000), (SIGKILL, 5000)] {
            signal(number)
            let end = Clock.system.monotonic() + UInt64(max(patience, 0)) * 1_000_000
            while isRunning {
                if Clock.system.monotonic() >= end { break }
                usleep(10_000)
            }
            if !isRunning { return }
        }
    }
}

extension Postmaster {
    /// The server that runs on this cluster already; nil: none does.
    ///
    /// A pid file that a reboot left, whose pid now belongs to another program of the same user, would keep
    /// PostgreSQL from starting: it is removed.
    static func orphan(of layout: ClusterLayout) -> Postmaster? {
        guard let text = Files.read(layout.pidFile), let line = text.split(separator: "\n").first,
            let pid = pid_t(line.filter { $0.isNumber }), let process = Process(pid)
        else { return nil }
        if process.arguments.contains(layout.cluster), process.name == "postgres" {
            return Postmaster(orphan: pid, started: process.started)
        }
        if process.name != "postgres" { unlink(layout.pidFile) }
        return nil
    }

    /// Where a running server has its socket: the fifth line of its pid file.
    static func socket(of layout: ClusterLayout) -> String? {
        let lines = (Files.read(layout.pidFile) ?? "").split(
            separator: "\n", omittingEmptySubsequences: false)
        return lines.count > 4 ? String(lines[4]) : nil
    }
}

/// What `/proc` tells of a process that lives (a zombie does not).
private struct Process {
    let name: String
    let started: String
    let arguments: [String]

    init?(_ pid: pid_t) {
        // pid (name) state ppid …; the name may hold spaces and parentheses. Field 22 is the start.
        guard let stat = Files.read("/proc/\(pid)/stat"), let open = stat.firstIndex(of: "("),
            let close = stat.lastIndex(of: ")")
        else { return nil }
        name = String(stat[stat.index(after: open)..<close])
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        started = String(fields[19])
        let line = Files.read("/proc/\(pid)/cmdline") ?? ""
        arguments = line.split(separator: "\0").map(String.init)
    }
}
