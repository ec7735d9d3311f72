import Foundations
import Glibc
import Logging
import Postgres

/// Makes the cluster on disk, and writes its settings: all that happens before the server is started.
struct Cluster {
    let layout: ClusterLayout
    let binaries: Binaries
    let owner: Owner

    /// The version of the cluster that is there; nil: there is none.
    static func major(_ layout: ClusterLayout) throws(EmbeddedError) -> Int? {
        guard let text = Files.read(layout.version) else {
            if Files.names(in: layout.cluster).isEmpty { return nil }
            throw EmbeddedError("\(layout.cluster) is not empty and no cluster of PostgreSQL (no PG_VERSION)")
        }
        let digits = text.prefix { $0.isNumber }
        guard let major = Int(digits) else {
            throw EmbeddedError("\(layout.version) has “\(text.prefix(20))” (expected a version such as 15)")
        }
        return major
    }

    /// Makes a cluster beside its place and moves it there when it is whole, so that an interrupted `initdb` is
    /// simply done again.
    func make(interrupter: Interrupter) throws {
        try Files.remove(layout.unfinished)
        try runInitdb(interrupter)
        try Files.remove(layout.cluster)
        try retrying("rename", layout.cluster) { rename(layout.unfinished, layout.cluster) }
        try Files.synchronizeFolder(layout.root)
    }

    /// Whoever reaches the socket is let in; over TCP, should the operator open it, nobody is by default.
    var initdb: [String] {
        [
            binaries.initdb, "-D", layout.unfinished, "-U", ClusterLayout.user, "-E", "UTF8",
            "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=reject", "--no-instructions",
        ]
    }

    private func runInitdb(_ interrupter: Interrupter) throws {
        let logPath = layout.log + "/initdb.log"
        let child = try start(initdb, log: logPath)
        while child.isRunning {
            guard interrupter.sleep(milliseconds: 20) else { continue }
            child.signalGroup(SIGTERM)
            let end = Clock.system.monotonic() + 2_000_000_000
            while child.isRunning, Clock.system.monotonic() < end { usleep(10_000) }
            child.signalGroup(SIGKILL)
            throw EmbeddedError("stopped while the cluster was being made")
        }
        guard child.hasSucceeded else {
            throw EmbeddedError("initdb \(child.ending): \(Files.tail(logPath))")
        }
    }

    /// Starts one of PostgreSQL's programs with its output in a file of its own.
    func start(_ arguments: [String], log path: String) throws -> Child {
        let log = try Files.openLog(path, owner: owner)
        return try Child(arguments, as: owner, reaching: layout.cluster, log: log)
    }

    /// What the server is started with. The socket and the port are not the operator's to change: we, and
    /// `waymark database`, rely on them.
    var command: [String] {
        [
            binaries.postgres, "-D", layout.cluster, "-c", "config_file=\(layout.settings)",
            "-k", layout.socket, "-p", "\(ClusterLayout.port)",
        ]
    }

    /// Writes our settings anew, so that those of a new release reach an old cluster.
    func writeSettings() throws {
        let wanted = Settings(layout: layout, major: binaries.major, compression: "on")
        try Files.write(wanted.text, to: layout.settings, owner: owner)
        guard binaries.major >= 15, try takes("wal_compression=lz4") else { return }
        let better = Settings(layout: layout, major: binaries.major, compression: "lz4")
        try Files.write(better.text, to: layout.settings, owner: owner)
    }

    /// Whether the server's binary was built so that it accepts a setting.
    private func takes(_ setting: String) throws -> Bool {
        let name = String(setting.prefix { $0 != "=" })
        let child = try start(command + ["-c", setting, "-C", name], log: layout.log + "/settings.log")
        let end = Clock.system.monotonic() + 5_000_000_000
        while child.isRunning {
            usleep(2000)
            guard Clock.system.monotonic() > end else { continue }
            child.signalGroup(SIGKILL)
            return false
        }
        return child.hasSucceeded
    }
}
