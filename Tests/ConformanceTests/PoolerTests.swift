import TestSupport
import Testing

/// A server whose database is behind a PgBouncer in transaction mode: no two of its transactions need run in the same
/// session.
struct PoolerTests {
    @Test func allIsStoredAndFiredThroughAPooler() throws {
        let pooler = try Pooler(PostgresServer.shared.get())
        let world = try JourneysWorld(JourneysTests.journeys) {
            $0.database = pooler.conninfo(of: String(Database(conninfo: $0.database ?? "").name))
        }
        try world.settle()
        let order = unique("order")
        // Enough for the server to have any statement prepared that it uses often.
        for i in 0..<30 {
            let session = unique("s")
            for total in [99, 100 + i] {
                try world.track(
                    "product purchase", #"{"total": \#(total), "order": "\#(order)-\#(i)"}"#, session: session
                )
            }
        }
        #expect(try world.await(30, with: order).count == 30)
        #expect(
            try world.database.count("select count(*) from event where activity = 'product-purchase'") == 60)
        let errors = world.server.log.split(separator: "\n").filter { $0.contains("prepared statement") }
        #expect(errors.isEmpty)
    }
}
