import Dispatch
import Enrolments
import Foundations
import Logging
import Postgres

/// What keeps the tables in order, on a connection of its own and never in the loader's way: the table `source` says
/// what the configuration says, and client ids and enrolments whose time is over are forgotten, bucket by bucket, once a
/// day.
///
/// Any number of servers may do it at once; each statement is short, and a repeat does nothing.
package final class Maintenance: @unchecked Sendable {  // owner of all `var`s: `queue`
    private let queue = DispatchQueue(label: "waymark.maintenance", qos: .background)
    private let timer: any DispatchSourceTimer
    private let interrupter = Interrupter()
    private let logger: Logger
    private let clock: Clock
    /// Days for which client-given event ids are unique; nil: for ever.
    private let days: Int?
    private var conninfo: String?
    private var doneOn: Int64?
    private var sources: [Source]
    private var areSourcesWritten = false

    package init(deduplicateDays days: Int?, sources: [Source], clock: Clock = .system, logger: Logger) {
        self.days = days
        self.sources = sources
        self.clock = clock
        self.logger = logger
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + 5, repeating: 60)
        timer.setEventHandler { [weak self] in self?.run() }
        timer.resume()
    }

    /// Says where PostgreSQL is; nil: nowhere at the moment.
    package func use(_ conninfo: String?) { queue.async { self.conninfo = conninfo } }

    /// The configuration was read again.
    package func keep(_ sources: [Source]) {
        queue.async {
            self.sources = sources
            self.areSourcesWritten = false
            self.run()
        }
    }

    package func stop() {
        timer.cancel()
        interrupter.interrupt()
    }

    private func run() {
        let today = clock.now().day
        guard let conninfo, !areSourcesWritten || doneOn != today else { return }
        do throws(PostgresError) {
            let connection = try Connection(conninfo, name: "waymark maintenance", interrupter: interrupter)
            defer { connection.close() }
            try connection.keepStatements()
            try Self.write(sources, at: clock.now(), connection)
            areSourcesWritten = true
            guard doneOn != today else { return }
            let forgotten = try days.map { days throws(PostgresError) in
                try Self.forgetKeys(olderThan: today - Int64(days), connection)
            }
            let enrolments = try Forgetting.forget(at: clock.now(), connection)
            doneOn = today
            if let forgotten, forgotten > 0 {
                logger.info("client ids forgotten", metadata: ["count": "\(forgotten)"])
            }
            if enrolments > 0 {
                logger.info("old enrolments forgotten", metadata: ["count": "\(enrolments)"])
            }
        } catch {
            if error.origin != .interrupted {
                logger.warning("maintenance is tried again later", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Writes the rows of `source` that differ. Sources that are configured no more stay: their events do.
    static func write(_ sources: [Source], at now: Timestamp, _ connection: Connection) throws(PostgresError)
    {
        let sources = sources.sorted { $0.id < $1.id }
        let kinds = sources.map { $0.kinds.map(\.rawValue).sorted().joined(separator: ",") }
        try connection.execute(
            """
            insert into source as s (id, name, kinds, enabled, configured_at)
            select id, name, string_to_array(kinds, ','), enabled, $5
            from unnest($1::text[], $2::text[], $3::text[], $4::bool[]) as q(id, name, kinds, enabled)
            on conflict (id) do update set name = excluded.name, kinds = excluded.kinds, enabled = excluded.enabled,
                configured_at = excluded.configured_at
            where (s.name, s.kinds, s.enabled) is distinct from (excluded.name, excluded.kinds, excluded.enabled)
            """, sources.map(\.id), sources.map(\.name), kinds, sources.map(\.enabled), now)
    }

    /// Deletes the keys that were taken before `day` (days since 1970); how many there were.
    static func forgetKeys(olderThan day: Int64, _ connection: Connection) throws(PostgresError) -> Int {
        var count = 0
        for bucket in Int32(0)..<4096 {
            count += try connection.execute(
                "delete from event_key where bucket = $1 and day < $2", bucket, Int32(day)
            ).affected
        }
        return count
    }
}
