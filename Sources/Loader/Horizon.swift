import Enrolments
import Foundations
import Postgres

/// Up to when everything that was received, on whichever server, is loaded: what is decided by silence, such as the
/// end of a session, is decided up to here.
///
/// The slowest living server counts. A server lives that has said something in the last minute, counted by the clock of
/// who listens: the servers' own clocks may stand apart, or be stepped. Who has just begun to listen waits for all of
/// them for a minute; one that had been silent for a day then is none, until it speaks.
struct Horizon {
    struct Server: Equatable {
        let loadedUntil: Timestamp
        let aliveAt: Timestamp
        /// How often it has said that it lives while it was loading.
        var beats: Int64 = 0
        /// For people, and to know it again: host and instance.
        let name: String
    }

    /// What was heard of a server, and when (nil: nothing yet).
    private struct Word {
        var aliveAt: Timestamp
        var beats: Int64
        var heardAt: UInt64?

        init(_ server: Server, heardAt: UInt64?) {
            (aliveAt, beats, self.heardAt) = (server.aliveAt, server.beats, heardAt)
        }
    }

    private var words: [String: Word] = [:]
    private var listenedAt: UInt64?

    /// Nanoseconds of silence after which a server counts as gone.
    private static let patience: UInt64 = 60_000_000_000
    /// Microseconds of silence after which it is not even waited for by who begins to listen.
    private static let forgotten: Int64 = 86_400_000_000

    /// The database could not be reached: nobody could be heard.
    mutating func forget() { words = [:] }

    /// Takes note of what the servers say now.
    ///
    /// - Parameter now: Nanoseconds of the monotonic clock.
    /// - Returns: Nil: nobody is known to live. And whom it does not wait for.
    mutating func listen(
        to servers: [Server], at now: UInt64, wall: Timestamp
    ) -> (until: Timestamp?, absent: [AbsentServer]) {
        // Who was stopped for so long has heard nobody meanwhile.
        if let listenedAt, now - listenedAt > Self.patience / 2 { forget() }
        listenedAt = now
        var (known, until, absent) = ([String: Word](), Timestamp?.none, [AbsentServer]())
        for server in servers {
            let silent = wall.microseconds - server.aliveAt.microseconds
            var word =
                words[server.name]
                ?? Word(server, heardAt: silent < Self.forgotten ? now : nil)
            if (word.aliveAt, word.beats) != (server.aliveAt, server.beats) {
                word = Word(server, heardAt: now)
            }
            known[server.name] = word
            if let heardAt = word.heardAt, now - heardAt < Self.patience {
                until = min(until ?? server.loadedUntil, server.loadedUntil)
            } else if silent < Self.forgotten {
                absent.append(
                    AbsentServer(
                        name: server.name, loadedUntil: server.loadedUntil, silentSince: server.aliveAt))
            }
        }
        words = known
        // What comes next may have been received at that very moment, when a clock stands still or a record was cut.
        return (until?.adding(microseconds: -1), absent)
    }

    /// The servers' latest words. A server that began a new spool speaks by that.
    static func servers(_ connection: Connection) throws(PostgresError) -> [Server] {
        let rows = try connection.execute(
            """
            select distinct on (p.instance) p.loaded_until, p.alive_at, coalesce(h.beats, 0),
                p.host || ' (' || p.instance || ')'
            from spool_position p left join heartbeat h on h.instance = p.instance
            order by p.instance, p.alive_at desc
            """)
        return (0..<rows.count).map {
            Server(
                loadedUntil: rows.timestamp($0, 0), aliveAt: rows.timestamp($0, 1), beats: rows.int8($0, 2),
                name: rows.string($0, 3))
        }
    }
}
