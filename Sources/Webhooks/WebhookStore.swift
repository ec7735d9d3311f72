import Foundations
import Postgres

/// Reads and changes webhooks and their deliveries: what the commands and the admin API are made of.
package enum WebhookStore {
    /// For how long finished deliveries and those of disabled webhooks are kept.
    package static let kept: Int64 = 14 * 86_400

    // MARK: Definitions

    /// Makes these the applied webhooks: for `journeys apply`, in its transaction. One that stands in no file any more is
    /// marked as removed; what is queued for it is still sent.
    package static func apply(
        _ definitions: [WebhookDefinition], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let sorted = definitions.sorted { $0.name < $1.name }
        try connection.execute(
            """
            insert into webhook as w (name, definition, applied_at, changed_at)
            select name, definition, $3, $3 from unnest($1::text[], $2::text[]) as q(name, definition)
            on conflict (name) do update set definition = excluded.definition, applied_at = excluded.applied_at,
                removed_at = null, last_success_at = case
                    when w.definition::json->>'url' = excluded.definition::json->>'url' then w.last_success_at end
            where w.definition <> excluded.definition or w.removed_at is not null
            """, sorted.map(\.name), sorted.map(\.json), now, context: "applying webhooks")
        try connection.execute(
            "update webhook set removed_at = $2 where removed_at is null and name <> all($1)",
            sorted.map(\.name),
            now, context: "applying webhooks")
    }

    /// The applied definitions, removed ones included, by name: for a `DeliveryQueue`.
    package static func definitions(
        _ connection: Connection
    ) throws(PostgresError) -> [String: WebhookDefinition] {
        let rows = try connection.execute("select name, definition from webhook", context: "reading webhooks")
        var all: [String: WebhookDefinition] = [:]
        for row in 0..<rows.count {
            let name = rows.string(row, 0)
            all[name] = WebhookDefinition(name: name, json: rows.string(row, 1))
        }
        return all
    }

    // MARK: Reading

    /// By name, a page at a time.
    package static func list(
        limit: Int = 100, after: String = "", name: String? = nil, _ connection: Connection
    ) throws(PostgresError) -> [WebhookStatus] {
        let rows = try connection.execute(
            """
            select \(WebhookStatus.columns), q.waiting, q.oldest, f.failed
            from (select * from webhook where name > $1 and ($3::text is null or name = $3) order by name limit $2) w
            cross join lateral (select count(*) as waiting, min(created_at) as oldest from delivery d
                where d.webhook = w.name and d.state in ('queued', 'batched')) q
            cross join lateral (select count(*) as failed from delivery d
                where d.webhook = w.name and d.state = 'failed') f
            order by w.name
            """, after, limit, name, context: "listing webhooks")
        return (0..<rows.count).map { row in
            var status = WebhookStatus(rows, row)
            status.waiting = Int(rows.int8(row, 15))
            status.oldestWaiting = rows.timestampOrNil(row, 16)
            status.failed = Int(rows.int8(row, 17))
            return status
        }
    }

    package static func find(
        _ name: String, _ connection: Connection
    ) throws(PostgresError) -> WebhookStatus? {
        let rows = try connection.execute(
            "select \(WebhookStatus.columns) from webhook w where name = $1", name,
            context: "reading a webhook")
        return rows.isEmpty ? nil : WebhookStatus(rows, 0)
    }

    /// Deliveries of a webhook in one state (`queued`, `batched`, `sent`, `failed`, `expired`), the oldest first.
    package static func deliveries(
        of webhook: String, state: String, limit: Int = 100, after: (createdAt: Timestamp, id: UUID)? = nil,
        _ connection: Connection
    ) throws(PostgresError) -> [DeliverySummary] {
        let rows = try connection.execute(
            """
            select \(deliveryColumns) from delivery where webhook = $1 and state = $2
                and ($3::timestamptz is null or (created_at, id) > ($3, $4::uuid))
            order by created_at, id limit $5
            """, webhook, state, after?.createdAt, after?.id, limit, context: "listing deliveries")
        return (0..<rows.count).map { summary(rows, $0) }
    }

    package static func delivery(
        _ id: UUID, _ connection: Connection
    ) throws(PostgresError) -> DeliverySummary? {
        let rows = try connection.execute(
            "select \(deliveryColumns) from delivery where id = $1", id, context: "reading a delivery")
        return rows.isEmpty ? nil : summary(rows, 0)
    }

    package static func attempts(
        of id: UUID, _ connection: Connection
    ) throws(PostgresError) -> [AttemptSummary] {
        let rows = try connection.execute(
            """
            select number, at, milliseconds, status, error, excerpt from attempt
            where delivery_id = $1 order by number
            """, id, context: "reading attempts")
        return (0..<rows.count).map { row in
            AttemptSummary(
                number: Int(rows.int4(row, 0)), at: rows.timestamp(row, 1),
                milliseconds: Int(rows.int4(row, 2)),
                status: rows.isNull(row, 3) ? nil : Int(rows.int4(row, 3)), error: rows.stringOrNil(row, 4),
                excerpt: rows.stringOrNil(row, 5))
        }
    }

    private static let deliveryColumns =
        "id, webhook, profile_id, journey, state, attempt, created_at, next_at, finished_at, batch_id, body"

    private static func summary(_ rows: Rows, _ row: Int) -> DeliverySummary {
        DeliverySummary(
            id: rows.uuid(row, 0), webhook: rows.string(row, 1), profile: rows.uuidOrNil(row, 2),
            journey: rows.stringOrNil(row, 3), state: rows.string(row, 4), attempts: Int(rows.int4(row, 5)),
            createdAt: rows.timestamp(row, 6), nextAt: rows.timestamp(row, 7),
            finishedAt: rows.timestampOrNil(row, 8), batch: rows.uuidOrNil(row, 9), body: rows.string(row, 10)
        )
    }

    // MARK: Changing

    /// Sends again to a webhook that was paused or disabled: what waits for it goes out now, in its order. Whether it works
    /// again the first success says. False: there is no such webhook.
    package static func enable(
        _ name: String, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        let found = try connection.execute(
            """
            update webhook set state = 'active', reason = null, changed_at = $2, probe_at = null where name = $1
            """, name, now, context: "enabling a webhook"
        ).affected
        guard found > 0 else { return false }
        // What a server has at this moment is due when its lease ends at the latest, and stays with it.
        let leases = now.adding(microseconds: try longestLease(connection))
        try connection.execute(
            """
            update delivery set next_at = $2
            where webhook = $1 and state = 'queued' and (next_at <= $2 or next_at > $3)
            """, name, now, leases, context: "enabling a webhook")
        return true
    }

    /// No server holds a delivery longer at present, in microseconds: several webhooks are claimed for together, and the
    /// one that takes longest counts.
    private static func longestLease(_ connection: Connection) throws(PostgresError) -> Int64 {
        let longest = try definitions(connection).values.map(\.longestStay).max() ?? 0
        let lease = longest + Sender.Options { _ in nil }.slack * 1_000_000
        return min(lease, Sender.longestLease * 1_000_000)
    }

    /// What is too large was never sent, and is not when it is asked for again.
    private static let isSendable = """
        (attempt > 0 or not exists (
            select from attempt a where a.bucket = delivery.bucket and a.delivery_id = delivery.id and a.number = 0
                and a.error like '\(WireBody.tooLarge)%'))
        """

    /// Queues again what failed for good since a time, and was queued in the last 14 days, with the same ids and bytes: of
    /// a batch all members, since it goes out unchanged. How many.
    package static func replay(
        _ name: String, since: Timestamp, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Int {
        return try connection.execute(
            """
            with wanted as (
                select id, batch_id from delivery
                where webhook = $1 and state in ('failed', 'expired') and finished_at >= $2 and created_at >= $4
                    and \(isSendable)
            )
            update delivery set state = case when leads then 'queued' else 'batched' end, next_at = $3,
                attempt_base = attempt, extra = false, finished_at = null
            where webhook = $1 and state in ('failed', 'expired')
                and (id in (select id from wanted) or batch_id in (select batch_id from wanted))
            """, name, since, now, now.adding(seconds: -kept), context: "replaying deliveries"
        ).affected
    }

    /// Queues one delivery again, whatever became of it; of a batch all members, since it goes out unchanged. How many.
    package static func replay(
        _ id: UUID, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Int {
        let oldest = now.adding(seconds: -kept)
        return try connection.execute(
            """
            update delivery set state = case when leads then 'queued' else 'batched' end, next_at = $2,
                attempt_base = attempt, extra = false, finished_at = null
            where created_at >= $3 and state not in ('queued', 'batched') and \(isSendable)
                and (id = $1 or batch_id = (select batch_id from delivery where id = $1))
            """, id, now, oldest, context: "replaying a delivery"
        ).affected
    }

    /// Pauses or disables, if it is still in the state that the caller saw.
    @discardableResult
    static func change(
        _ name: String, from states: [WebhookStatus.State], to state: WebhookStatus.State, reason: String?,
        at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        let probe = state == .paused ? now.adding(microseconds: Breaker.probeEvery) : nil
        return try connection.execute(
            """
            update webhook set state = $3, reason = $4, probe_at = $6,
                changed_at = case when $3 = 'disabled' then $5 else changed_at end
            where name = $1 and state = any($2)
            """, name, states.map(\.rawValue), state.rawValue, reason, now, probe,
            context: "changing a webhook"
        ).affected > 0
    }

    /// Takes the next probe of a paused webhook, if it is time and no other server was first.
    static func takeProbe(
        _ name: String, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        try connection.execute(
            "update webhook set probe_at = $3 where name = $1 and state = 'paused' and probe_at <= $2", name,
            now,
            now.adding(microseconds: Breaker.probeEvery), context: "probing a webhook"
        ).affected > 0
    }

    /// Forgets what is older than 14 days, bucket by bucket; what still waits for a disabled webhook expires.
    package static func forget(at now: Timestamp, _ connection: Connection) throws(PostgresError) {
        let oldest = now.adding(seconds: -kept)
        try connection.execute(
            """
            update delivery set state = 'expired', finished_at = $2
            where created_at < $1 and state in ('queued', 'batched')
                and webhook in (select name from webhook where state = 'disabled')
            """, oldest, now, context: "forgetting deliveries")
        for bucket in Int32(0)..<4096 {
            try connection.execute(
                """
                delete from delivery where bucket = $1 and created_at < $2 and state not in ('queued', 'batched')
                """, bucket, oldest, context: "forgetting deliveries")
            try connection.execute(
                "delete from attempt where bucket = $1 and at < $2", bucket, oldest,
                context: "forgetting attempts")
            try connection.execute(
                "delete from batch where bucket = $1 and created_at < $2", bucket,
                oldest.adding(seconds: -kept),
                context: "forgetting batches")
        }
    }
}
