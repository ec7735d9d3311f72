import Foundations
import Postgres
import TestSupport
import Testing

@testable import Loader

/// What keeps the tables in order, held against a real PostgreSQL.
@Suite struct MaintenanceTests {
    private func connect() throws -> Postgres.Connection {
        let database = try PostgresServer.shared.get().makeDatabase()
        let connection = try Postgres.Connection(database.conninfo, name: "test")
        try migrate(connection, Schema.migrations)
        return connection
    }

    @Test func idsWhoseTimeIsOverAreForgotten() throws {
        let connection = try connect()
        try connection.script(
            """
            insert into event_key (bucket, key, content, day)
            select n % 4096, gen_random_uuid(), n, 20000 + n % 40 from generate_series(1, 400) n
            """)
        #expect(try Maintenance.forgetKeys(olderThan: 20_010, connection) == 100)
        let left = try connection.execute("select count(*), min(day) from event_key")
        #expect(left.int(0, 0) == 300)
        #expect(left.int(0, 1) == 20_010)
        #expect(try Maintenance.forgetKeys(olderThan: 20_010, connection) == 0)
    }

    @Test func theTableOfSourcesFollowsTheConfiguration() throws {
        let connection = try connect()
        func rows() throws -> [String] {
            let rows = try connection.execute(
                "select concat_ws('|', id, name, array_to_string(kinds, '+'), enabled) from source order by id"
            )
            return (0..<rows.count).map { rows.string($0, 0) }
        }
        var shop = Source(id: "shop", name: "Shop", kinds: [.web, .backend])
        let crm = Source(id: "crm", kinds: [.backend])
        try Maintenance.write([shop, crm], at: Timestamp(seconds: 1), connection)
        #expect(try rows() == ["crm|crm|backend|t", "shop|Shop|backend+web|t"])

        shop.enabled = false
        try Maintenance.write([shop], at: Timestamp(seconds: 2), connection)
        #expect(try rows() == ["crm|crm|backend|t", "shop|Shop|backend+web|f"])
        let changed = try connection.execute(
            "select count(*) from source where configured_at = $1", Timestamp(seconds: 2))
        #expect(changed.int(0, 0) == 1)
    }
}
