import Foundation

/// What can go wrong at a `Site` under load; each is over, or will be over, when `perform` returns.
package enum Calamity: String, CaseIterable, Sendable {
    case killServer, terminateServer, freezeServer, tornTail
    case killPostgres, stopPostgres, freezePostgres
    case killBoth, reload, syncFails, diskFull
    case stepClock, cutClients, cutDatabase, stallDatabase, endBackends, breakReceiver, fillDisk

    /// Those that a site is made for.
    package static func possible(at site: Site) -> [Calamity] {
        allCases.filter { calamity in
            switch calamity {
            case .syncFails, .diskFull: site.hasFaults
            case .stepClock: !site.clocks.isEmpty
            case .cutClients: !site.wires.isEmpty
            case .cutDatabase, .stallDatabase: site.databaseWire != nil
            case .breakReceiver: site.desk != nil
            case .fillDisk: site.disk != nil
            default: true
            }
        }
    }

    /// Does it, and returns what was done in words.
    package func perform(at site: Site, _ random: inout SeededRandom) throws -> String {
        let index = Int.random(in: 0..<site.servers.count, using: &random)
        let server = site.servers[index]
        let seconds = Double.random(in: 0.2...3, using: &random)
        let time = String(format: "%.1f s", seconds)
        switch self {
        case .killServer:
            server.kill()
            try restart(server)
            return "server \(index) killed and started"
        case .terminateServer:
            guard server.terminate() == .code(0) else {
                throw Failure("server \(index) did not end well on SIGTERM: \(server.log.suffix(1000))")
            }
            try restart(server)
            return "server \(index) terminated and started"
        case .freezeServer:
            server.freeze()
            pause(seconds)
            server.thaw()
            return "server \(index) frozen for \(time)"
        case .tornTail:
            server.kill()
            // Only behind the end: what stands before it may have been promised.
            try SpoolFiles(of: server).damageTail(.followed)
            try restart(server)
            return "server \(index) killed, garbage behind its last record"
        case .killPostgres:
            site.postgres.kill()
            pause(seconds / 3)
            try site.postgres.start()
            return "PostgreSQL killed and started"
        case .stopPostgres:
            site.postgres.stop()
            pause(seconds)
            try site.postgres.start()
            return "PostgreSQL stopped for \(time)"
        case .freezePostgres:
            site.postgres.freeze()
            pause(seconds)
            site.postgres.thaw()
            return "PostgreSQL frozen for \(time)"
        case .killBoth:
            site.postgres.kill()
            server.kill()
            try restart(server)
            pause(seconds / 2)
            try site.postgres.start()
            return "server \(index) and PostgreSQL killed and started"
        case .reload:
            server.reload()
            return "server \(index) reloaded"
        case .syncFails, .diskFull:
            try site.set(self == .syncFails ? .syncFails : .diskFull, server: index)
            pause(seconds / 3)
            if random.chance(30) {
                server.kill()
                try site.set(.none, server: index)
                try restart(server)
                return "server \(index): \(rawValue), then killed and started"
            }
            try site.set(.none, server: index)
            return "server \(index): \(rawValue)"
        default: return try performMore(at: site, index, seconds, &random)
        }
    }

    private func performMore(
        at site: Site, _ index: Int, _ seconds: Double, _ random: inout SeededRandom
    ) throws -> String {
        let time = String(format: "%.1f s", seconds)
        switch self {
        case .stepClock:
            // Mostly as somebody corrects a clock; now and then further than servers wait for each other.
            let step = Int.random(in: random.chance(10) ? 65...100 : 1...20, using: &random)
            let offset = random.chance(50) ? step : -step
            try site.clocks[index].set(offset)
            return "server \(index): the clock stands \(abs(offset)) s \(offset < 0 ? "behind" : "ahead")"
        case .cutClients:
            site.wires[index].cut()
            return "connections of clients to server \(index) cut"
        case .cutDatabase:
            site.databaseWire?.cut()
            return "connections to PostgreSQL cut"
        case .stallDatabase:
            site.databaseWire?.stall()
            pause(seconds)
            // They may never hear of each other again: what was under way is lost, and new connections work.
            if random.chance(50) { site.databaseWire?.cut() }
            site.databaseWire?.flow()
            return "nothing went to or from PostgreSQL for \(time)"
        case .endBackends:
            // It may be away itself.
            let count = try? site.database.count(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where application_name like 'waymark%' and pid % 2 = $1::int
                """, "\(Int.random(in: 0...1, using: &random))")
            return "\(count ?? 0) sessions ended by PostgreSQL"
        case .breakReceiver:
            let mood = HookDesk.Mood.allCases.randomElement(using: &random) ?? .away
            try site.desk?.become(mood)
            pause(seconds)
            // Or it stays so, until it is broken in another way or all is healed.
            if random.chance(60) { try site.desk?.become(.well) }
            return "the receiver: \(mood) for \(time) or more"
        case .fillDisk:
            site.disk?.fill()
            pause(seconds)
            if random.chance(30) {
                // It starts on a full disk, or gives up.
                site.server.kill()
                try site.server.launch()
                pause(seconds / 2)
            }
            site.disk?.free()
            if site.server.addresses.isEmpty {
                site.server.kill()
                try restart(site.server)
            }
            return "the disk of server 0 was full for \(time)"
        default: return rawValue
        }
    }

    private func restart(_ server: Server) throws { try server.start() }
}
