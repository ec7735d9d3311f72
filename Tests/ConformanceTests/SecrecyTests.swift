import Foundation
import TestSupport
import Testing

/// What people send stays between them and the database: not in a log, an answer or a metric, not in a file that
/// others may read. One server with everything of its own, which logs as much as it can.
@Suite(.serialized) struct SecrecyTests {
    /// Stands wherever a client can put something.
    static let marker = "m4rk3r-of-a-secret"

    final class House: Sendable {
        let server: Server
        let database: Database
        let receiver: Receiver

        init() throws {
            // What another system says is as secret as what is said to it.
            receiver = try Receiver { call in
                .status(call.target.contains("ok") ? 200 : 500, body: "\(marker) \(call.target)")
            }
            let port = receiver.port
            var options = ServerOptions(
                sources: [
                    """
                    {id: shop, kind: [web, backend], identify: [{by: email, from: properties.email}], \
                    traits: [{set: tier, from: properties.tier}, {increment: spent, from: properties.spent}]}
                    """,
                    "{id: vault, kind: backend, key: \(marker)-key}",
                    """
                    {id: post, kind: backend, lookup: {url: "http://127.0.0.1:\(port)/who?v={properties.v}", \
                    basic: "me:\(marker)-password", timeout: 2s, allow_networks: [127.0.0.0/8]}}
                    """,
                    "{id: rated, kind: web, rate: 1/m}",
                ], database: nil)
            options.settings = ["debug: true", "log: debug"]
            server = try Server.ready(options)
            let conninfo = try server.command("database").output
            database = Database(conninfo: conninfo.trimmingCharacters(in: .whitespacesAndNewlines))
            try applyJourneys(port)
        }

        deinit { receiver.close() }

        private func applyJourneys(_ port: Int) throws {
            let folder = try Scratch.shared.newFolder("journeys")
            try writeFile(
                "\(folder)/j.yaml",
                """
                panel: acme
                timezone: UTC
                webhooks:
                  failing: {url: "http://127.0.0.1:\(port)/no", attributes: [tier], allow_networks: [127.0.0.0/8]}
                  closed: {url: "http://127.0.0.1:1/", attributes: [tier], allow_networks: [127.0.0.0/8]}
                  fine: {url: "http://127.0.0.1:\(port)/ok", attributes: [tier], allow_networks: [127.0.0.0/8]}
                journeys:
                  bought:
                    state: live
                    on: {did: order, where: 'total >= 100'}
                    reentry: always
                    do: [{webhook: failing, params: {m: "{m}"}}, {webhook: closed, params: {m: "{m}"}},
                      {webhook: fine, params: {m: "{m}"}}]

                """)
            let (exit, output) = try server.command("journeys", "apply", folder)
            if exit != .code(0) { throw Failure("apply: \(output)") }
        }

        /// PostgreSQL cannot take what is no number where the members say so: its message quotes it.
        func refuseWhatIsNoNumber() throws {
            try database.run(
                """
                create function refuse() returns trigger language plpgsql as $$
                begin
                    perform (new.properties->>'number')::numeric, (new.properties->>'day')::date;
                    return new;
                end $$;
                create trigger refuse before insert on event for each row execute function refuse();
                """)
        }
    }

    static let house = Result {
        let house = try House()
        try house.refuseWhatIsNoNumber()
        try SecrecyTests.fill(house)
        return house
    }

    let house: House
    let marker = Self.marker
    init() throws { house = try Self.house.get() }

    /// Requests that go well, and the ways of an event that end badly.
    private static func fill(_ house: House) throws {
        let m = marker
        let everywhere = #""\#(m)\u0000\ud800":{"\#(m)":["\#(m)",1e400]}"#
        let envelope = """
            {"source":{"id":"shop"},"session":{"id":"\(m)"},"profile":{"id":"\(m)"},"context":{\(everywhere)},
             "events":[
            """
        let bodies = [
            #"{"type":"\#(m)","id":"\#(m)","tags":["\#(m)"],"context":{\#(everywhere)},"properties":{\#(everywhere)}}"#,
            // A conflict, a date that is none, a depth, an activity too long: quarantined.
            #"{"type":"\#(m)","id":"\#(m)","properties":{"other":"\#(m)"}}"#,
            #"{"type":"a","time":"\#(m)","properties":{"x":"\#(m)"}}"#,
            #"{"type":"a","properties":{"\#(m)":\#(String(repeating: "[", count: 300) + String(repeating: "]", count: 300))}}"#,
            #"{"type":"\#(String(repeating: m, count: 60))","properties":{}}"#,
            #"{"type":["\#(m)"],"properties":"\#(m)"}"#,
            // Poison, with a message that quotes it.
            #"{"type":"a","properties":{"number":"\#(m)"}}"#,
            #"{"type":"a","properties":{"day":"\#(m)"}}"#,
            // Identities, traits, journeys.
            #"{"type":"sign up","properties":{"email":"\#(m)@example.com","tier":"\#(m)","spent":"\#(m)"}}"#,
            #"{"type":"order","properties":{"total":"\#(m)","m":"\#(m)"}}"#,
            #"{"type":"order","properties":{"total":100,"m":"\#(m)"}}"#,
        ]
        for _ in 0..<2 {
            for body in bodies { _ = try house.server.post("/track", envelope + body + "]}") }
        }
        let form = Request(
            "POST", "/collect/\(m)/shop/\(m)", [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("\(m)=\(m)&number=\(m)".utf8))
        _ = try house.server.exchange(form)
        _ = try house.server.get("/collect/\(m)/shop?\(m)=\(m)")
        _ = try house.server.post("/collect/sent/post", #"{"v":"\#(m)"}"#)
        try house.awaitAll()
    }

    /// Every answer that is an error: what it says is the same for everybody.
    @Test func noErrorRepeatsWhatWasSent() throws {
        let m = marker
        let shop = #"{"source":{"id":"shop"},"#
        let bodies = [
            "{\(m)", "\"\(m)\"", "[\"\(m)\"]", #"{"\#(m)":"\#(m)"}"#, #"{"source":"\#(m)"}"#,
            #"{"source":{"id":"\#(m)"},"events":[{"type":"a"}]}"#, #"{"source":{"id":["\#(m)"]}}"#,
            shop + #""events":"\#(m)"}"#, shop + #""events":["\#(m)"]}"#,
            shop + #""events":[{"type":{"\#(m)":1}}]}"#,
            shop + #""events":[{"\#(m)":"\#(m)"}]}"#, shop + #""session":["\#(m)"],"events":[]}"#,
            shop + #""events":[{"type":"a","properties":["\#(m)"]}]}"#,
            shop + #""options":"\#(m)","events":[]}"#,
            shop + #""events":[{"type":"a","time":{"create":["\#(m)"]},"id":{"\#(m)":1}}]}"#,
        ]
        var requests = bodies.map { Request("POST", "/track", body: Array($0.utf8)) }
        for (name, value) in [
            ("Content-Type", "text/\(m)"), ("Content-Encoding", m), ("Authorization", "Bearer \(m)"),
            ("Cookie", m), ("User-Agent", m), ("Referer", "https://\(m)/"), ("Expect", m),
            ("X-Forwarded-For", m), ("X-\(m)", m),
        ] {
            requests.append(
                Request("POST", "/track", [(name, value)], body: Array("{\"\(m)\":\"\(m)\"".utf8)))
        }
        requests += [
            Request("GET", "/\(m)?\(m)"), Request("DELETE", "/track?\(m)"), Request(m, "/track"),
            Request("POST", "/collect/\(m)/vault/\(m)", [("Authorization", "Bearer \(m)")], body: [123]),
            Request("POST", "/collect/%00\(m)/\(m)"),
            Request(
                "POST", "/collect/a/shop", [("Content-Type", "application/json")], body: Array("{\(m)".utf8)),
        ]
        for request in requests {
            let answer = try house.server.exchange(request)
            if answer.status < 400 { continue }
            try expectError(answer, answer.status, hiding: m)
            #expect(
                !answer.headers.contains { $0.value.contains(m) || $0.name.contains(m) }, "\(answer.headers)")
        }
        for raw in ["GET /\(m) HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\(m)\r\n\r\n", "\(m)\r\n\r\n"] {
            let client = try Client(house.server.address)
            try client.send(raw)
            let answer = try client.receive(to: "GET")
            try expectError(answer, answer.status, hiding: m)
            #expect(answer.status >= 400)
        }
    }

    @Test func noLogHasAnythingOfIt() throws {
        let log = house.server.log
        #expect(log.contains("level=debug"))
        #expect(!log.contains(marker), "\(log.split(separator: "\n").filter { $0.contains(marker) })")
        let folder = "\(house.server.data)/postgres/log"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!names.isEmpty)
        for name in names {
            let text = String(decoding: try readFile("\(folder)/\(name)"), as: UTF8.self)
            #expect(
                !text.contains(marker),
                "\(name): \(text.split(separator: "\n").filter { $0.contains(marker) })")
        }
    }

    @Test func noMetricAndNoProbeHasAnythingOfIt() throws {
        for path in ["/metrics", "/readyz", "/healthz"] {
            #expect(try !house.server.get(path).text.contains(marker))
        }
    }

    /// Whoever is not the server's user finds nothing in its data: not a file, and no way to its PostgreSQL.
    @Test func theDataIsItsOwnersAlone() throws {
        let data = house.server.data
        var count = 0
        for path in [data]
            + (FileManager.default.enumerator(atPath: data)?.compactMap { "\(data)/\($0)" } ?? [])
        {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFLNK else { continue }
            count += 1
            #expect(status.st_mode & 0o077 == 0, "\(path): \(String(status.st_mode & 0o777, radix: 8))")
        }
        #expect(count > 1000, "the cluster is among it")
    }

    @Test func itsPostgresListensToNobodyElse() throws {
        #expect(try house.database.value("show listen_addresses") == "")
        #expect(try house.database.value("show unix_socket_permissions") == "0700")
        let conninfo = try house.server.command("database").output
        let socket = try #require(conninfo.split(separator: " ").first { $0.hasPrefix("host=") }).dropFirst(5)
        // The socket lies in a folder that only its user may enter; over a network nobody would be let in.
        let rules = try house.database.rows(
            "select distinct type, auth_method from pg_hba_file_rules order by type")
        #expect(rules == [["host", "reject"], ["local", "trust"]], "\(rules)")
        var status = stat()
        #expect(lstat(String(socket), &status) == 0 && status.st_mode & 0o777 == 0o700)
        guard getuid() == 0 else { return }
        let psql = [
            "/usr/bin/env", "psql", "-h", String(socket), "-U", "waymark", "-c", "select 1", "waymark",
        ]
        let answer = try run(psql, user: "nobody")
        #expect(answer.exit != .code(0), "\(answer.output)")
    }
}

extension SecrecyTests.House {
    /// What was sent has gone all its ways: stored, quarantined, asked for, sent and failed.
    fileprivate func awaitAll() throws {
        for (what, sql) in [
            ("poison", "select count(*) >= 4 from quarantine where reason = 'poison'"),
            ("attempts", "select count(distinct webhook) = 3 from delivery where attempt > 0"),
            ("a look-up", "select count(*) > 0 from lookup where attempt > 0"),
            ("a profile", "select count(*) > 0 from identity where kind = 'email'"),
        ] {
            do {
                try eventually(what, within: 60) { try database.value(sql) == "t" }
            } catch {
                throw Failure(
                    "\(error); \(try database.rows("select reason, count(*) from quarantine group by 1"))")
            }
        }
        try eventually("everything is loaded", within: 60) {
            try server.metric("waymark_spool_backlog_bytes") == 0
        }
    }
}
