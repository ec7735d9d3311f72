import Foundation

/// A PgBouncer that gives each transaction whichever of three sessions is free.
package final class Pooler: Sendable {
    private let child: Child
    private let folder: String

    package init(_ server: PostgresServer) throws {
        folder = Scratch.shared.newPath("pooler")
        let user = PostgresServer.user
        guard mkdir(folder, 0o755) == 0 else { throw Failure("mkdir \(folder)") }
        let file = "\(folder)/pooler.ini"
        try writeFile(
            file,
            """
            [databases]
            * = host=\(server.socket) port=5432 user=postgres
            [pgbouncer]
            listen_addr =
            listen_port = 5432
            unix_socket_dir = \(folder)
            auth_type = any
            pool_mode = transaction
            default_pool_size = 3

            """)
        if let user { try run(["/bin/chown", "-R", user, folder]) }
        let log = Scratch.shared.newPath("pooler.log")
        child = try Child(["/usr/sbin/pgbouncer", file], user: user, output: log)
        let (child, socket) = (child, "\(folder)/.s.PGSQL.5432")
        try eventually("PgBouncer runs") {
            guard child.isRunning else { throw Failure("PgBouncer: \(child.said)") }
            return access(socket, F_OK) == 0
        }
    }

    deinit { child.end() }

    package func conninfo(of database: String) -> String {
        "postgresql:///\(database)?host=\(folder)&user=postgres"
    }
}
