import Foundations
import Payload
import Postgres

/// Reading who is who: a person is found by any of its ids or identities, and every answer is of the person that
/// it is now.
///
/// Each of these is a statement or two by index; lists come in pages (`limit`, `after`).
package enum People {
    /// What a person is known by.
    package struct KnownBy: Sendable, Equatable {
        package let kind: String
        package let value: String
        package let since: Timestamp
    }

    /// An id that means the person as well.
    package struct OtherID: Sendable, Equatable {
        package let id: UUID
        package let since: Timestamp
    }

    /// One row of `profile`.
    package struct Summary: Sendable {
        package let id: UUID
        /// JSON text.
        package let traits: [UInt8]
        /// The kinds of identities that it is known by.
        package let kinds: [String]
        package let createdAt: Timestamp
        package let lastSeenAt: Timestamp
        /// Nil: anonymous.
        package let knownAt: Timestamp?
    }

    // MARK: Finding

    /// The person that an id means; nil: nobody.
    package static func find(_ id: UUID, _ connection: Connection) throws(PostgresError) -> UUID? {
        let rows = try connection.execute(
            """
            select p.id from (select person_of($1) as id) q join profile p on p.bucket = bucket_of(q.id) and p.id = q.id
            """, id)
        return rows.isEmpty ? nil : rows.uuid(0, 0)
    }

    /// The person that is known by this; `value` is taken as it is kept, so normalize it before.
    package static func find(
        kind: String, value: String, _ connection: Connection
    ) throws(PostgresError) -> UUID? {
        let rows = try connection.execute(
            """
            select person_of(profile_id) from identity
            where bucket = bucket_of($1 || ':' || $2) and kind = $1 and value = $2 and profile_id is not null
            """, kind, value)
        return rows.isEmpty ? nil : rows.uuid(0, 0)
    }

    /// Everybody who is known by this value, whatever the kind: what a person at a search field types.
    package static func search(
        value: String, kinds: [String], _ connection: Connection
    ) throws(PostgresError) -> [UUID] {
        let rows = try connection.execute(
            """
            select distinct person_of(i.profile_id) from unnest($1::text[]) as q(kind)
                join identity i on i.bucket = bucket_of(q.kind || ':' || $2) and i.kind = q.kind and i.value = $2
            where i.profile_id is not null order by 1
            """, kinds, value)
        return (0..<rows.count).map { rows.uuid($0, 0) }
    }

    // MARK: What belongs to a person

    /// All ids under which its events, sessions and deliveries may stand, its own first.
    package static func ids(
        of person: UUID, limit: Int = 10_000, _ connection: Connection
    ) throws(PostgresError) -> [UUID] {
        let rows = try connection.execute("select * from ids_of($1) limit $2", person, limit)
        return (0..<rows.count).map { rows.uuid($0, 0) }
    }

    /// The row; nil: there is none, or the id is one that was merged.
    package static func summary(
        of person: UUID, withPrivate: Bool, _ connection: Connection
    ) throws(PostgresError) -> Summary? {
        let rows = try connection.execute(
            "select \(columns(withPrivate)) from profile where bucket = $1 and id = $2", person.bucket, person
        )
        return rows.isEmpty ? nil : summary(rows, 0)
    }

    /// All profiles, in the order of their ids.
    package static func list(
        limit: Int, after: UUID?, withPrivate: Bool, _ connection: Connection
    ) throws(PostgresError) -> [Summary] {
        let rows = try connection.execute(
            """
            select \(columns(withPrivate)) from profile
            where $1::uuid is null or (bucket, id) > (bucket_of($1), $1) order by bucket, id limit $2
            """, after, limit)
        return (0..<rows.count).map { summary(rows, $0) }
    }

    /// What it is known by, in the order of kind and value; `after` is the last one of the page before.
    package static func identities(
        of person: UUID, limit: Int = 1000, after: KnownBy? = nil, _ connection: Connection
    ) throws(PostgresError) -> [KnownBy] {
        let rows = try connection.execute(
            """
            select i.kind, i.value, i.created_at from ids_of($1) as q(id) join identity i on i.profile_id = q.id
            where $2::text is null or (i.kind, i.value) > ($2, $3) order by i.kind, i.value limit $4
            """, person, after?.kind, after?.value, limit)
        return (0..<rows.count).map {
            KnownBy(kind: rows.string($0, 0), value: rows.string($0, 1), since: rows.timestamp($0, 2))
        }
    }

    /// The ids that were merged into it, in their order.
    package static func aliases(
        of person: UUID, limit: Int = 1000, after: UUID? = nil, _ connection: Connection
    ) throws(PostgresError) -> [OtherID] {
        let rows = try connection.execute(
            """
            select a.id, a.created_at from ids_of($1) as q(id) join alias a on a.bucket = bucket_of(q.id) and a.id = q.id
            where $2::uuid is null or a.id > $2 order by a.id limit $3
            """, person, after, limit)
        return (0..<rows.count).map { OtherID(id: rows.uuid($0, 0), since: rows.timestamp($0, 1)) }
    }

    /// How its traits came to their values, as JSON text: `{"company": {"value": …, "at": …, "history": […]}}`.
    package static func history(
        of person: UUID, withPrivate: Bool, _ connection: Connection
    ) throws(PostgresError) -> [UInt8] {
        let rows = try connection.execute(
            """
            select coalesce(jsonb_object_agg(name, state), '{}') from trait
            where bucket = $1 and profile_id = $2 and ($3 or name not like 'private.%')
            """, person.bucket, person, withPrivate)
        return Array(rows.json(0, 0))
    }

    private static func columns(_ withPrivate: Bool) -> String {
        let traits = withPrivate ? "traits" : "traits - 'private'"
        return "id, \(traits), kinds, created_at, last_seen_at, known_at"
    }

    private static func summary(_ rows: Rows, _ row: Int) -> Summary {
        Summary(
            id: rows.uuid(row, 0), traits: Array(rows.json(row, 1)),
            kinds: rows.texts(row, 2).compactMap { $0 },
            createdAt: rows.timestamp(row, 3), lastSeenAt: rows.timestamp(row, 4),
            knownAt: rows.timestampOrNil(row, 5))
    }
}
