import Foundations
import Postgres

/// Who somebody is: one profile with everything that was merged into it.
package struct Person: Sendable {
    /// Private traits included: whoever shows them decides.
    package let summary: People.Summary
    package let identities: [People.KnownBy]
    package let aliases: [People.OtherID]
    /// All ids under which the person's events stand.
    package let ids: [UUID]

    package var id: UUID { summary.id }
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
        guard let id = try id(key, connection),
            let summary = try People.summary(of: id, withPrivate: true, connection)
        else { return nil }
        return Person(
            summary: summary, identities: try People.identities(of: id, connection),
            aliases: try People.aliases(of: id, connection), ids: try People.ids(of: id, connection))
    }

    private static func id(_ key: Key, _ connection: Connection) throws(PostgresError) -> UUID? {
        switch key {
        case .id(let id): return try People.find(id, connection)
        case .identity(let kind, let value):
            return try People.find(kind: kind, value: value, connection)
        case .session(let session):
            let rows = try connection.execute(
                "select person_of(profile_id) from session where bucket = bucket_of($1::text) and id = $1",
                session)
            return rows.isEmpty ? nil : rows.uuidOrNil(0, 0)
        }
    }
}
