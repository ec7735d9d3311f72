import Foundations
import Postgres

/// Batches: stored before their first attempt, sent again unchanged.
///
/// The first member stands for the batch: it stays `queued` and has the schedule; the others are `batched` until it is
/// decided, and then become what it becomes. With `order: profile` they have its `next_at` as well, so that each person's
/// other deliveries can tell whether it is on its way.
enum BatchStore {
    typealias Stored = (claim: Claimed, body: [UInt8])

    /// Makes or reads batches: all new ones in one transaction, all old ones in one statement. Nil for one that is no
    /// longer ours.
    static func fetch(
        _ wanted: [Errand.Batch], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Stored?] {
        let new = wanted.compactMap { batch in
            if case .new(let claims) = batch { Draft(claims, at: now) } else { nil }
        }
        let known = wanted.compactMap { batch in
            if case .stored(let claim) = batch { claim } else { nil }
        }
        var made = try form(new, at: now, connection)
        let read = try take(read(known, connection), at: now, connection)
        return wanted.map { batch in
            switch batch {
            case .new(let claims): claims.first.flatMap { made.removeValue(forKey: $0.id) }
            case .stored(let claim): read[claim.id]
            }
        }
    }

    /// A batch that is not stored yet.
    private struct Draft {
        let id: UUID
        let leader: Claimed
        let members: [Claimed]
        let body: [UInt8]

        init?(_ claims: [Claimed], at now: Timestamp) {
            guard let first = claims.first, let envelope = WireBody.Envelope(first.envelope) else {
                return nil
            }
            (leader, members) = (first, claims)
            id = DeliveryID.of(batch: claims.map(\.id))
            body = WireBody.make(claims.map(\.item), envelope, at: now)
        }

        var stored: Stored {
            var claim = leader
            claim.batch = id
            claim.members = members.map { Claimed.Member(bucket: $0.bucket, id: $0.id) }
            return (claim, body)
        }
    }

    // MARK: New ones

    /// By their first members. If somebody else has one delivery of one of them by now, each is tried by itself.
    private static func form(
        _ drafts: [Draft], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [UUID: Stored] {
        guard !drafts.isEmpty else { return [:] }
        var made: [UUID: Stored] = [:]
        if try store(drafts, at: now, connection) {
            for draft in drafts { made[draft.leader.id] = draft.stored }
        } else if drafts.count > 1 {
            for draft in drafts where try store([draft], at: now, connection) {
                made[draft.leader.id] = draft.stored
            }
        }
        return made
    }

    /// All or, when a delivery is no longer ours, nothing.
    private static func store(
        _ drafts: [Draft], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        try connection.begin(context: "storing batches")
        do throws(PostgresError) {
            try connection.byIndexUntilCommit()
            guard try mark(drafts, connection) else {
                try connection.rollback()
                return false
            }
            try insert(drafts, at: now, connection)
            try connection.commit(context: "storing batches")
            return true
        } catch {
            if connection.isUsable, connection.isInTransaction { try? connection.rollback() }
            throw error
        }
    }

    /// Ties the members to their batches; whether all were still ours.
    private static func mark(_ drafts: [Draft], _ connection: Connection) throws(PostgresError) -> Bool {
        let rows = drafts.flatMap { draft in draft.members.map { (claim: $0, draft: draft) } }
        let changed = try connection.execute(
            """
            update delivery d set batch_id = q.batch, leads = q.leads,
                state = case when q.leads then 'queued' else 'batched' end
            from unnest($1::int[], $2::uuid[], $3::int[], $4::uuid[], $5::bool[])
                as q(bucket, id, fence, batch, leads)
            where d.bucket = q.bucket and d.id = q.id and d.fence = q.fence
                and \(unindexed("d.state = 'queued'"))
            """, rows.map(\.claim.bucket), rows.map(\.claim.id), rows.map(\.claim.fence),
            rows.map(\.draft.id),
            rows.map { $0.claim.id == $0.draft.leader.id }, context: "storing batches"
        ).affected
        return changed == rows.count
    }

    /// An array of arrays has no type of its own here: members come as one list with the batch of each.
    private static func insert(
        _ drafts: [Draft], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let rows = drafts.enumerated().flatMap { n, draft in draft.members.map { (n: Int32(n), claim: $0) } }
        try connection.execute(
            """
            insert into batch (bucket, id, webhook, created_at, buckets, members, body)
            select q.bucket, q.id, q.webhook, $5, m.buckets, m.ids, q.body
            from unnest($1::int[], $2::uuid[], $3::text[], $4::text[]) with ordinality
                as q(bucket, id, webhook, body, n)
            join (select m.n, array_agg(m.bucket order by m.place) as buckets, array_agg(m.id order by m.place) as ids
                from unnest($6::int[], $7::int[], $8::uuid[]) with ordinality as m(n, bucket, id, place)
                group by m.n) m on m.n = q.n - 1
            on conflict (bucket, id) do nothing
            """, drafts.map(\.leader.bucket), drafts.map(\.id), drafts.map(\.leader.webhook),
            drafts.map { String(decoding: $0.body, as: UTF8.self) }, now, rows.map(\.n),
            rows.map(\.claim.bucket),
            rows.map(\.claim.id), context: "storing batches")
    }

    // MARK: Old ones

    /// By their first members; what is missing has lost its row.
    private static func read(
        _ claims: [Claimed], _ connection: Connection
    ) throws(PostgresError) -> [UUID: Stored] {
        let claims = claims.filter { $0.batch != nil }
        guard !claims.isEmpty else { return [:] }
        let rows = try connection.execute(
            """
            select q.n::int, m.bucket, m.id, case when m.place = 1 then b.body end
            from unnest($1::int[], $2::uuid[]) with ordinality as q(bucket, id, n)
            join batch b on b.bucket = q.bucket and b.id = q.id
            cross join lateral unnest(b.buckets, b.members) with ordinality as m(bucket, id, place)
            order by q.n, m.place
            """, claims.map(\.bucket), claims.compactMap(\.batch), context: "reading batches")
        var read: [UUID: Stored] = [:]
        for row in 0..<rows.count {
            let claim = claims[Int(rows.int4(row, 0)) - 1]
            if !rows.isNull(row, 3) { read[claim.id] = (claim, Array(rows.text(row, 3))) }
            read[claim.id]?.claim.members.append(
                Claimed.Member(bucket: rows.int4(row, 1), id: rows.uuid(row, 2)))
        }
        return read
    }

    /// How long a batch waits until it is asked again whether it is its turn, in seconds.
    private static let patience: Int64 = 5

    /// Takes the other members of batches as well; gives a batch back if it is not the turn of one of them. Their first
    /// members were claimed because it is theirs.
    private static func take(
        _ batches: [UUID: Stored], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [UUID: Stored] {
        let claims = batches.values.map(\.claim)
        guard !claims.isEmpty else { return [:] }
        return try connection.byIndex("taking batches") { () throws(PostgresError) in
            let members = try ordered(claims, at: now, connection)
            let late = Set(members.filter { !$0.isNext }.map(\.claim.id))
            try Claim.release(
                claims.filter { late.contains($0.id) }, until: now.adding(seconds: patience), connection)
            try lease(members.filter { !late.contains($0.claim.id) }, connection)
            return batches.filter { !late.contains($0.key) }
        }
    }

    private typealias Ordered = (claim: Claimed, member: Claimed.Member, isNext: Bool)

    /// The members that have an order to keep.
    private static func ordered(
        _ claims: [Claimed], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Ordered] {
        let all = claims.flatMap { claim in claim.members.map { (claim: claim, member: $0) } }
        let rows = try connection.execute(
            """
            select q.n::int, \(Claim.isNext(at: "$3::timestamptz"))
            from unnest($1::int[], $2::uuid[]) with ordinality as q(bucket, id, n)
            join delivery d on d.bucket = q.bucket and d.id = q.id
            where d.ordered
            """, all.map(\.member.bucket), all.map(\.member.id), now, context: "reading whose turn it is")
        return (0..<rows.count).map { row in
            let (claim, member) = all[Int(rows.int4(row, 0)) - 1]
            return (claim, member, rows.bool(row, 1))
        }
    }

    private static func lease(_ members: [Ordered], _ connection: Connection) throws(PostgresError) {
        guard !members.isEmpty else { return }
        try connection.execute(
            """
            update delivery d set next_at = q.until
            from unnest($1::int[], $2::uuid[], $3::timestamptz[]) as q(bucket, id, until)
            where d.bucket = q.bucket and d.id = q.id and d.state = 'batched'
            """, members.map(\.member.bucket), members.map(\.member.id), members.map(\.claim.leaseUntil),
            context: "taking batches")
    }
}
