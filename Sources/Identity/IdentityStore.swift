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

    // MARK: Reading

    /// What ids mean now: a profile's id itself, an alias's target; unknown ones are left out.
    func resolve(_ ids: [UUID], _ connection: Connection) throws(PostgresError) -> [UUID: UUID] {
        if ids.isEmpty { return [:] }
        let rows = try connection.execute(
            """
            select q.id, coalesce(a.profile_id, p.id)
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

    /// Writes the sessions, and says what their rows hold then. An existing profile is never overwritten here.
    func upsert(_ groups: [SessionGroup], _ connection: Connection) throws(PostgresError) -> [Row] {
        if groups.isEmpty { return [] }
        var columns = SessionColumns()
        for group in groups { columns.append(group) }
        let rows = try connection.execute(
            """
            insert into session as s (bucket, id, profile_id, source, started_at, last_seen_at, context, user_agent,
                clock_skew)
            select * from unnest($1::int[], $2::text[], $3::uuid[], $4::text[], $5::timestamptz[],
                $6::timestamptz[], $7::jsonb[], $8::text[], $9::bigint[])
            on conflict (bucket, id) do update set
                profile_id = coalesce(s.profile_id, excluded.profile_id),
                started_at = least(s.started_at, excluded.started_at),
                last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at),
                context = coalesce(excluded.context, s.context),
                user_agent = coalesce(excluded.user_agent, s.user_agent),
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

    /// Gives sessions the profile and the clock that were settled after their rows were seen (and locked).
    func rebind(_ groups: [SessionGroup], _ connection: Connection) throws(PostgresError) {
        if groups.isEmpty { return }
        var ids = ArrayColumn(of: Bytes.self)
        for group in groups { ids.append(group.id) }
        var parameters = Parameters()
        parameters.append(groups.map(\.bucket))
        parameters.append(ids)
        parameters.append(groups.map(\.binding.profile))
        parameters.append(groups.map(\.skew))
        _ = try connection.execute(
            """
            update session s set profile_id = q.profile_id, clock_skew = q.clock_skew
            from unnest($1::int[], $2::text[], $3::uuid[], $4::bigint[]) as q(bucket, id, profile_id, clock_skew)
            where s.bucket = q.bucket and s.id = q.id
            """, with: parameters)
    }

    // MARK: Profiles

    /// Makes ids aliases for ever, points older aliases of theirs at the same profile, and removes what they
    /// had as profiles of their own (a derived profile has no traits).
    func alias(
        _ losers: [(id: UUID, profile: UUID, at: Timestamp)], _ connection: Connection
    ) throws(PostgresError) {
        if losers.isEmpty { return }
        let losers = losers.sorted { ($0.id.bucket, $0.id) < ($1.id.bucket, $1.id) }
        let added = try connection.execute(
            """
            insert into alias (bucket, id, profile_id, created_at)
            select * from unnest($1::int[], $2::uuid[], $3::uuid[], $4::timestamptz[])
            on conflict (bucket, id) do nothing returning id
            """, losers.map(\.id.bucket), losers.map(\.id), losers.map(\.profile), losers.map(\.at))
        if added.count == 0 { return }
        _ = try connection.execute(
            """
            update alias a set profile_id = q.profile_id
            from unnest($1::int[], $2::uuid[], $3::uuid[]) as q(bucket, id, profile_id) where a.profile_id = q.id
            """, losers.map(\.id.bucket), losers.map(\.id), losers.map(\.profile))
        _ = try connection.execute(
            """
            delete from profile p using unnest($1::int[], $2::uuid[]) as q(bucket, id)
            where p.bucket = q.bucket and p.id = q.id and p.traits = '{}'
            """, losers.map(\.id.bucket), losers.map(\.id))
    }

    /// Writes the profiles that sessions were settled to, or that they were seen again.
    func seen(_ groups: [SessionGroup], _ connection: Connection) throws(PostgresError) {
        var times: [UUID: (first: Timestamp, last: Timestamp)] = [:]
        for group in groups {
            guard let profile = group.binding.profile else { continue }
            let known = times[profile] ?? (group.startedAt, group.seenAt)
            times[profile] = (min(known.first, group.startedAt), max(known.last, group.seenAt))
        }
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

    /// Keeps the ids that sources with static profile ids sent and that are no UUIDs.
    func fixed(_ claims: [Claim], _ connection: Connection) throws(PostgresError) {
        var values: [BytesKey: (profile: UUID, at: Timestamp)] = [:]
        for claim in claims where claim.basis == .fixed && UUID(claim.sent) == nil {
            if let profile = claim.answered {
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

/// The columns of an upsert of sessions.
private struct SessionColumns: ~Copyable {
    private var buckets = ArrayColumn(of: Int32.self)
    private var ids = ArrayColumn(of: Bytes.self)
    private var profiles = ArrayColumn(of: UUID?.self)
    private var sources = ArrayColumn(of: Bytes.self)
    private var started = ArrayColumn(of: Timestamp.self)
    private var seen = ArrayColumn(of: Timestamp.self)
    private var contexts = ArrayColumn(of: JSONText.self)
    private var agents = ArrayColumn(of: Bytes.self)
    private var skews = ArrayColumn(of: Int64?.self)

    mutating func append(_ group: SessionGroup) {
        buckets.append(group.bucket)
        ids.append(group.id)
        profiles.append(group.binding.profile)
        sources.append(group.source)
        started.append(group.startedAt)
        seen.append(group.seenAt)
        if group.context.count > 0 { contexts.append(JSONText(group.context)) } else { contexts.appendNull() }
        if group.userAgent.count > 0 { agents.append(group.userAgent) } else { agents.appendNull() }
        skews.append(group.skew)
    }

    consuming func parameters() -> Parameters {
        var parameters = Parameters()
        parameters.append(buckets)
        parameters.append(ids)
        parameters.append(profiles)
        parameters.append(sources)
        parameters.append(started)
        parameters.append(seen)
        parameters.append(contexts)
        parameters.append(agents)
        parameters.append(skews)
        return parameters
    }
}
