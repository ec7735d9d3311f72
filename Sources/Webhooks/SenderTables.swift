import Foundations
import Postgres

/// What servers that send read of each other and of the webhooks, about once a second.
enum SenderTables {
    /// How all webhooks are, with the definitions of those that were applied at another time than we know.
    static func statuses(
        _ known: [String: Timestamp], _ connection: Connection
    ) throws(PostgresError) -> [Errand.Outcome.Status] {
        let rows = try connection.execute(
            "select name, state, applied_at, failing_since, probe_at, changed_at from webhook",
            context: "reading webhooks")
        var statuses = (0..<rows.count).map { row in
            Errand.Outcome.Status(
                name: rows.string(row, 0),
                state: WebhookStatus.State(rawValue: rows.string(row, 1)) ?? .disabled,
                appliedAt: rows.timestamp(row, 2), failingSince: rows.timestampOrNil(row, 3),
                probeAt: rows.timestampOrNil(row, 4), changedAt: rows.timestamp(row, 5))
        }
        let new = statuses.filter { known[$0.name] != $0.appliedAt }.map(\.name)
        if new.isEmpty { return statuses }
        let texts = try connection.execute(
            "select name, definition from webhook where name = any($1)", new, context: "reading webhooks")
        var applied: [String: String] = [:]
        for row in 0..<texts.count { applied[texts.string(row, 0)] = texts.string(row, 1) }
        for i in statuses.indices { statuses[i].applied = applied[statuses[i].name] }
        return statuses
    }

    /// Says that we are there, and learns who else is.
    static func beat(
        _ id: UUID, host: String, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Claim.Share {
        try connection.execute(
            """
            insert into sender (id, host, seen_at) values ($1, $2, $3)
            on conflict (id) do update set seen_at = excluded.seen_at
            """, id, host, now, context: "saying that we send")
        try connection.execute("delete from sender where seen_at < $1", now.adding(seconds: -3600))
        let rows = try connection.execute(
            "select id from sender where seen_at > $1 order by id", now.adding(seconds: -10))
        let all = (0..<rows.count).map { rows.uuid($0, 0) }
        return Claim.Share(index: Int32(all.firstIndex(of: id) ?? 0), count: Int32(max(all.count, 1)))
    }
}
