import Foundation

/// What can go wrong at a `Site` under load; each is over, or will be over, when `perform` returns.
package enum Calamity: String, CaseIterable, Sendable {
    case killServer, terminateServer, freezeServer, tornTail
    case killPostgres, stopPostgres, freezePostgres
    case killBoth, reload, syncFails, diskFull

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
        }
    }

    private func restart(_ server: Server) throws { try server.start() }
}
