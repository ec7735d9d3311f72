import Foundations
import Payload
import Postgres

/// The statements on sessions, profiles, aliases and identities. Rows are sorted by (bucket, bytes) before they
/// are written: that order is what keeps two servers from deadlocks.
final class IdentityStore {
    /// What a session's row says after the upsert.
    struct Row {
        let profile: UUID?
        let skew: Int64?
    }

    /// When a profile was seen in a batch, first and last.
    struct Seen {
        var first: Timestamp
        var last: Timestamp

        mutating func extend(_ first: Timestamp, _ last: Timestamp) {
            self.first = min(self.first, first)
            self.last = max(self.last, last)
        }
    }

    // MARK: Reading

    /// What ids mean now: a profile's id itself, an alias's target; unknown ones are left out.
    func resolve(_ ids: [UUID], _ connection: Connection) throws(PostgresError) -> [UUID: UUID] {
        if ids.isEmpty { return [:] }
        let ids = ids.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        let rows = try connection.execute(
            """
            select q.id, case when a.id is null then p.id else person_of(a.profile_id) end
            from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                left join alias a on a.bucket = q.bucket and a.id = q.id
                left join profile p on p.bucket = q.bucket and p.id = q.id
            where a.id is not null or p.id is not null
            """, ids.map(\.bucket), ids)
        var known: [UUID: UUID] = [:]
        for row in 0..<rows.count { known[rows.uuid(row, 0)] = rows.uuid(row, 1) }
        return known
    }

    // MARK: Sessions

    /// What a session runs on is what was said last; but a program never covers what a person's browser said.
    private static let platform = ["user_agent", "device", "os", "browser", "browser_version", "bot"]
        .map { column in
            """
            \(column) = case when excluded.user_agent is null
                or (excluded.bot is not null and s.bot is null and s.user_agent is not null)
                then s.\(column) else excluded.\(column) end
            """
        }
        .joined(separator: ",\n")

    /// Writes the sessions, and says what their rows hold then. An existing profile is never overwritten here.
    func upsert(_ groups: [SessionGroup], _ connection: Connection) throws(PostgresError) -> [Row] {
        if groups.isEmpty { return [] }
        var columns = SessionColumns()
        for group in groups { columns.append(group) }
        let rows = try connection.execute(
            """
            insert into session as s (bucket, id, profile_id, source, started_at, last_seen_at, context, user_agent,
                clock_skew, device, os, browser, browser_version, bot)
            select * from unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[],
                $6::timestamptz[], $7::jsonb[], $8::text[], $9::bigint[], $10::text[], $11::text[],
                $12::text[], $13::text[], $14::text[])
            on conflict (bucket, id) do update set
                profile_id = coalesce(s.profile_id, excluded.profile_id),
                started_at = least(s.started_at, excluded.started_at),
                last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
                context = coalesce(excluded.context, s.context),
                \(Self.platform),
                clock_skew = coalesce(s.clock_skew, excluded.clock_skew)
            returning profile_id, clock_skew
            """, with: columns.parameters())
        // One row for each that was given, in that order: every one is either inserted or updated.
        precondition(
            rows.count == groups.count, "an upsert of \(groups.count) sessions returned \(rows.count)")
        return (0..<rows.count).map { row in
            Row(
                profile: rows.isNull(row, 0) ? nil : rows.uuid(row, 0),
                skew: rows.isNull(row, 1) ? nil : rows.int8(row, 1))
        }
    }

    /// What the rows of sessions say that are not to be written; nil: there is none.
    func read(_ groups: [SessionGroup], _ connection: Connection) throws(PostgresError) -> [Row?] {
        if groups.isEmpty { return [] }
        var ids = ArrayColumn(of: Bytes.self)
        for group in groups { ids.append(group.id) }
        var parameters = Parameters()
        parameters.append(groups.indices.map { Int32($0) })
        parameters.append(groups.map(\.bucket))
        parameters.append(ids)
        let rows = try connection.execute(
            """
            select q.n, s.profile_id, s.clock_skew from unnest($1::int[], $2::int[], $3::text[]) as q(n, bucket, id)
                join session s on s.bucket = q.bucket and s.id = q.id
            """, with: parameters)
        var found = [Row?](repeating: nil, count: groups.count)
        for row in 0..<rows.count {
            found[rows.int(row, 0)] = Row(
                profile: rows.uuidOrNil(row, 1), skew: rows.intOrNil(row, 2).map(Int64.init))
        }
        return found
    }

    /// Gives sessions the profile and the clock that were settled after their rows were seen (and locked).
    func rebind(_ groups: [SessionGroup], _ connection: Connection) throws(PostgresError) {
        if groups.isEmpty { return }
        var ids = ArrayColumn(of: Bytes.self)
        for group in groups { ids.append(group.id) }
        var parameters = Parameters()
        parameters.append(groups.map(\.bucket))
        parameters.append(ids)
        parameters.append(groups.map(\.profile))
        parameters.append(groups.map(\.skew))
        _ = try connection.execute(
            """
            update session s set profile_id = q.profile_id, clock_skew = q.clock_skew
            from unnest($1::int[], $2::text[], $3::uuid[], $4::bigint[]) as q(bucket, id, profile_id, clock_skew)
            where s.bucket = q.bucket and s.id = q.id
            """, with: parameters)
    }

    // MARK: Profiles

    /// Writes the profiles, or that they were seen again; locks their rows in any case.
    func seen(_ times: [UUID: Seen], _ connection: Connection) throws(PostgresError) {
        if times.isEmpty { return }
        let profiles = times.sorted { ($0.key.bucket, $0.key) < ($1.key.bucket, $1.key) }
        _ = try connection.execute(
            """
            insert into profile as p (bucket, id, created_at, last_seen_at)
            select * from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::timestamptz[])
            on conflict (bucket, id) do update set last_seen_at = excluded.last_seen_at
            where p.last_seen_at < excluded.last_seen_at - interval '30 s'
            """, profiles.map(\.key.bucket), profiles.map(\.key), profiles.map(\.value.first),
            profiles.map(\.value.last))
    }

    /// None of these, whose rows are locked, may have become an alias since it was looked at. If one did, the
    /// transaction must be tried again, and sees it then.
    func verify(_ profiles: Set<UUID>, _ connection: Connection) throws(PostgresError) {
        if profiles.isEmpty { return }
        let rows = try connection.execute(
            """
            select 1 from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                join alias a on a.bucket = q.bucket and a.id = q.id limit 1
            """, profiles.map(\.bucket), Array(profiles))
        if rows.isEmpty { return }
        throw .stale("a profile was merged meanwhile", context: "settling who is who")
    }

    /// So many aliases of one merged profile are pointed at the winner with it; the rest is done later.
    static let mostPointed = 500

    /// Makes ids aliases for ever, points older aliases of theirs at the same profile, and removes what they
    /// had as profiles of their own, which is returned. Their rows are locked (see `seen`).
    func alias(
        _ merges: [Merges.Merge], _ connection: Connection
    ) throws(PostgresError) -> [Settlement.Gone] {
        if merges.isEmpty { return [] }
        let (buckets, losers) = (merges.map(\.loser.bucket), merges.map(\.loser))
        try connection.execute(
            """
            insert into alias (bucket, id, profile_id, created_at, merged_into)
            select bucket, id, profile_id, created_at, profile_id
            from unnest($1::int[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as q(bucket, id, profile_id, created_at)
            on conflict (bucket, id) do nothing
            """, buckets, losers, merges.map(\.winner), merges.map(\.at))
        let pointed = try connection.execute(
            """
            update alias a set profile_id = q.profile_id
            from unnest($1::uuid[], $2::uuid[]) as q(id, profile_id),
                lateral (select bucket, id from alias where profile_id = q.id limit $3) as o
            where a.bucket = o.bucket and a.id = o.id
            """, losers, merges.map(\.winner), Self.mostPointed)
        if pointed.affected >= Self.mostPointed { try leave(merges, connection) }
        let rows = try connection.execute(
            """
            delete from profile p using unnest($1::int[], $2::uuid[], $3::uuid[]) as q(bucket, id, winner)
            where p.bucket = q.bucket and p.id = q.id returning p.id, q.winner, p.traits, p.created_at
            """, buckets, losers, merges.map(\.winner))
        return (0..<rows.count).map { row in
            Settlement.Gone(
                id: rows.uuid(row, 0), winner: rows.uuid(row, 1), traits: Array(rows.json(row, 2)),
                createdAt: rows.timestamp(row, 3))
        }
    }

    /// Notes the profiles to which more aliases pointed than could be moved.
    private func leave(_ merges: [Merges.Merge], _ connection: Connection) throws(PostgresError) {
        try connection.execute(
            """
            insert into chore (bucket, kind, key, created_at)
            select q.bucket, 'merge', q.id::text, q.at
            from unnest($1::int[], $2::uuid[], $3::timestamptz[]) as q(bucket, id, at)
            where exists (select from alias where profile_id = q.id)
                or exists (select from identity where profile_id = q.id)
            on conflict (bucket, kind, key) do nothing
            """, merges.map(\.loser.bucket), merges.map(\.loser), merges.map(\.at))
    }

    /// Profiles whose ids are their sources' own never lose a merge.
    func fix(_ claims: [Claim], _ connection: Connection) throws(PostgresError) {
        let profiles = Set(claims.lazy.filter { $0.basis == .fixed }.compactMap(\.profile))
        if profiles.isEmpty { return }
        let ids = profiles.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        try connection.execute(
            """
            update profile p set fixed = true from unnest($1::int[], $2::uuid[]) as q(bucket, id)
            where p.bucket = q.bucket and p.id = q.id and not p.fixed
            """, ids.map(\.bucket), ids)
    }

    /// Keeps the ids that sources with static profile ids sent and that are no UUIDs.
    func fixed(_ claims: [Claim], _ connection: Connection) throws(PostgresError) {
        var values: [BytesKey: (profile: UUID, at: Timestamp)] = [:]
        for claim in claims where claim.basis == .fixed && UUID(claim.sent) == nil {
            if let profile = claim.profile {
                values[BytesKey(bytes: claim.sent)] = (profile, claim.receivedAt)
            }
        }
        if values.isEmpty { return }
        let rows = values.map {
            (bucket: identityBucket("static", $0.key.bytes), value: $0.key.bytes, of: $0.value)
        }
        .sorted { a, b in
            a.bucket != b.bucket ? a.bucket < b.bucket : a.value.lexicographicallyPrecedes(b.value)
        }
        var texts = ArrayColumn(of: Bytes.self)
        for row in rows { texts.append(row.value) }
        var parameters = Parameters()
        parameters.append(rows.map(\.bucket))
        parameters.append(texts)
        parameters.append(rows.map(\.of.profile))
        parameters.append(rows.map(\.of.at))
        _ = try connection.execute(
            """
            insert into identity (bucket, kind, value, profile_id, created_at)
            select bucket, 'static', value, profile_id, created_at
            from unnest($1::int[], $2::text[], $3::uuid[], $4::timestamptz[]) as q(bucket, value, profile_id, created_at)
            on conflict (bucket, kind, value) do nothing
            """, with: parameters)
    }

    private func identityBucket(_ kind: StaticString, _ value: Bytes) -> Int32 {
        var key = ByteBuffer(capacity: value.count + 16)
        key.append(kind)
        key.append(UInt8(ascii: ":"))
        key.append(value)
        return Identity.bucket(of: key.bytes)
    }
}
