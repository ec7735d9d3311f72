import Foundations
import Postgres

/// The table `alert`, and what a mail must know of `webhook` and `delivery`.
enum AlertStore {
    struct Candidate {
        var facts: AlertFacts
        var definition: String
        var figures: AlertPlan.Figures
        var memory: AlertPlan.Memory
        var tryAt: Timestamp?
        var tries: Int
        var error: String?
    }

    /// Webhooks about which there is something to say, perhaps not yet.
    static func candidates(_ connection: Connection) throws(PostgresError) -> [Candidate] {
        let rows = try connection.execute(
            """
            select w.name, w.definition, w.state, w.reason, w.failures, w.failing_since, w.last_success_at,
                w.failure_status, w.failure_error, w.failure_excerpt, a.mailed_at, coalesce(a.mailed_failures, 0),
                a.recovery_at, coalesce(a.is_failing, false), a.try_at, coalesce(a.tries, 0), a.error,
                w.last_failure_at, case when w.state = 'disabled' then w.changed_at end
            from webhook w left join alert a on a.webhook = w.name
            where w.failures > coalesce(a.mailed_failures, 0) or a.is_failing
                or w.state = 'disabled' and (a.mailed_at is null or w.changed_at > a.mailed_at)
            """, context: "looking for alerts")
        return (0..<rows.count).map { row in
            var facts = AlertFacts(
                webhook: rows.string(row, 0), label: rows.string(row, 0), state: rows.string(row, 2))
            facts.reason = rows.stringOrNil(row, 3)
            facts.failingSince = rows.timestampOrNil(row, 5)
            facts.lastSuccessAt = rows.timestampOrNil(row, 6)
            facts.lastStatus = rows.isNull(row, 7) ? nil : Int(rows.int4(row, 7))
            facts.lastError = rows.stringOrNil(row, 8)
            facts.lastExcerpt = rows.stringOrNil(row, 9)
            facts.lastFailureAt = rows.timestampOrNil(row, 17)
            var memory = AlertPlan.Memory()
            memory.mailedAt = rows.timestampOrNil(row, 10)
            memory.mailedFailures = Int(rows.int8(row, 11))
            memory.recoveryAt = rows.timestampOrNil(row, 12)
            memory.isFailing = rows.bool(row, 13)
            return Candidate(
                facts: facts, definition: rows.string(row, 1),
                figures: AlertPlan.Figures(
                    failures: Int(rows.int8(row, 4)), failingSince: facts.failingSince,
                    disabledAt: rows.timestampOrNil(row, 18)),
                memory: memory, tryAt: rows.timestampOrNil(row, 14), tries: Int(rows.int4(row, 15)),
                error: rows.stringOrNil(row, 16))
        }
    }

    static func definitions(
        of webhooks: [String], _ connection: Connection
    ) throws(PostgresError) -> [String: String] {
        let rows = try connection.execute(
            "select name, definition from webhook where name = any($1)", webhooks,
            context: "looking for alerts")
        return Dictionary(
            (0..<rows.count).map { (rows.string($0, 0), rows.string($0, 1)) }, uniquingKeysWith: { $1 })
    }

    /// What is counted only for a mail that goes out.
    static func complete(_ facts: inout AlertFacts, _ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            """
            select count(*) filter (where state <> 'failed'), min(created_at) filter (where state <> 'failed'),
                count(*) filter (where state = 'failed')
            from delivery where webhook = $1 and state in ('queued', 'batched', 'failed')
            """, facts.webhook, context: "counting what waits")
        facts.waiting = Int(rows.int8(0, 0))
        facts.oldestWaiting = rows.timestampOrNil(0, 1)
        facts.failed = Int(rows.int8(0, 2))
    }

    /// Takes the next mail about a webhook; false: another server has it.
    static func take(
        _ webhook: String, until: Timestamp, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        try connection.execute(
            "insert into alert (webhook, try_at) values ($1, $2) on conflict (webhook) do nothing", webhook,
            now,
            context: "taking an alert")
        return try connection.execute(
            "update alert set try_at = $2, tries = tries + 1 where webhook = $1 and try_at <= $3", webhook,
            until,
            now, context: "taking an alert"
        ).affected > 0
    }

    /// Nobody is to be told of these failures.
    static func pass(
        _ webhook: String, _ failures: Int, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            """
            insert into alert (webhook, mailed_failures, try_at) values ($1, $2, $3)
            on conflict (webhook) do update set mailed_failures = excluded.mailed_failures, is_failing = false,
                tries = 0, error = null
            """, webhook, failures, now, context: "passing over failures")
    }

    static func sent(
        _ webhook: String, _ memory: AlertPlan.Memory, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            """
            update alert set mailed_at = $2, mailed_failures = $3, recovery_at = $4, is_failing = $5, try_at = $6,
                tries = 0, error = null where webhook = $1
            """, webhook, memory.mailedAt, memory.mailedFailures, memory.recoveryAt, memory.isFailing, now,
            context: "noting a mail")
    }

    static func notSent(
        _ webhook: String, _ error: String, next: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            "update alert set error = $2, try_at = $3 where webhook = $1", webhook, error, next,
            context: "noting a mail that was not sent")
    }
}
