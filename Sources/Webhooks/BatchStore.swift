import Foundations
import Postgres

/// Batches: stored before their first attempt, sent again unchanged.
///
/// The first member stands for the batch: it stays `queued` and has the schedule; the others are `batched` until it is
/// decided, and then become what it becomes.
enum BatchStore {
    /// Makes one batch of claimed deliveries. Nil: somebody else has one of them by now, and nothing was changed.
    static func form(
        _ claims: [Claimed], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> (claim: Claimed, body: [UInt8])? {
        guard var leader = claims.first, let envelope = WireBody.Envelope(leader.envelope) else { return nil }
        let id = DeliveryID.of(batch: claims.map(\.id))
        let body = WireBody.make(claims.map(\.item), envelope, at: now)
        var isWhole = false
        try connection.begin(context: "storing a batch")
        do throws(PostgresError) {
            let changed = try connection.execute(
                """
                update delivery d set batch_id = $4, leads = d.id = $5,
                    state = case when d.id = $5 then 'queued' else 'batched' end
                from unnest($1::int[], $2::uuid[], $3::int[]) as q(bucket, id, fence)
                where d.bucket = q.bucket and d.id = q.id and d.fence = q.fence and d.state = 'queued'
                """, claims.map(\.bucket), claims.map(\.id), claims.map(\.fence), id, leader.id,
                context: "storing a batch"
            ).affected
            isWhole = changed == claims.count
            if isWhole {
                try connection.execute(
                    """
                    insert into batch (bucket, id, webhook, created_at, buckets, members, body)
                    values ($1, $2, $3, $4, $5, $6, $7) on conflict (bucket, id) do nothing
                    """, leader.bucket, id, leader.webhook, now, claims.map(\.bucket), claims.map(\.id),
                    String(decoding: body, as: UTF8.self), context: "storing a batch")
                try connection.commit(context: "storing a batch")
            } else {
                try connection.rollback()
            }
        } catch {
            if connection.isUsable, connection.isInTransaction { try? connection.rollback() }
            throw error
        }
        guard isWhole else { return nil }
        leader.batch = id
        leader.members = claims.map { Claimed.Member(bucket: $0.bucket, id: $0.id) }
        return (leader, body)
    }

    /// Reads a batch that was stored earlier; nil: its row is gone.
    static func read(
        _ claim: Claimed, _ connection: Connection
    ) throws(PostgresError) -> (claim: Claimed, body: [UInt8])? {
        guard let id = claim.batch else { return nil }
        let rows = try connection.execute(
            """
            select m.bucket, m.id, b.body from batch b, unnest(b.buckets, b.members) with ordinality
                as m(bucket, id, place)
            where b.bucket = $1 and b.id = $2 order by m.place
            """, claim.bucket, id, context: "reading a batch")
        guard !rows.isEmpty else { return nil }
        var claim = claim
        claim.members = (0..<rows.count).map {
            Claimed.Member(bucket: rows.int4($0, 0), id: rows.uuid($0, 1))
        }
        return (claim, Array(rows.text(0, 2)))
    }
}
