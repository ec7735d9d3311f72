import Foundations

/// Why the schema could not be brought up to date.
package enum MigrationError: Error, Equatable, Sendable {
    case database(PostgresError)
    /// An applied step is not the step of this binary.
    case changed(number: Int, name: String)
    /// The database was migrated by a newer binary.
    case newer(applied: Int, known: Int)
    case encoding(String)
}

/// Applies what is missing, each step in a transaction of its own; returns the numbers of those it applied.
@discardableResult
package func migrate(
    _ connection: Connection, _ migrations: [Migration]
) throws(MigrationError) -> [Int] {
    []
}
