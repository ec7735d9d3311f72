import CLibpq
import Foundation

/// A test's own look into the database: text in, text out, connected again when the connection was lost.
package final class Database: @unchecked Sendable {  // `connection` is owned by whoever holds `lock`
    package let conninfo: String
    private let lock = NSLock()
    private var connection: OpaquePointer?

    package init(conninfo: String) { self.conninfo = conninfo }

    deinit { PQfinish(connection) }

    /// Its name, of one that `PostgresServer` made.
    package var name: Substring { conninfo.dropFirst("postgresql:///".count).prefix { $0 != "?" } }

    /// The same one of `PostgresServer`, by TCP over a port of this machine.
    package func conninfo(over port: Int) -> String {
        return "postgresql://postgres@127.0.0.1:\(port)/\(name)"
    }

    /// The rows of a query; null is nil.
    @discardableResult
    package func rows(_ sql: String, _ parameters: String?...) throws -> [[String?]] {
        try lock.withLock { try query(sql, parameters) }
    }

    /// The first column of the first row; nil when there is no row, or it is null.
    package func value(_ sql: String, _ parameters: String?...) throws -> String? {
        try lock.withLock { try query(sql, parameters).first?.first ?? nil }
    }

    package func count(_ sql: String, _ parameters: String?...) throws -> Int {
        let text = try lock.withLock { try query(sql, parameters).first?.first ?? nil }
        guard let text, let count = Int(text) else { throw Failure("no number from \(sql)") }
        return count
    }

    /// Statements without parameters.
    package func run(_ sql: String) throws {
        try lock.withLock {
            let result = PQexec(try connected(), sql)
            defer { PQclear(result) }
            try check(result, sql)
        }
    }

    private func connected() throws -> OpaquePointer {
        if let connection, PQstatus(connection) == CONNECTION_OK { return connection }
        PQfinish(connection)
        let isURI = conninfo.contains("://")
        let more =
            isURI
            ? "&connect_timeout=20&application_name=test&options=-c%20statement_timeout%3D60s"
            : " connect_timeout=20 application_name=test options='-c statement_timeout=60s'"
        let new = PQconnectdb(conninfo + (isURI && !conninfo.contains("?") ? "?" + more.dropFirst() : more))
        connection = new
        guard let new, PQstatus(new) == CONNECTION_OK else {
            throw Failure("connection: \(String(cString: PQerrorMessage(new)))")
        }
        PQsetNoticeProcessor(new, { _, _ in }, nil)
        return new
    }

    /// A connection that turns out to be lost is made anew, once.
    private func query(_ sql: String, _ parameters: [String?]) throws -> [[String?]] {
        do {
            return try query(sql, parameters, try connected())
        } catch  where PQstatus(connection) != CONNECTION_OK {
            return try query(sql, parameters, try connected())
        }
    }

    private func query(_ sql: String, _ parameters: [String?], _ connection: OpaquePointer) throws
        -> [[String?]]
    {
        let texts = parameters.map { $0.map { strdup($0) } }
        defer { for text in texts { free(text ?? nil) } }
        let values: [UnsafePointer<CChar>?] = texts.map { $0.map { UnsafePointer($0!) } }
        let result = PQexecParams(connection, sql, Int32(values.count), nil, values, nil, nil, 0)
        defer { PQclear(result) }
        try check(result, sql)
        return (0..<PQntuples(result)).map { row in
            (0..<PQnfields(result)).map { column in
                PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
            }
        }
    }

    private func check(_ result: OpaquePointer?, _ sql: String) throws {
        let status = PQresultStatus(result)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else {
            throw Failure("\(String(cString: PQresultErrorMessage(result)))in: \(sql.prefix(300))")
        }
    }
}
