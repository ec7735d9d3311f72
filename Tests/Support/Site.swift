import Foundation

/// One to three servers and a PostgreSQL of their own: a place where things may be broken.
package final class Site: Sendable {
    package let postgres: PostgresServer
    package let database: Database
    package let servers: [Server]
    private let shims: [FaultShim]

    /// All are started and ready.
    ///
    /// - Parameter faults: Load the library that makes system calls fail on demand.
    package init(instances: Int = 1, limits: [String] = [], faults: Bool = false) throws {
        postgres = try PostgresServer(durable: true)
        database = try postgres.makeDatabase()
        shims = faults ? try (0..<instances).map { _ in try FaultShim() } : []
        var servers: [Server] = []
        for i in 0..<instances {
            var options = ServerOptions(sources: Books.sources, database: database.conninfo)
            options.limits = limits
            if faults { options.environment = shims[i].environment }
            servers.append(try Server.ready(options))
        }
        self.servers = servers
    }

    package var server: Server { servers[0] }

    /// Clients that send to all servers.
    package func load(
        clients: Int = 6, seed: UInt64 = 1, pace: Double = 0.002, round: String = "r"
    ) -> Load {
        let servers = self.servers
        return Load(clients: clients, seed: seed, pace: pace, round: round) {
            servers.flatMap { $0.process?.isRunning == true ? $0.addresses : [] }
        }
    }

    /// Makes a server's system calls fail, or work again.
    package func set(_ fault: FaultShim.Fault, server: Int = 0) throws { try shims[server].set(fault) }

    /// Everything that was broken runs again, and is ready.
    package func heal() throws {
        for shim in shims { try shim.set(.none) }
        postgres.thaw()
        try postgres.start()
        for server in servers {
            server.thaw()
            if server.process?.isRunning != true { try server.start() }
        }
        for server in servers { try server.awaitReady() }
    }

    /// What is broken of all that the clients were told; nothing may be sent meanwhile.
    package func violations(of books: Books, within seconds: Double = 60) throws -> [String] {
        try heal()
        return try books.violations(in: database, within: seconds)
    }
}
