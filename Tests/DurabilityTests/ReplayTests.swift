import Foundation
import TestSupport
import Testing

/// Replays from the quarantine are done exactly once, whatever dies meanwhile, and however many servers do them.
@Suite struct ReplayTests {
    private static let count = 1500

    /// Two servers on one PostgreSQL; `rules`: of the only source.
    private func options(_ rules: String, _ database: Database) -> ServerOptions {
        ServerOptions(sources: ["{id: web, kind: web\(rules)}"], database: database.conninfo)
    }

    /// Events of 8 kB, so that it takes many records to replay them.
    private func fill(_ server: Server) throws {
        let text = String(repeating: "x", count: 8000)
        for request in 0..<Self.count / 50 {
            let events = (0..<50).map {
                let marker = "m-\(request)-\($0)"
                return #"{"type":"a","id":"\#(marker)","properties":{"m":"\#(marker)","text":"\#(text)"}}"#
            }
            _ = try server.track(
                #"{"source":{"id":"web"},"session":{"id":"s\#(request)"},"events":[\#(events.joined(separator: ","))]}"#
            )
        }
    }

    @Test func replaysAreDoneOnceWhateverIsKilled() throws {
        let postgres = try PostgresServer(durable: true)
        let database = try postgres.makeDatabase()
        let servers = try (0..<2).map { _ in
            try Server.ready(options(", deny: [a], denied: quarantine", database))
        }
        try fill(servers[0])
        try eventually("all are in the quarantine", within: 60) {
            try database.count("select count(*) from quarantine") == Self.count
        }
        let ids = try database.rows("select id, received_at from quarantine order by id")
        for server in servers {
            try server.change { $0 = options("", database) }
            server.reload()
        }
        try database.run("update quarantine set request = gen_random_uuid(), requested_at = now()")

        var random = SeededRandom(.random(in: .min ... .max))
        var left: [Int] = []
        for round in 0..<6 {
            pause(.random(in: 0.05...0.6, using: &random))
            left.append(try database.count("select count(*) from quarantine"))
            if round == 3 {
                postgres.kill()
                try postgres.start()
            } else {
                let server = servers[round % 2]
                server.kill()
                try server.start()
            }
        }
        try eventually("nothing is left in the quarantine", within: 90, every: 0.25) {
            try database.count("select count(*) from quarantine") == 0
        }
        print("in the quarantine at each kill: \(left)")
        #expect(
            try database.rows("select id, received_at from event where source = 'web' order by id")
                == ids)
        #expect(try database.count("select count(*) from replay where outcome = 'stored'") == Self.count)
        #expect(
            try database.rows("select sum(received), sum(stored), sum(quarantined) from ledger")
                == [["\(Self.count)", "\(Self.count)", "0"]])
        #expect(try Books.imbalances(in: database).isEmpty)
        let bound = try database.count(
            """
            select count(*) from event e join session s on s.id = e.session_id and s.profile_id = e.profile_id
            where e.source = 'web'
            """)
        #expect(bound == Self.count)
    }
}
