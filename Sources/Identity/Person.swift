import Foundations
import Postgres

/// Who somebody is: one profile with everything that was merged into it.
package struct Person: Sendable {
    package struct Identity: Sendable {
        package let kind: String
        package let value: String
        package let since: Timestamp
    }

    /// An id that was answered once and now means this person.
    package struct Alias: Sendable {
        package let id: UUID
        package let since: Timestamp
    }

    package let id: UUID
    /// JSON text, private traits included: whoever shows them decides.
    package let traits: [UInt8]
    package let firstSeenAt: Timestamp
    package let lastSeenAt: Timestamp
    /// The oldest first; at most `mostListed`.
    package let identities: [Identity]
    /// The oldest first; all of them, since events stand under each.
    package let aliases: [Alias]

    /// All ids under which the person's events stand.
    package var ids: [UUID] { [id] + aliases.map(\.id) }

    /// No person is known by more than so many names, but a source that sends random ones.
    private static let mostListed = 1000
}

extension Person {
    /// What a person can be asked for by.
    package enum Key: Sendable {
        case id(UUID)
        /// The value as it is kept: normalised.
        case identity(kind: String, value: String)
        case session(String)
    }

    /// The person as it is now; nil: nobody is known by that.
    package static func find(_ key: Key, _ connection: Connection) throws(PostgresError) -> Person? {
        guard let profile = try profile(key, connection) else { return nil }
        return try read(profile, connection)
    }

    private static func profile(_ key: Key, _ connection: Connection) throws(PostgresError) -> UUID? {
        let rows: Rows
        switch key {
        case .id(let id): return id
        case .identity(let kind, let value):
            rows = try connection.execute(
                """
                select profile_id from identity
                where bucket = bucket_of($1 || ':' || $2) and kind = $1 and value = $2
                """, kind, value)
        case .session(let session):
            rows = try connection.execute(
                "select profile_id from session where bucket = bucket_of($1::text) and id = $1", session)
        }
        return rows.isEmpty ? nil : rows.uuidOrNil(0, 0)
    }

    private static func read(_ id: UUID, _ connection: Connection) throws(PostgresError) -> Person? {
        let now = try connection.execute(
            "select profile_id from alias where bucket = $1 and id = $2", id.bucket, id)
        let id = now.isEmpty ? id : now.uuid(0, 0)
        let profile = try connection.execute(
            "select traits, created_at, last_seen_at from profile where bucket = $1 and id = $2", id.bucket,
            id)
        if profile.isEmpty { return nil }
        let aliases = try aliases(of: id, connection)
        return Person(
            id: id, traits: Array(profile.json(0, 0)), firstSeenAt: profile.timestamp(0, 1),
            lastSeenAt: profile.timestamp(0, 2),
            identities: try identities(of: [id] + aliases.map(\.id), connection), aliases: aliases)
    }

    private static func aliases(
        of id: UUID, _ connection: Connection
    ) throws(PostgresError) -> [Alias] {
        let rows = try connection.execute(
            "select id, created_at from alias where profile_id = $1 order by created_at, id", id)
        return (0..<rows.count).map { Alias(id: rows.uuid($0, 0), since: rows.timestamp($0, 1)) }
    }

    private static func identities(
        of ids: [UUID], _ connection: Connection
    ) throws(PostgresError) -> [Identity] {
        let rows = try connection.execute(
            """
            select kind, value, created_at from identity where profile_id = any($1)
            order by created_at, kind, value limit $2
            """, ids, mostListed)
        return (0..<rows.count).map {
            Identity(kind: rows.string($0, 0), value: rows.string($0, 1), since: rows.timestamp($0, 2))
        }
    }
}
