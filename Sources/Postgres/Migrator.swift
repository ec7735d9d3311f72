import Foundations

/// Why the schema could not be brought up to date.
package enum MigrationError: Error, Equatable, Sendable {
    case database(PostgresError)
    /// An applied step is not the step of this binary.
    case changed(number: Int, name: String)
    /// The database was migrated by a newer binary.
    case newer(applied: Int, known: Int)
    /// The database cannot hold every text.
    case encoding(String)
}

extension MigrationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .database(let error): error.description
        case .changed(let number, let name):
            "migration \(number) (\(name)) was applied with another text: this binary is not of the same release line"
        case .newer(let applied, let known):
            "the database has migration \(applied), this binary knows \(known): it needs the newer release"
        case .encoding(let encoding): "the database's encoding is \(encoding) (expected UTF8)"
        }
    }
}

/// Applies the steps that are missing, each in a transaction of its own; returns the numbers of those it applied.
///
/// Any number of instances may call this at once: each step is done under an advisory lock of its transaction, and
/// whoever comes second finds it done. What was applied is remembered, with a checksum of its text, in
///
///     migration(number int primary key, name text, applied_at timestamptz, checksum text)
///
/// A step may take ten minutes; so may the wait for another instance's.
@discardableResult
package func migrate(_ connection: Connection, _ migrations: [Migration]) throws(MigrationError) -> [Int] {
    let encoding = connection.setting("server_encoding")
    guard encoding == "UTF8" else { throw .encoding(encoding) }
    let deadline = connection.deadline
    connection.deadline = 600_000
    defer { connection.deadline = deadline }
    do {
        try verify(try applied(connection), against: migrations)
        var done: [Int] = []
        for migration in migrations {
            if try apply(migration, of: migrations, on: connection) { done.append(migration.number) }
        }
        return done
    } catch let error as MigrationError {
        throw error
    } catch let error as PostgresError {
        throw .database(error)
    } catch {
        preconditionFailure("an error of neither kind: \(error)")
    }
}

/// One step, unless another instance was first; whether it was us.
private func apply(_ migration: Migration, of all: [Migration], on connection: Connection) throws -> Bool {
    let context = "migration \(migration.number) (\(migration.name))"
    if try applied(connection)[migration.number] != nil { return false }
    try connection.begin(context: context)
    do {
        try connection.execute("select pg_advisory_xact_lock($1)", migrationLock, context: context)
        try connection.script(table, context: context)
        let before = try applied(connection)
        try verify(before, against: all)
        if before[migration.number] == nil {
            try connection.script(migration.sql, context: context)
            try connection.execute(
                "insert into migration (number, name, checksum) values ($1, $2, $3)",
                Int32(migration.number), migration.name, checksum(migration.sql), context: context)
        }
        try connection.commit(context: context)
        return before[migration.number] == nil
    } catch {
        if connection.isUsable { try connection.rollback() }
        throw error
    }
}

/// What the database has: number → (name, checksum).
private func applied(_ connection: Connection) throws(PostgresError) -> [Int: (
    name: String, checksum: String
)] {
    let context = "reading the applied migrations"
    let found = try connection.execute("select to_regclass('migration') is not null", context: context)
    guard found.bool(0, 0) else { return [:] }
    let rows = try connection.execute("select number, name, checksum from migration", context: context)
    var applied: [Int: (name: String, checksum: String)] = [:]
    for row in 0..<rows.count {
        applied[rows.int(row, 0)] = (rows.string(row, 1), rows.string(row, 2))
    }
    return applied
}

private func verify(
    _ applied: [Int: (name: String, checksum: String)], against migrations: [Migration]
) throws(MigrationError) {
    let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.number, $0) })
    let last = migrations.map(\.number).max() ?? 0
    if let newest = applied.keys.max(), newest > last { throw .newer(applied: newest, known: last) }
    for (number, row) in applied.sorted(by: { $0.key < $1.key }) {
        guard let migration = known[number], checksum(migration.sql) == row.checksum else {
            throw .changed(number: number, name: row.name)
        }
    }
}

/// 64 bits of a keyless hash, in hexadecimal digits: it finds an accident, not an enemy.
private func checksum(_ sql: String) -> String {
    var sql = sql
    let hash = sql.withUTF8 { SipHash(k0: 0, k1: 0).hash(Bytes($0)) }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

/// "waymark\0" as a number: whatever else uses advisory locks in this database is unlikely to use the same.
private let migrationLock: Int64 = 0x7761_796d_6172_6b00

private let table = """
    create table if not exists migration (
        number int primary key,
        name text not null,
        applied_at timestamptz not null default now(),
        checksum text not null
    )
    """
