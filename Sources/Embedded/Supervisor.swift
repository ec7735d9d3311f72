import Foundations
import Glibc
import Logging
import Postgres

/// Keeps the server running until it is interrupted: makes the cluster, starts it or adopts an orphan, waits until it
/// answers, watches it, and begins anew when it dies.
final class Supervisor {
    /// How long to wait before the next try, in milliseconds; the last one stays.
    private static let pauses = [100, 500, 1000, 2000, 5000, 10_000]
    /// A server that does not even say that it is starting, for so long, is stopped and started again.
    private static let silence: UInt64 = 30_000_000_000

    private let layout: ClusterLayout
    private let logger: Logger
    private let interrupter: Interrupter
    private let report: (EmbeddedPostgres.State) -> Void
    private var last = EmbeddedPostgres.State.stopped

    init(
        layout: ClusterLayout, logger: Logger, interrupter: Interrupter,
        report: @escaping (EmbeddedPostgres.State) -> Void
    ) {
        self.layout = layout
        self.logger = logger
        self.interrupter = interrupter
        self.report = report
    }

    /// Returns when it was interrupted and the server has stopped, for which it has `patience()` milliseconds.
    func run(patience: () -> Int) {
        var failures = 0
        change(.starting)
        while !interrupter.isInterrupted {
            var server: Postmaster?
            let begun = Clock.system.monotonic()
            do {
                try serve(&server)
            } catch {
                if !interrupter.isInterrupted { complain("\(error)") }
            }
            if let server, server.isRunning {
                server.stop(within: patience())
                logger.notice("embedded PostgreSQL has stopped", metadata: ["pid": "\(server.pid)"])
            }
            if Clock.system.monotonic() - begun > 60_000_000_000 { failures = 0 }
            _ = interrupter.sleep(milliseconds: Self.pauses[min(failures, Self.pauses.count - 1)])
            failures += 1
        }
        change(.stopped)
    }

    /// One life of the server: returns when interrupted, throws when it cannot be had or has died.
    private func serve(_ server: inout Postmaster?) throws {
        let cluster = try prepare()
        let running = try adopt(cluster) ?? launch(cluster)
        server = running
        try awaitAnswer(of: running)
        if interrupter.isInterrupted { return }
        logger.notice(
            "embedded PostgreSQL \(cluster.binaries.major) is ready", metadata: ["pid": "\(running.pid)"])
        change(.running(conninfo: layout.conninfo()))
        while running.isRunning {
            if interrupter.sleep(milliseconds: 200) { return }
        }
        throw EmbeddedError("the server \(running.ending); starting it again")
    }

    private func prepare() throws -> Cluster {
        try Files.makeFolders(layout.data)
        let owner = try Owner.find(cluster: layout.cluster)
        let major = try Cluster.major(layout)
        let binaries = try Binaries.choose(for: major, at: layout.cluster, from: Binaries.installed())
        try layout.prepare(owner: owner)
        let cluster = Cluster(layout: layout, binaries: binaries, owner: owner)
        if major == nil {
            logger.notice(
                "making a PostgreSQL \(binaries.major) cluster", metadata: ["path": "\(layout.cluster)"])
            try cluster.make(interrupter: interrupter)
        }
        try cluster.writeSettings()
        return cluster
    }

    private func launch(_ cluster: Cluster) throws -> Postmaster {
        Postmaster(try cluster.start(cluster.command, log: layout.log + "/startup.log"))
    }

    /// The orphan of an instance that was killed goes on with the settings as they are now.
    private func adopt(_ cluster: Cluster) -> Postmaster? {
        guard let orphan = Postmaster.orphan(of: layout) else { return nil }
        guard Postmaster.socket(of: layout) == layout.socket else {
            logger.notice("stopping a server that has another socket", metadata: ["pid": "\(orphan.pid)"])
            orphan.stop(within: 20_000)
            return nil
        }
        logger.notice("adopting the running server", metadata: ["pid": "\(orphan.pid)"])
        orphan.signal(SIGHUP)
        return orphan
    }

    /// Returns when the server answers and has our database, or when interrupted.
    private func awaitAnswer(of server: Postmaster) throws {
        var heard = Clock.system.monotonic()
        var told = heard
        while !interrupter.isInterrupted {
            guard server.isRunning else {
                let words = Files.tail(layout.log + "/startup.log")
                throw EmbeddedError(
                    "the server \(server.ending) at its start: \(words) (more in \(layout.log))")
            }
            do throws(PostgresError) {
                return try ensureDatabase()
            } catch {
                let now = Clock.system.monotonic()
                // Still starting, or recovering: however long that takes, it is not to be disturbed.
                if error.origin == .server || error.message.contains("the database system is") { heard = now }
                if now - heard > Self.silence {
                    throw EmbeddedError(
                        "the server (pid \(server.pid)) does not answer: \(error); starting it again")
                }
                if now - told > 10_000_000_000 {
                    logger.notice("waiting for the embedded PostgreSQL: \(error.message)")
                    told = now
                }
            }
            _ = interrupter.sleep(milliseconds: 50)
        }
    }

    private func ensureDatabase() throws(PostgresError) {
        let connection = try Connection(
            layout.conninfo(database: "postgres"), name: "waymark start", connectTimeout: 2000,
            deadline: 60_000,
            interrupter: interrupter)
        let found = try connection.execute(
            "select 1 from pg_database where datname = $1", ClusterLayout.database)
        if found.isEmpty {
            try connection.script(
                "create database \(ClusterLayout.database)", context: "creating the database")
        }
    }

    private func complain(_ reason: String) {
        if last != .failed(reason: reason) { logger.error("embedded PostgreSQL: \(reason)") }
        change(.failed(reason: reason))
    }

    private func change(_ state: EmbeddedPostgres.State) {
        guard state != last else { return }
        last = state
        report(state)
    }
}
