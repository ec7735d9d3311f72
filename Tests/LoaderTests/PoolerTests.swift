import Postgres
import TestSupport
import Testing

/// Behind a pooler in transaction mode, no session is one's own: nothing may be prepared there.
struct PoolerTests {
    @Test func aPoolerIsRecognised() throws {
        let server = try PostgresServer.shared.get()
        let pooler = try Pooler(server)
        for (conninfo, keeps) in [
            (server.conninfo(of: "postgres"), true), (pooler.conninfo(of: "postgres"), false),
        ] {
            let connection = try Connection(conninfo, name: "test")
            try connection.keepStatements()
            #expect(connection.keeps == keeps)
            for _ in 0..<10 { _ = try connection.execute("select $1 + 1", Int32(1)) }
            let kept = try connection.execute(
                "select count(*) from pg_prepared_statements where name like 'waymark%'")
            #expect((kept.int(0, 0) > 0) == keeps)
        }
    }
}
