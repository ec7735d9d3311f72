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

    /// Writes what each profile showed last. What is not decided in this transaction because another one has the
    /// identity is decided there.
    package func write(
        _ shown: [UUID: Kinship.Key], at now: Timestamp, _ rules: IdentityRules, _ connection: Connection
    ) throws(PostgresError) {
        let news = shown.filter { last[$0.key] != $0.value.hashValue }
        if news.isEmpty { return }
        let rows = IdentityRows(kinds: rules.kinds)
        let given = news.map { profile, key in
            (row: IdentityRows.Row(key: key, bucket: rows.bucket(key)), profile: profile)
        }
        var parameters = rows.parameters(given.map(\.row))
        parameters.append(given.map(\.profile))
        parameters.append(now)
        _ = try connection.execute(
            """
            with held as (
                select i.bucket, i.kind, i.value from unnest($1::int[], $2::text[], $3::text[], $4::uuid[])
                        as q(bucket, kind, value, profile)
                    join identity i on i.bucket = q.bucket and i.kind = q.kind and i.value = q.value
                where person_of(i.profile_id) = person_of(q.profile) and exists (
                    select from identity o where o.profile_id = i.profile_id and (o.kind, o.value) <> (i.kind, i.value)
                        and coalesce(o.given_at, o.created_at) >= coalesce(i.given_at, i.created_at))
                for update of i skip locked)
            update identity i set given_at = $5::timestamptz from held
            where i.bucket = held.bucket and i.kind = held.kind and i.value = held.value
            """, with: parameters, context: "writing which identities were given last")
        learnt += news.map { (profile: $0.key, key: $0.value.hashValue) }
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
