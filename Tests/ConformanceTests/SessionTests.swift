import Foundation
import TestSupport
import Testing

/// Starts and ends of sessions, seen from outside: a real server, with a short silence.
@Suite struct SessionTests {
    static let silent = Result {
        let database = try PostgresServer.shared.get().makeDatabase()
        return try (0..<2).map { _ in
            var options = ServerOptions(sources: World.sources, database: database.conninfo)
            options.settings += ["sessions: {timeout: 2s}", "timezone: Europe/Berlin"]
            return try Server.ready(options)
        }
    }

    let servers: [Server]
    let database: Database

    init() throws {
        servers = try Self.silent.get()
        database = Database(
            conninfo: try servers[0].command("database").output.trimmingCharacters(
                in: .whitespacesAndNewlines))
    }

    private func track(
        _ session: String, _ more: String = "", on server: Int = 0, agent: String = "Test"
    ) throws {
        let body = """
            {"source":{"id":"shop-web"},"session":{"id":"\(session)"},"options":{"debugger":true}\(more),
             "events":[{"type":"view"}]}
            """
        let answer = try servers[server].post(
            "/track", body, [("User-Agent", agent), ("Content-Type", "application/json")])
        #expect(answer.status == 200, "\(answer.text)")
    }

    /// Activity and number of the server's own events.
    private func own(_ session: String) throws -> [String] {
        try database.rows(
            """
            select activity || ' ' || (properties->>'visit') from event where source = '@waymark' and session_id = $1
            order by (properties->>'visit')::int, activity desc
            """, session
        ).map { $0[0] ?? "" }
    }

    @Test func aSessionStartsAtOnceAndEndsAfterSilence() throws {
        let session = unique("s")
        try track(session, #","context":{"page":{"url":"https://shop.example/a?utm_source=mail"}}"#)
        #expect(try own(session).first == "session.start 1")
        try eventually("the session has ended") { try own(session) == ["session.start 1", "session.end 1"] }
        let row = try database.rows(
            """
            select s.ended_at = v.last_at, s.events, s.entry_page, v.utm_source from session s
                join visit v on v.session_id = s.id where s.id = $1
            """, session)
        #expect(row == [["t", "1", "https://shop.example/a", "mail"]])
        // It comes back, on the other server.
        try track(session, on: 1)
        #expect(try own(session).contains("session.start 2"))
        try eventually("it has ended again") { try own(session).last == "session.end 2" }
        #expect(try own(session).count == 4)
    }

    @Test func everySessionEndsOnceAcrossAKill() throws {
        let sessions = (0..<20).map { unique("k\($0)") }
        for (i, session) in sessions.enumerated() { try track(session, on: i % 2) }
        servers[1].kill()
        try servers[1].start()
        try servers[1].awaitReady()
        try eventually("all have ended", within: 90) {
            try sessions.allSatisfy { try own($0) == ["session.start 1", "session.end 1"] }
        }
    }

    @Test func aSessionThatIsNotSavedHasNone() throws {
        let session = unique("s")
        let body = """
            {"source":{"id":"shop-web"},"session":{"id":"\(session)"},"options":{"debugger":true,"saveSession":false},
             "events":[{"type":"view"}]}
            """
        _ = try servers[0].track(body)
        #expect(try own(session).isEmpty)
        #expect(try database.count("select count(*) from event where session_id = $1", session) == 1)
    }

    @Test func botsAreMarkedCountedAndKept() throws {
        let session = unique("s")
        let before = try servers[0].metric("waymark_bot_sessions_total") ?? 0
        try track(session, agent: "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)")
        #expect(try database.value("select bot from session where id = $1", session) == "Googlebot")
        try eventually("it is counted") {
            try servers[0].metric("waymark_bot_sessions_total") == before + 1
        }
        let kept = "select count(*) from event where session_id = $1 and activity <> 'session.end'"
        #expect(try database.count(kept, session) == 2)
    }

    @Test func aPersonIsShownAsAStory() throws {
        let session = unique("s")
        let agent =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            + "Version/17.4 Mobile/15E148 Safari/604.1"
        try track(
            session, #","context":{"page":{"url":"https://shop.example/sale?utm_source=mail"}}"#, agent: agent
        )
        let shown = try servers[0].command("profile", "show", "--session", session)
        #expect(shown.exit == .code(0), "\(shown.output)")
        let profile = try #require(
            try database.value("select profile_id from session where id = $1", session))
        for part in [
            profile, "phone, iOS, Safari 17.4", "campaign mail", "Session start", "view", "(Europe/Berlin)",
        ] {
            #expect(shown.output.contains(part), "\(part) in \(shown.output)")
        }
        let json = try JSON(text: servers[0].command("profile", "show", profile, "--json").output)
        #expect(json["profile", "id"]?.text == profile)
        // On a slow day the session's end is there by now.
        let events = (json["events"]?.list ?? []).filter { $0["activity"] != "session.end" }
        #expect(events.count == 2, "\(json)")
        #expect(try servers[0].command("profile", "show", "--email", "nobody@example.org").exit == .code(1))
        #expect(try servers[0].command("profile", "show").exit == .code(64))
    }
}
