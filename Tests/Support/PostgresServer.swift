import Foundation

/// A private PostgreSQL for tests: a real cluster on a Unix socket, which may be killed, stopped and frozen.
package final class PostgresServer: @unchecked Sendable {  // `child` is owned by whoever holds `lock`
    /// One for each test process, for suites that do not break it.
    package static let shared = Result { try PostgresServer() }

    package let folder: String
    /// The folder of its socket; a child of `/tmp`, since a socket's path is short.
    package let socket: String
    private let lock = NSLock()
    private var child: Child?
    /// As whom PostgreSQL runs, which refuses to be root; nil: as ourselves.
    static let user: String? = getuid() == 0 ? "postgres" : nil

    /// `durable: false` saves the tests the syncs of a database that nobody breaks.
    package init(durable: Bool = false) throws {
        folder = Scratch.shared.newPath("postgres")
        socket = folder
        guard mkdir(folder, 0o700) == 0 else { throw Failure("mkdir \(folder)") }
        if let user = Self.user { try run(["/bin/chown", user, folder]) }
        let made = try run(
            [
                Self.program("initdb"), "-D", "\(folder)/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "-N",
            ], user: Self.user)
        guard made.exit == .code(0) else { throw Failure("initdb: \(made.output)") }
        chmod(folder, 0o755)
        // As the embedded one: compiling the queries of wide views takes seconds.
        settings = ["-c", durable ? "fsync=on" : "fsync=off", "-c", "jit=off"]
        try start()
    }

    private let settings: [String]

    private static func program(_ name: String) -> String {
        let installed = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newest = installed.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
        let paths = newest.map { "/usr/lib/postgresql/\($0)/bin/\(name)" } + ["/usr/bin/\(name)"]
        return paths.first { access($0, X_OK) == 0 } ?? name
    }

    /// Starts it and waits until it takes connections. After a kill it recovers first, by itself.
    package func start() throws {
        let command =
            [
                Self.program("postgres"), "-D", "\(folder)/data", "-k", socket, "-c", "listen_addresses=",
                "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "max_wal_size=1GB",
            ] + settings
        let log = Scratch.shared.newPath("postgres.log")
        _ = try eventually("PostgreSQL runs", within: 120, every: 0.05) { () throws -> Bool? in
            // What the killed one shared in memory may linger for a moment, and then it ends at once.
            let running = try lock.withLock {
                if let child, child.isRunning { return child }
                let new = try Child(command, user: Self.user, output: log)
                child = new
                return new
            }
            return (try? Database(conninfo: conninfo(of: "postgres")).value("select 1")) != nil
                && running.isRunning
                ? true : nil
        }
    }

    private var running: Child? { lock.withLock { child } }

    /// All its processes die at once. One that was just being forked would stay, waiting for a lock that nobody gives
    /// back, and no new server could start.
    package func kill() {
        guard let running else { return }
        let family = descendants(of: running.pid)
        running.signal(SIGKILL)
        for pid in family { Foundation.kill(pid, SIGKILL) }
        _ = running.exit(within: 10)
        for pid in processes(in: "\(folder)/data") { Foundation.kill(pid, SIGKILL) }
    }

    /// An orderly, fast stop: connections are cut.
    package func stop() {
        running?.signal(SIGINT)
        if running?.exit(within: 60) == nil { kill() }
    }

    /// All its processes stand still: connections stay open and nothing answers.
    package func freeze() {
        guard let running else { return }
        running.signal(SIGSTOP)
        for pid in descendants(of: running.pid) { Foundation.kill(pid, SIGSTOP) }
    }

    package func thaw() {
        guard let running else { return }
        for pid in descendants(of: running.pid) { Foundation.kill(pid, SIGCONT) }
        running.signal(SIGCONT)
    }

    /// Where it listens, for those who connect by themselves.
    package var socketAddress: String { "unix:\(socket)/.s.PGSQL.5432" }

    package func conninfo(of database: String) -> String {
        "postgresql:///\(database)?host=\(socket)&user=postgres"
    }

    /// A new, empty database.
    package func makeDatabase() throws -> Database {
        let name = "waymark_\(UInt32.random(in: .min ... .max))"
        try Database(conninfo: conninfo(of: "postgres")).run("create database \(name)")
        return Database(conninfo: conninfo(of: name))
    }
}
