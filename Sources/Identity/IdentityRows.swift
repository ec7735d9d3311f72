import Foundations
import Postgres

/// The statements on identities and on what profiles are known by. Rows are sorted by (bucket, bytes) before they
/// are written.
struct IdentityRows {
    /// An identity as the database has it.
    struct Row {
        let key: Kinship.Key
        let bucket: Int32
        /// Nil: nobody is known by it.
        var owner: UUID?
        /// It was there, though nobody was known by it: events wait.
        var isAwaited = false
        /// Made by this transaction, for this profile.
        var presumed: UUID?

        /// The order in which rows are locked.
        func precedes(_ other: Row) -> Bool {
            if bucket != other.bucket { return bucket < other.bucket }
            if key.kind != other.key.kind { return key.kind < other.key.kind }
            return key.value.lexicographicallyPrecedes(other.key.value)
        }
    }

    /// So many identities of one merged profile are moved with it; the rest is done later.
    static let mostMoved = 200

    let kinds: [IdentityRules.Kind]

    /// Reads the identities, and takes those that are not there: `wanted` says whose they will probably be, nil
    /// that events wait for whoever it will be. What somebody else took at the same moment is his, once he has
    /// committed.
    func take(
        _ wanted: [Kinship.Key: UUID?], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Row] {
        let keys = wanted.keys.map { Row(key: $0, bucket: bucket($0)) }.sorted { $0.precedes($1) }
        var rows = try read(keys, connection)
        let missing = rows.indices.filter { rows[$0] == nil }
        if keys.isEmpty { return [] }
        if missing.isEmpty {
            try hold(&rows, keys, connection)
            return rows.compactMap { $0 }
        }
        let owners = missing.map { wanted[keys[$0].key] ?? nil }
        let made = try insert(missing.map { keys[$0] }, owners, at: now, connection)
        for ((i, owner), isMade) in zip(zip(missing, owners), made) where isMade {
            rows[i] = keys[i]
            rows[i]?.presumed = owner
        }
        let lost = missing.filter { rows[$0] == nil }
        if !lost.isEmpty {
            for (i, row) in zip(lost, try read(lost.map { keys[$0] }, connection)) { rows[i] = row }
        }
        try hold(&rows, keys, connection)
        return zip(keys, rows).map { $1 ?? $0 }
    }

    /// Locks the identities that are nobody's: else two servers could give one to two persons, or let an event wait
    /// for it while the other one says whose it is.
    private func hold(_ rows: inout [Row?], _ keys: [Row], _ connection: Connection) throws(PostgresError) {
        let open = rows.indices.filter { rows[$0]?.isAwaited == true }
        if open.isEmpty { return }
        var parameters = self.parameters(open.map { keys[$0] })
        parameters.append(open.map { Int32($0) })
        // An update that changes nothing: it takes the locks, and works on every kind of PostgreSQL.
        let held = try connection.execute(
            """
            update identity i set created_at = i.created_at
            from unnest($1::int[], $2::text[], $3::text[], $4::int[]) as q(bucket, kind, value, n)
            where i.bucket = q.bucket and i.kind = q.kind and i.value = q.value and i.profile_id is null
            returning q.n
            """, with: parameters, context: "locking identities")
        let mine = Set((0..<held.count).map { held.int($0, 0) })
        let lost = open.filter { !mine.contains($0) }
        for (i, row) in zip(lost, try read(lost.map { keys[$0] }, connection)) { rows[i] = row }
    }

    private func read(_ keys: [Row], _ connection: Connection) throws(PostgresError) -> [Row?] {
        if keys.isEmpty { return [] }
        var parameters = self.parameters(keys)
        parameters.append(keys.indices.map { Int32($0) })
        let rows = try connection.execute(
            """
            select q.n, case when a.id is null then i.profile_id else person_of(a.profile_id) end
            from unnest($1::int[], $2::text[], $3::text[], $4::int[]) as q(bucket, kind, value, n)
                join identity i on i.bucket = q.bucket and i.kind = q.kind and i.value = q.value
                left join alias a on a.bucket = bucket_of(i.profile_id) and a.id = i.profile_id
            """, with: parameters, context: "reading identities")
        var found = [Row?](repeating: nil, count: keys.count)
        for row in 0..<rows.count {
            let i = rows.int(row, 0)
            found[i] = keys[i]
            found[i]?.owner = rows.uuidOrNil(row, 1)
            found[i]?.isAwaited = rows.isNull(row, 1)
        }
        return found
    }

    /// Which of them were made.
    private func insert(
        _ keys: [Row], _ owners: [UUID?], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [Bool] {
        var parameters = self.parameters(keys)
        parameters.append(owners)
        parameters.append(now)
        let rows = try connection.execute(
            """
            insert into identity (bucket, kind, value, profile_id, created_at)
            select *, $5::timestamptz from unnest($1::int[], $2::text[], $3::text[], $4::uuid[])
            on conflict (bucket, kind, value) do nothing returning kind, value
            """, with: parameters, context: "writing identities")
        var made: Set<Kinship.Key> = []
        for row in 0..<rows.count {
            let kind = rows.string(row, 0)
            guard let place = kinds.firstIndex(where: { $0.name == kind }) else { continue }
            made.insert(Kinship.Key(place, Array(rows.text(row, 1))))
        }
        return keys.map { made.contains($0.key) }
    }

    /// Says whose identities are that were taken for somebody else, or for nobody.
    func assign(
        _ owners: [(row: Row, owner: UUID)], _ connection: Connection
    ) throws(PostgresError) {
        if owners.isEmpty { return }
        var parameters = self.parameters(owners.map(\.row))
        parameters.append(owners.map(\.owner))
        _ = try connection.execute(
            """
            update identity i set profile_id = q.profile_id
            from unnest($1::int[], $2::text[], $3::text[], $4::uuid[]) as q(bucket, kind, value, profile_id)
            where i.bucket = q.bucket and i.kind = q.kind and i.value = q.value
            """, with: parameters, context: "writing whose identities are")
    }

    /// Moves the identities of profiles that were merged, as far as they are few.
    func move(_ merges: [Merges.Merge], _ connection: Connection) throws(PostgresError) {
        try connection.execute(
            """
            update identity i set profile_id = q.winner
            from unnest($1::uuid[], $2::uuid[]) as q(loser, winner),
                lateral (select bucket, kind, value from identity where profile_id = q.loser limit $3) as o
            where i.bucket = o.bucket and i.kind = o.kind and i.value = o.value
            """, merges.map(\.loser), merges.map(\.winner), Self.mostMoved, context: "moving identities")
    }

    // MARK: What profiles are known by

    /// What profiles are known by, `made` apart: those are this transaction's own, and nobody's yet.
    func facts(
        of profiles: Set<UUID>, without made: Set<Kinship.Key>, _ connection: Connection
    ) throws(PostgresError) -> [UUID: Kinship.Facts] {
        if profiles.isEmpty { return [:] }
        let ids = Array(profiles)
        let rows = try connection.execute(
            """
            select p.id, p.kinds, p.known_at, p.fixed, i.kind, i.value, i.created_at
            from unnest($1::int[], $2::uuid[]) as q(bucket, id)
                join profile p on p.bucket = q.bucket and p.id = q.id
                left join lateral (select kind, value, created_at from identity where profile_id = q.id limit 100) i
                    on true
            """, ids.map(\.bucket), ids, context: "reading what profiles are known by")
        var facts: [UUID: Kinship.Facts] = [:]
        for id in profiles { facts[id] = Kinship.Facts() }
        for row in 0..<rows.count {
            let id = rows.uuid(row, 0)
            var fact = facts[id] ?? Kinship.Facts()
            let names = rows.texts(row, 1)
            fact.kinds.formUnion(kinds.indices.filter { names.contains(kinds[$0].name) })
            fact.isFixed = rows.bool(row, 3)
            fact.knownAt = [fact.knownAt, rows.timestampOrNil(row, 2)].compactMap { $0 }.min()
            // Rows that somebody wrote without us count as well.
            if !rows.isNull(row, 4),
                let kind = kinds.firstIndex(where: { rows.text(row, 4).equals($0.name) }),
                !made.contains(Kinship.Key(kind, Array(rows.text(row, 5))))
            {
                fact.kinds.insert(kind)
                fact.knownAt = [fact.knownAt, rows.timestamp(row, 6)].compactMap { $0 }.min()
            }
            facts[id] = fact
        }
        return facts
    }

    /// Kinds that the configuration does not name any more stay.
    func write(
        _ facts: [UUID: Kinship.Facts], createdBy created: [UUID: Timestamp], _ connection: Connection
    ) throws(PostgresError) {
        if facts.isEmpty { return }
        let rows = facts.sorted { ($0.key.bucket, $0.key) < ($1.key.bucket, $1.key) }
        let names = rows.map { row in row.value.kinds.sorted().map { kinds[$0].name }.joined(separator: "\n")
        }
        try connection.execute(
            """
            update profile p set known_at = q.known_at, created_at = least(p.created_at, q.created_at),
                kinds = (select coalesce(array_agg(distinct k order by k), '{}')
                    from unnest(p.kinds || string_to_array(q.kinds, E'\\n')) as k where k <> '')
            from unnest($1::int[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[])
                as q(bucket, id, kinds, known_at, created_at)
            where p.bucket = q.bucket and p.id = q.id
            """, rows.map(\.key.bucket), rows.map(\.key), names, rows.map(\.value.knownAt),
            rows.map { created[$0.key] }, context: "writing what profiles are known by")
    }

    // MARK: Parts

    func bucket(_ key: Kinship.Key) -> Int32 {
        var text = ByteBuffer(capacity: key.value.count + 32)
        text.append(kinds[key.kind].name)
        text.append(UInt8(ascii: ":"))
        text.append(key.value)
        return Identity.bucket(of: text.bytes)
    }

    /// Bucket, kind and value of each.
    func parameters(_ rows: [Row]) -> Parameters {
        var values = ArrayColumn(of: Bytes.self)
        for row in rows { row.key.value.withUnsafeBytes { values.append($0) } }
        var parameters = Parameters()
        parameters.append(rows.map(\.bucket))
        parameters.append(rows.map { kinds[$0.key.kind].name })
        parameters.append(values)
        return parameters
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func equals(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { equals(UnsafeRawBufferPointer($0)) }
    }
}
