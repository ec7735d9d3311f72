import TestSupport
import Testing

/// The quarantine and its replays (contract of activities, section 6), on a server whose rules change.
@Suite struct QuarantineTests {
    let server: Server
    let database: Database

    private static let sources = [
        "{id: web, kind: web, deny: [secret], denied: quarantine}", "{id: crm, kind: backend}",
    ]

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        var options = ServerOptions(sources: Self.sources, database: database.conninfo)
        options.limits = ["depth: 5"]
        server = try Server.ready(options)
    }

    // MARK: Steps

    private func mend(_ change: (inout ServerOptions) -> Void) throws {
        let before = server.log.split(separator: "configuration reloaded").count
        try server.change(change)
        server.reload()
        try eventually("the rules are taken over") {
            server.log.split(separator: "configuration reloaded").count > before
        }
    }

    private func allowAll() throws {
        try mend {
            $0.sources = ["{id: web, kind: web}", "{id: crm, kind: backend}"]
            $0.limits = ["depth: 100"]
        }
    }

    /// Until so many events are in the quarantine.
    private func quarantined(_ count: Int) throws {
        try eventually("\(count) in the quarantine") {
            try database.count("select count(*) from quarantine") == count
        }
    }

    private func replay(_ words: String...) throws -> (isDone: Bool, output: String) {
        let (exit, output) = try run(
            [Server.binary, "quarantine", "replay"] + words + ["--config", server.configuration])
        return (exit == .code(0), output)
    }

    private func ledger() throws -> [[String?]] {
        try database.rows(
            "select sum(received), sum(stored), sum(duplicate), sum(quarantined) from ledger")
    }

    private static let deep = #"{"v":[[[[[[1]]]]]]}"#

    // MARK: Tests

    @Test func whatAChangedRuleMendsIsStoredAsIfItHadComeThen() throws {
        let answer = try server.track(
            #"""
            {"source":{"id":"web"},"session":{"id":"s1"},"context":{"page":1},"sentAt":"2026-01-02T03:04:05Z","events":[
             {"type":"fine"},
             {"type":"secret","id":"k1","properties":{"a":1},"time":"2026-01-02T03:04:00Z","tags":["t"]},
             {"type":"Deep One","id":"k2","properties":\#(Self.deep)}]}
            """#)
        let profile = try #require(answer["profile", "id"]?.text)
        try quarantined(2)
        let before = try database.rows("select id, received_at from quarantine order by client_id")
        #expect(try ledger() == [["3", "1", "0", "2"]])

        let tooEarly = try replay("--all")
        #expect(!tooEarly.isDone)
        #expect(tooEarly.output.contains("1 still in the quarantine: denied"))
        #expect(tooEarly.output.contains("1 still in the quarantine: limit"))
        #expect(try database.rows("select distinct attempts from quarantine") == [["1"]])

        try allowAll()
        let mended = try replay("--reason", "denied", "--reason", "limit", "--source", "web", "--since", "1d")
        #expect(mended.isDone, "\(mended.output)")
        #expect(mended.output.contains("2 asked for\n2 stored"))
        let after = try database.rows(
            "select id, received_at from event where client_id in ('k1', 'k2') order by client_id")
        #expect(after == before)
        let told = try database.rows(
            """
            select distinct session_id, profile_id, source from event where client_id in ('k1', 'k2')
            """)
        #expect(told == [["s1", profile, "web"]])
        let event = try database.rows(
            """
            select activity, label, tags::text, properties::text, client_time::text,
                received_at - time between '0' and '10 s' from event where client_id = 'k1'
            """)
        #expect(event.first?.dropLast(2) == ["secret", "secret", "{t}", #"{"a": 1}"#])
        #expect(event.first?.last == "t", "the client's clock is corrected as it was then")
        #expect(try database.count("select count(*) from quarantine") == 0)
        #expect(try ledger() == [["3", "3", "0", "0"]])

        let again = try server.track(
            #"{"source":{"id":"web"},"options":{"debugger":true},"events":[{"type":"secret","id":"k1","properties":{"a":1}}]}"#
        )
        #expect(again["warnings"]?.list?.contains("duplicate") == true)
        #expect(try Books.imbalances(in: database).isEmpty)
    }

    @Test func whatIsAskedForTwiceAtOnceIsStoredOnce() throws {
        _ = try server.track(
            #"{"source":{"id":"web"},"events":[{"type":"secret","properties":{"n":1}},{"type":"secret"}]}"#)
        try quarantined(2)
        try allowAll()
        _ = try together({ try replay("--all") }, { try replay("--all") })
        #expect(try ledger() == [["2", "2", "0", "0"]])
        #expect(try database.count("select count(*) from event where activity = 'secret'") == 2)
        let nothing = try replay("--all")
        #expect(!nothing.isDone)
        #expect(nothing.output.contains("nothing in the quarantine"))
    }

    @Test func aCollectedEventKeepsItsKeyAndTime() throws {
        let answer = try server.post(
            "/collect/Sale/crm/s9", Self.deep,
            [("Idempotency-Key", "sale-1"), ("X-Event-Time", "2026-01-02T03:04:05Z")])
        #expect(answer.status == 422)
        try quarantined(1)
        try allowAll()
        #expect(try replay("--all").isDone)
        let row = try database.rows(
            """
            select activity, label, client_id, session_id, extract(epoch from client_time)::bigint, properties::text,
                profile_id is not null from event where activity = 'sale'
            """)
        #expect(row == [["sale", "Sale", "sale-1", "s9", "1767323045", #"{"v": [[[[[[1]]]]]]}"#, "t"]])
        #expect(try database.count("select count(*) from session where id = 's9'") == 1)
    }

    @Test func aConflictStaysOne() throws {
        for n in 1...2 {
            _ = try server.track(
                #"{"source":{"id":"web"},"events":[{"type":"a","id":"x","properties":{"n":\#(n)}}]}"#)
        }
        try quarantined(1)
        let result = try replay("--reason", "conflict")
        #expect(!result.isDone)
        #expect(result.output.contains("1 still in the quarantine: conflict"))
        #expect(try ledger() == [["2", "1", "0", "1"]])
    }

    @Test func whatIsStillPoisonGoesBackAndIsStoredOnceItIsNone() throws {
        try database.run(
            """
            create function refuse() returns trigger language plpgsql as $$ begin
                if new.activity = 'bad' then raise exception 'not this one' using errcode = '22023'; end if;
                return new; end $$;
            create trigger refuse before insert on event for each row execute function refuse();
            """)
        _ = try server.track(#"{"source":{"id":"web"},"events":[{"type":"bad","properties":{"é":[1]}}]}"#)
        try quarantined(1)
        let stillBad = try replay("--all")
        #expect(!stillBad.isDone)
        #expect(stillBad.output.contains("1 still in the quarantine: poison"))
        let why = try database.rows("select attempts, detail->>'message', detail->>'code' from quarantine")
        #expect(why == [["1", "not this one", "22023"]])
        try database.run("drop trigger refuse on event")
        #expect(try replay("--all").isDone)
        #expect(
            try database.rows("select properties::text from event where activity = 'bad'")
                == [[#"{"é": [1]}"#]])
    }

    @Test func aSourceThatIsGoneKeepsItsEvents() throws {
        _ = try server.track(#"{"source":{"id":"web"},"events":[{"type":"secret"}]}"#)
        try quarantined(1)
        try mend { $0.sources = ["{id: webb, kind: web}"] }
        #expect(try !replay("--all").isDone)
        let row = try database.rows("select reason, detail->>'nearest' from quarantine")
        #expect(row == [["source", "webb"]])
    }

    @Test func listShowAndDropSayWhatIsThere() throws {
        _ = try server.post("/track", #"{"source":{"id":"web"},"events":[{"typ":"a"},{"typ":"b"}]}"#)
        _ = try server.track(#"{"source":{"id":"web"},"events":[{"type":"secret"}]}"#)
        try quarantined(3)
        let list = try server.command("quarantine", "list").output
        #expect(list.contains("did you mean typ?"))
        let json = try JSON(text: server.command("quarantine", "list", "--json").output)
        #expect(json["groups", 0, "reason"] == "malformed")
        #expect(json["groups", 0, "count"] == 2)
        #expect(json["items"]?.list?.count == 3)
        #expect(json["next"] == .null)
        let page = try JSON(text: server.command("quarantine", "list", "--json", "--limit", "2").output)
        let next = try #require(page["next"]?.text)
        let rest = try JSON(text: server.command("quarantine", "list", "--json", "--after", next).output)
        #expect(rest["items"]?.list?.count == 1)

        let id = try #require(json["items", 0, "id"]?.text)
        let shown = try JSON(text: server.command("quarantine", "show", "--json", id).output)
        #expect(shown["payload"] == ["type": "secret"])
        #expect(shown["detail", "message"]?.text == "the source denies secret by its pattern secret")
        #expect(try server.command("quarantine", "show", id).output.contains("\"type\": \"secret\""))
        #expect(try server.command("quarantine", "show", newUUID()).exit == .code(1))
        #expect(try server.command("quarantine", "drop").exit == .code(64))

        let dropped = try server.command("quarantine", "drop", "--reason", "malformed")
        #expect(dropped.output == "2 dropped\n")
        #expect(try server.command("quarantine", "drop", "--older", "1d").exit == .code(1))
        #expect(try database.count("select count(*) from quarantine") == 1)
        #expect(try ledger() == [["3", "0", "0", "3"]])
        #expect(try Books.imbalances(in: database).isEmpty)
    }

    @Test func withoutAServerTheyWait() throws {
        _ = try server.track(#"{"source":{"id":"web"},"events":[{"type":"secret"}]}"#)
        try quarantined(1)
        #expect(server.terminate() == .code(0))
        try database.run("update spool_position set alive_at = alive_at - interval '1 minute'")
        let result = try replay("--all")
        #expect(!result.isDone)
        #expect(result.output.contains("no server runs"))
        try server.change { $0.sources = ["{id: web, kind: web}"] }
        try server.start()
        try eventually("it is stored") {
            try database.count("select count(*) from event where activity = 'secret'") == 1
        }
        try eventually("the metrics tell") {
            try server.metric("waymark_replays_total", "outcome=\"stored\"") == 1
        }
    }
}
