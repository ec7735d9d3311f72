import Foundations
import Postgres

/// Reading profiles as they are now.
package enum Profile {
    /// The traits of a profile, or of the one that it was merged into, as JSON text; without the private ones.
    package static func publicTraits(
        of id: UUID, _ connection: Connection
    ) throws(PostgresError) -> [UInt8]? {
        let rows = try connection.execute(
            """
            select p.traits - 'private' from (select person_of($1) as id) as now
                join profile p on p.bucket = bucket_of(now.id) and p.id = now.id
            """, id)
        return rows.isEmpty ? nil : Array(rows.json(0, 0))
    }
}

extension Installation {
    /// Reads the secret that the first migration made, and takes it (see `confirm`).
    package func load(_ connection: Connection) throws {
        let rows = try connection.execute("select secret from installation")
        guard rows.count == 1 else {
            throw PostgresError(.server, "the table installation has no row", context: "reading the secret")
        }
        try confirm(secret: Array(rows.bytea(0, 0)))
    }
}
