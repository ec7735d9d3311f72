import Foundations
import Postgres

/// A delivery, or a batch by its first member, that this server has until its lease ends.
struct Claimed: Sendable {
    let bucket: Int32
    let id: UUID
    let fence: Int32
    let webhook: String
    let profile: UUID?
    /// Of attempts since it was queued or replayed.
    let attempts: Int
    /// Of all attempts ever.
    let number: Int
    let hadExtra: Bool
    let envelope: String
    let item: [UInt8]
    let leaseUntil: Timestamp
    let claimedAt: Timestamp
    var batch: UUID?
    /// Of a batch: all of its members, this one first.
    var members: [Member] = []
    /// What it takes of the sender's places while it is on its way.
    var places = 1

    struct Member: Sendable {
        let bucket: Int32
        let id: UUID
    }

    /// Nobody had it before, so it cannot have been sent under its own id: it may join a batch, which has another one.
    var mayJoin: Bool { batch == nil && fence == 1 && number == 0 }
}

/// Takes due deliveries, for all webhooks with room in one statement.
///
/// Servers divide the buckets among themselves, so that as a rule they do not meet. What its server leaves lying (it
/// lacks a secret, say) anybody takes. Where two meet, the fencing number decides: the second finds it raised and takes
/// nothing. Nobody holds a lock beyond the
/// statement; while a delivery is being sent, its `next_at` is the end of the lease, so that nobody finds it.
enum Claim {
    /// Which part of the buckets is ours.
    struct Share: Sendable, Equatable {
        var index: Int32 = 0
        var count: Int32 = 1
    }

    /// After so many seconds what is due is not only its own server's.
    private static let patience: Int64 = 10

    /// What others leave lying, where there is room left.
    static func strays(
        _ rooms: [(webhook: String, room: Int)], beside claimed: [Claimed], leaseUntil: Timestamp,
        now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) -> [Claimed] {
        var taken: [String: Int] = [:]
        for claim in claimed { taken[claim.webhook, default: 0] += 1 }
        let left = rooms.map { ($0.webhook, $0.room - taken[$0.webhook, default: 0]) }.filter { $0.1 > 0 }
        return try find(
            left, share: Share(), overdue: patience, leaseUntil: leaseUntil, now: now, connection)
    }

    /// - Parameter rooms: How many each webhook can take.
    static func take(
        _ rooms: [(webhook: String, room: Int)], share: Share, leaseUntil: Timestamp, now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) -> [Claimed] {
        try connection.byIndex("claiming deliveries") { () throws(PostgresError) in
            try find(rooms, share: share, leaseUntil: leaseUntil, now: now, connection)
        }
    }

    /// The same within a transaction of `byIndex`.
    ///
    /// - Parameter overdue: Only what has been due for so many seconds.
    static func find(
        _ rooms: [(webhook: String, room: Int)], share: Share, overdue: Int64 = 0, leaseUntil: Timestamp,
        now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Claimed] {
        if rooms.isEmpty { return [] }
        let rows = try connection.execute(
            """
            with due as (
                select d.bucket, d.id, d.fence, d.next_at
                from unnest($1::text[], $2::int[]) as lane(webhook, room)
                cross join lateral (
                    select d.bucket, d.id, d.fence, d.next_at, d.ordinal from delivery d
                    where d.webhook = lane.webhook and d.state = 'queued' and d.next_at <= $7
                        and d.bucket % $4 = $5 and \(isNext(at: "$3::timestamptz"))
                    order by d.next_at, d.ordinal limit lane.room
                ) d
            )
            update delivery d set next_at = $6, fence = d.fence + 1
            from due where d.bucket = due.bucket and d.id = due.id and d.fence = due.fence
                and \(unindexed("d.state = 'queued'"))
            returning \(columns)
            """, rooms.map(\.webhook), rooms.map { Int32($0.room) }, now, share.count, share.index,
            leaseUntil, now.adding(seconds: -overdue), context: "claiming deliveries")
        return ordered(rows, leaseUntil: leaseUntil, now: now)
    }

    /// Of a delivery `d` with `order: profile`: nothing of its person's was queued before it and is not decided yet, and
    /// nothing is on its way. What is due within the longest lease may be on its way or wait for its next try: only its
    /// server knows.
    static func isNext(at now: String) -> String {
        """
        (not d.ordered or not exists (
            select 1 from delivery e where e.bucket = d.bucket and e.webhook = d.webhook
                and e.profile_id = d.profile_id and e.ordered and e.state in ('queued', 'batched')
                and e.id <> d.id and (d.batch_id is null or e.batch_id is distinct from d.batch_id)
                and (e.ordinal < d.ordinal or e.fence > 0 and e.next_at > \(now)
                    and e.next_at <= \(now) + interval '\(Sender.longestLease) s')))
        """
    }

    /// Of a delivery `d`: its last answer asked for no more patience than the plan has. `$4` is the plan's.
    private static let isPlanned = """
        not exists (
            select 1 from attempt a where a.bucket = d.bucket and a.delivery_id = d.id and a.number = d.attempt
                and d.next_at > a.at + interval '1 microsecond' * (a.milliseconds * 1000
                    + ($4::bigint[])[least(greatest(d.attempt - d.attempt_base - d.extra::int, 1), cardinality($4::bigint[]))]))
        """

    /// For a probe when nothing is due: of the deliveries that would be tried next the first whose turn it is, and for
    /// which the receiver did not ask for patience. What another server has at this moment is due before a new lease would
    /// end, and is left alone. The attempt is not one of the plan's: else a webhook that is down for an hour would have
    /// used up all that were meant for three days.
    static func takeEarly(
        _ webhook: String, leaseUntil: Timestamp, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Claimed] {
        let rows = try connection.execute(
            """
            with due as (
                select bucket, id, fence, next_at from (
                    select bucket, id, fence, next_at, webhook, profile_id, ordered, ordinal, batch_id, attempt,
                        attempt_base, extra
                    from delivery where webhook = $1 and state = 'queued' and next_at > $2
                    order by next_at, ordinal limit 100
                ) d
                where \(isNext(at: "$3::timestamptz")) and \(isPlanned)
                order by next_at, ordinal limit 1
            )
            update delivery d set next_at = $2, fence = d.fence + 1, attempt_base = d.attempt_base + 1
            from due where d.bucket = due.bucket and d.id = due.id and d.fence = due.fence
                and \(unindexed("d.state = 'queued'"))
            returning \(columns)
            """, webhook, leaseUntil, now, RetryPlan.longestPlanned, context: "claiming a probe")
        return ordered(rows, leaseUntil: leaseUntil, now: now)
    }

    private static let columns = """
        d.bucket, d.id, d.fence, d.webhook, d.profile_id, d.attempt - d.attempt_base, d.attempt, d.extra, d.envelope,
        d.body, d.batch_id, due.next_at, d.ordinal
        """

    private static func ordered(_ rows: Rows, leaseUntil: Timestamp, now: Timestamp) -> [Claimed] {
        let claimed = (0..<rows.count).map { row in
            let claim = Claimed(
                bucket: rows.int4(row, 0), id: rows.uuid(row, 1), fence: rows.int4(row, 2),
                webhook: rows.string(row, 3), profile: rows.uuidOrNil(row, 4),
                attempts: Int(rows.int4(row, 5)),
                number: Int(rows.int4(row, 6)), hadExtra: rows.bool(row, 7), envelope: rows.string(row, 8),
                item: Array(rows.text(row, 9)), leaseUntil: leaseUntil, claimedAt: now,
                batch: rows.uuidOrNil(row, 10))
            return (claim, rows.timestamp(row, 11), rows.int8(row, 12))
        }
        // An update returns its rows in any order.
        return claimed.sorted { ($0.1, $0.2) < ($1.1, $1.2) }.map(\.0)
    }

    /// Gives back what will not be sent now.
    static func release(
        _ claims: [Claimed], until time: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        guard !claims.isEmpty else { return }
        try connection.execute(
            """
            update delivery d set next_at = $4
            from unnest($1::int[], $2::uuid[], $3::int[]) as q(bucket, id, fence)
            where d.bucket = q.bucket and d.id = q.id and d.fence = q.fence
                and \(unindexed("d.state = 'queued'"))
            """, claims.map(\.bucket), claims.map(\.id), claims.map(\.fence), time,
            context: "giving deliveries back")
    }
}

extension Connection {
    /// A transaction in which every statement finds its rows by their keys.
    func byIndex<Result>(
        _ context: String, _ body: () throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        try transaction(context: context) { () throws(PostgresError) in
            try byIndexUntilCommit()
            return try body()
        }
    }

    /// The same for a transaction that has begun.
    func byIndexUntilCommit() throws(PostgresError) {
        try script("\(Connection.byIndex()); set local jit = off")
    }
}
