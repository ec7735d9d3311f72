import Foundation

/// One to three servers and a PostgreSQL of their own: a place where things may be broken.
package final class Site: Sendable {
    package let postgres: PostgresServer
    package let database: Database
    package let servers: [Server]
    /// Where webhooks post to; nil: there are no journeys.
    package let desk: HookDesk?
    private let shims: [FaultShim]
    /// The servers' wall clocks; empty: they have the machine's.
    package let clocks: [FakeClock]
    /// Between clients and each server, and between the servers and PostgreSQL; empty: there is nothing to be cut.
    package let wires: [Wire]
    package let databaseWire: Wire?
    /// What the first server's data lies on, when it is to be filled.
    package let disk: SmallDisk?

    /// All are started and ready.
    ///
    /// - Parameters:
    ///   - faults: Load the library that makes system calls fail on demand.
    ///   - clocks: The servers' clocks can be stepped.
    ///   - wires: Connections can be cut.
    ///   - disk: The first server's data lies on a file system of so many megabytes (root only).
    ///   - journeys: `JourneyRules` are applied, and in force.
    package init(
        instances: Int = 1, limits: [String] = [], faults: Bool = false, clocks: Bool = false,
        wires: Bool = false,
        disk: Int? = nil, journeys: Bool = false
    ) throws {
        let postgres = try PostgresServer(durable: true)
        self.postgres = postgres
        database = try postgres.makeDatabase()
        shims = faults ? try (0..<instances).map { _ in try FaultShim() } : []
        self.clocks = clocks ? try (0..<instances).map { _ in try FakeClock() } : []
        databaseWire = wires ? try Wire { postgres.socketAddress } : nil
        desk = journeys ? try HookDesk() : nil
        var servers: [Server] = []
        for i in 0..<instances {
            var conninfo = database.conninfo
            if let databaseWire { conninfo = database.conninfo(over: databaseWire.port) }
            var options = ServerOptions(sources: Books.sources, database: conninfo)
            options.limits = limits
            if faults { options.environment = shims[i].environment }
            if clocks { options.environment = self.clocks[i].environment(options.environment) }
            servers.append(try Server(options))
        }
        self.disk = try disk.map { try SmallDisk(at: servers[0].data, megabytes: $0) }
        for server in servers { try server.start() }
        for server in servers { try server.awaitReady() }
        self.servers = servers
        self.wires = wires ? try servers.map { server in try Wire { server.addresses.first } } : []
        if let desk { try apply(JourneyRules.definitions(desk.url)) }
    }

    deinit {
        desk?.close()
        // Nobody writes to a disk that goes.
        if disk != nil { server.kill() }
    }

    package var server: Server { servers[0] }

    /// Clients that send to all servers.
    package func load(
        clients: Int = 6, seed: UInt64 = 1, pace: Double = 0.002, round: String = "r"
    ) -> Load {
        let (servers, wires) = (servers, wires)
        return Load(clients: clients, seed: seed, pace: pace, round: round, journeys: desk != nil) {
            servers.indices.flatMap { i -> [String] in
                guard servers[i].process?.isRunning == true else { return [] }
                return wires.isEmpty ? servers[i].addresses : [wires[i].address]
            }
        }
    }

    /// Brings journeys into force, on all servers.
    private func apply(_ definitions: String) throws {
        let folder = try Scratch.shared.newFolder("journeys")
        try writeFile("\(folder)/journeys.yaml", definitions)
        let (exit, output) = try server.command("journeys", "apply", folder)
        guard exit == .code(0) else { throw Failure("journeys apply: \(output)") }
        for (i, server) in servers.enumerated() {
            try eventually("the journeys are in force on server \(i)", within: 30, every: 0.2) {
                _ = try server.track(
                    #"{"source":{"id":"load-web"},"session":{"id":"probe-\#(i)"},"options":{"debugger":true},"#
                        + #""events":[{"type":"probe"}]}"#)
                return try database.count(
                    """
                    select count(*) from enrolment e where e.subject = (select person_of(s.profile_id) from session s
                        where s.id = $1)
                    """, "probe-\(i)") > 0
            }
        }
    }

    /// Makes a server's system calls fail, or work again.
    package func set(_ fault: FaultShim.Fault, server: Int = 0) throws { try shims[server].set(fault) }

    package var hasFaults: Bool { !shims.isEmpty }

    /// Everything that was broken runs again, and is ready.
    package func heal() throws {
        for shim in shims { try shim.set(.none) }
        for clock in clocks { try clock.set(0) }
        disk?.free()
        for wire in wires + [databaseWire].compactMap(\.self) { wire.flow() }
        try desk?.become(.well)
        postgres.thaw()
        try postgres.start()
        for server in servers {
            server.thaw()
            if server.process?.isRunning != true { try server.start() }
        }
        for server in servers { try server.awaitReady() }
    }

    /// What is broken of all that the clients were told, and of all that journeys had to do; nothing may be sent
    /// meanwhile.
    package func violations(of books: Books, within seconds: Double = 60) throws -> [String] {
        try heal()
        let found = try books.violations(in: database, within: seconds)
        guard let desk else { return found }
        return try found
            + Fires(round: books.round, books).violations(in: database, at: desk, within: seconds)
    }
}
