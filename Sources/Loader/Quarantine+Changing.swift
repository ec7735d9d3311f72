import Foundations
import Postgres

extension Quarantine {
    /// How far a request for replays is.
    package struct Progress: Equatable, Sendable {
        /// Not done yet.
        package var waiting = 0
        /// What left the quarantine, by what became of it: `stored`, `duplicate`, `unsaved`, or `ran`: its journey did
        /// what it was kept from.
        package var done: [String: Int] = [:]
        /// What stays, by the reasons of now.
        package var kept: [String: Int] = [:]

        /// Stored, or run: what a replay is asked for.
        package var succeeded: Int { (done["stored"] ?? 0) + (done["ran"] ?? 0) }
        package init() {}
    }

    /// Asks for replays: some running server does them soon. How many are asked for now, those that were before
    /// included.
    ///
    /// `request`: names this request, so that `progress` can tell what became of it.
    package static func replay(
        _ filter: Filter, request: UUID, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Int {
        var condition = Condition(filter)
        let (name, time) = (condition.parameter(request), condition.parameter(now))
        return try inChunks(
            """
            update quarantine set request = \(name), requested_at = coalesce(requested_at, \(time))
            where id in (select id from quarantine where \(condition.sql) and request is distinct from \(name)
                order by id limit \(chunk))
            """, condition.parameters, connection, context: "asking for replays")
    }

    /// So many rows are locked at a time: a loader that stores replays of them must not wait for long.
    private static let chunk = 2000

    /// Runs a statement until it changes less than a chunk; how many rows it changed in all.
    private static func inChunks(
        _ sql: String, _ parameters: borrowing Parameters, _ connection: Connection, context: String
    ) throws(PostgresError) -> Int {
        var (total, failures) = (0, 0)
        while true {
            do throws(PostgresError) {
                let count = try connection.execute(sql, with: parameters, context: context).affected
                total += count
                if count < chunk { return total }
            } catch {
                // A loader's transaction may want the same rows in another order.
                failures += 1
                guard error.isRetryable, !error.isConnectionLost, failures < 5 else { throw error }
            }
        }
    }

    /// What became of a request so far.
    package static func progress(
        of request: UUID, _ connection: Connection
    ) throws(PostgresError) -> Progress {
        let rows = try connection.execute(
            """
            select case when requested_at is not null then 0 else 1 end, reason, count(*) from quarantine
            where request = $1 group by 1, 2
            union all select 2, outcome, count(*) from replay where request = $1 group by 1, 2
            """, request, context: "asking what became of replays")
        var progress = Progress()
        for row in 0..<rows.count {
            let (word, count) = (rows.string(row, 1), rows.int(row, 2))
            switch rows.int(row, 0) {
            case 0: progress.waiting += count
            case 1: progress.kept[word, default: 0] += count
            default: progress.done[word, default: 0] += count
            }
        }
        return progress
    }

    /// Deletes events for good; how many. The ledger goes on counting them as quarantined.
    package static func drop(_ filter: Filter, _ connection: Connection) throws(PostgresError) -> Int {
        let condition = Condition(filter)
        return try inChunks(
            """
            delete from quarantine
            where id in (select id from quarantine where \(condition.sql) order by id limit \(chunk))
            """, condition.parameters, connection, context: "dropping from the quarantine")
    }

    /// How many servers are alive: somebody has to do what is asked for.
    package static func livingServers(_ connection: Connection) throws(PostgresError) -> Int {
        try connection.execute(
            "select count(*) from spool_position where alive_at > now() - interval '15 s'"
        ).int(0, 0)
    }

    /// Ends replays that did not help: the rows stay, with the reasons of now.
    static func keep(_ rows: [Kept], at now: Timestamp, _ connection: Connection) throws(PostgresError) {
        if rows.isEmpty { return }
        var details = ArrayColumn(of: JSONText.self)
        for row in rows {
            var detail = row.detail
            detail.withUTF8 { details.append(JSONText(Bytes($0))) }
        }
        var parameters = Parameters()
        parameters.append(rows.map(\.id))
        parameters.append(rows.map(\.reason))
        parameters.append(rows.map { $0.pointer.isEmpty ? nil : $0.pointer })
        parameters.append(details)
        parameters.append(now)
        try connection.execute(
            """
            update quarantine q set reason = n.reason, pointer = n.pointer, detail = n.detail, requested_at = null,
                claimed_at = null, claimed_by = null, attempts = q.attempts + 1, replayed_at = $5
            from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[]) as n(id, reason, pointer, detail)
            where q.id = n.id and q.requested_at is not null
            """, with: parameters, context: "keeping in the quarantine")
    }
}
