import Foundation
import TestSupport
import Testing

/// The judge of the other tests is judged: what is broken on purpose in the database is found.
@Suite struct BooksTests {
    @Test func aBrokenPromiseIsFound() throws {
        let site = try Site()
        let load = site.load(clients: 3)
        try eventually("something is stored") { try site.database.count("select count(*) from event") > 50 }
        let books = load.stop()
        #expect(try books.violations(in: site.database).isEmpty)
        let database = site.database

        func found(_ text: String, after sql: String, undo: String) throws {
            try database.run(sql)
            let violations = try books.violations(in: database, within: 2, balance: 2)
            #expect(violations.contains { $0.contains(text) }, "\(text): \(violations)")
            try database.run(undo)
        }
        try found(
            "not stored",
            after: """
                create table aside as select * from event where properties ? 'm' limit 1;
                delete from event e using aside a where e.id = a.id
                """, undo: "insert into event select * from aside")
        try found(
            "2 times",
            after: "insert into event select (e.bucket + 1) % 4096, e.id, e.received_at, e.time, e.activity, "
                + "e.label, e.source, e.session_id, e.profile_id, e.properties from event e join aside using (id)",
            undo: "delete from event e using aside a where e.id = a.id and e.bucket <> a.bucket")
        let oneMore = """
            update ledger_entry set received = received + 1 where (source, minute) =
                (select source, minute from ledger_entry order by 1, 2 limit 1)
            """
        let oneLess = oneMore.replacingOccurrences(of: "+ 1", with: "- 1")
        try found("does not add up", after: oneMore, undo: oneLess)
        try found(
            "were seen",
            after: """
                create table someone as select id from profile where traits ? 'seen' limit 1;
                update profile p set traits = traits || jsonb_build_object('seen', (traits->>'seen')::int + 1)
                    from someone s where p.id = s.id
                """,
            undo: """
                update profile p set traits = traits || jsonb_build_object('seen', (traits->>'seen')::int - 1)
                    from someone s where p.id = s.id
                """)
        try found(
            "every alias leads to a profile",
            after: "insert into alias select bucket, id, id, created_at from profile limit 1",
            undo: "delete from alias where id = profile_id")
        #expect(try books.violations(in: database, within: 5).isEmpty)
    }

    @Test func aServerTellsThatItsLedgerDoesNotAddUp() throws {
        let site = try Site()
        _ = try site.server.track(
            #"{"source":{"id":"load-web"},"options":{"debugger":true},"events":[{"type":"a"}]}"#)
        try site.database.run("update ledger_entry set received = received + 1")
        try eventually("readiness tells of the ledger", within: 30, every: 0.1) {
            let answer = try site.server.get("/readyz")
            return answer.status == 503 && answer.text.contains("ledger")
        }
        #expect(try site.server.metric("waymark_ledger_balanced") == 0)
        try site.database.run("update ledger_entry set received = received - 1")
        try site.server.awaitReady()
    }
}
