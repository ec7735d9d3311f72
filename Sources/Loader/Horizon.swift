import Enrolments
import Foundations
import Postgres

/// Up to when everything that was received, on whichever server, is loaded: what is decided by silence, such as the
/// end of a session, is decided up to here.
///
/// The slowest living server counts. One that was silent for a minute in which the database could be reached is no
/// longer waited for.
enum Horizon {
    struct Server: Equatable {
        let loadedUntil: Timestamp
        let aliveAt: Timestamp
        /// For people: host and instance.
        var name = ""
    }

    /// Microseconds of silence after which a server counts as gone …
    static let patience: Int64 = 60_000_000
    /// … and after which it is not even waited for when the database has just come back.
    private static let forgotten: Int64 = 86_400_000_000

    /// Nil: not known yet. `reachable`: for how long the database could be reached by who asks, in microseconds.
    static func moment(_ servers: [Server], now: Timestamp, reachable: Int64) -> Timestamp? {
        var least: Timestamp?
        for server in servers {
            let silent = now.microseconds - server.aliveAt.microseconds
            if silent < patience {
                least = min(least ?? server.loadedUntil, server.loadedUntil)
            } else if silent < forgotten, reachable < patience {
                // All were silent while the database was away: it may come back.
                return nil
            }
        }
        return least
    }

    /// Whom `moment` does not wait for. One that was silent for a day is no server any more.
    static func absent(_ servers: [Server], now: Timestamp) -> [AbsentServer] {
        servers.compactMap { server in
            let silent = now.microseconds - server.aliveAt.microseconds
            guard silent >= patience, silent < forgotten else { return nil }
            return AbsentServer(
                name: server.name, loadedUntil: server.loadedUntil, silentSince: server.aliveAt)
        }
    }

    /// The servers' latest words. A server that began a new spool speaks by that.
    static func servers(_ connection: Connection) throws(PostgresError) -> [Server] {
        let rows = try connection.execute(
            """
            select distinct on (instance) loaded_until, alive_at, host || ' (' || instance || ')' from spool_position
            order by instance, alive_at desc
            """)
        return (0..<rows.count).map {
            Server(
                loadedUntil: rows.timestamp($0, 0), aliveAt: rows.timestamp($0, 1), name: rows.string($0, 2))
        }
    }
}
