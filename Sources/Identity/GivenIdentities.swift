import Foundations
import Postgres

/// Which of its identities each person gave last, for the receivers of webhooks.
///
/// `identity.given_at` is written only where it decides something: for a person with several identities who gives
/// another one than before. What this server saw last costs no statement; it is believed for a minute, since another
/// server may see the person meanwhile.
package final class GivenIdentities {
    private static let believed: Int64 = 60_000_000
    private static let most = 1 << 16

    private var last: [UUID: Int] = [:]
    private var since = Timestamp(microseconds: 0)
    private var learnt: [(profile: UUID, key: Int)] = []

    package init() {}

    /// Writes what each profile showed last.
    package func write(
        _ shown: [UUID: Kinship.Key], at now: Timestamp, _ rules: IdentityRules, _ connection: Connection
    ) throws(PostgresError) {
        let news = shown.filter { last[$0.key] != $0.value.hashValue }
        if news.isEmpty { return }
        let rows = IdentityRows(kinds: rules.kinds)
        let given = news.map { profile, key in
            (row: IdentityRows.Row(key: key, bucket: rows.bucket(key)), profile: profile)
        }.sorted { $0.row.precedes($1.row) }
        let behind = try behind(given, rows, connection).map { given[$0].row }
        if !behind.isEmpty {
            var parameters = rows.parameters(behind)
            parameters.append(now)
            _ = try connection.execute(
                """
                update identity i set given_at = $4::timestamptz
                from unnest($1::int[], $2::text[], $3::text[]) as q(bucket, kind, value)
                where i.bucket = q.bucket and i.kind = q.kind and i.value = q.value
                """, with: parameters, context: "writing which identities were given last")
        }
        learnt += news.map { (profile: $0.key, key: $0.value.hashValue) }
    }

    /// Those whose persons have others that were given later, or at the same time.
    private func behind(
        _ given: [(row: IdentityRows.Row, profile: UUID)], _ rows: IdentityRows, _ connection: Connection
    ) throws(PostgresError) -> [Int] {
        var parameters = rows.parameters(given.map(\.row))
        parameters.append(given.map(\.profile))
        parameters.append(given.indices.map { Int32($0) })
        let found = try connection.execute(
            """
            select distinct q.n from unnest($1::int[], $2::text[], $3::text[], $4::uuid[], $5::int[])
                    as q(bucket, kind, value, profile, n)
                join identity i on i.bucket = q.bucket and i.kind = q.kind and i.value = q.value
                join identity o on o.profile_id = i.profile_id and (o.kind, o.value) <> (i.kind, i.value)
                    and coalesce(o.given_at, o.created_at) >= coalesce(i.given_at, i.created_at)
            where person_of(i.profile_id) = person_of(q.profile) order by q.n
            """, with: parameters, context: "reading which identities were given last")
        return (0..<found.count).map { found.int($0, 0) }
    }

    /// How much was learnt since the last commit.
    package var mark: Int { learnt.count }

    /// Call after a rollback: what was learnt since that mark is not so.
    package func rolledBack(to mark: Int) { learnt.removeSubrange(mark...) }

    /// Call after the commit.
    package func committed(at now: Timestamp) {
        if abs(now.microseconds - since.microseconds) > Self.believed || last.count > Self.most {
            last.removeAll(keepingCapacity: true)
            since = now
        }
        for (profile, key) in learnt { last[profile] = key }
        learnt.removeAll()
    }
}
