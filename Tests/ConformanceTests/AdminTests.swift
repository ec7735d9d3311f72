import Foundation
import TestSupport
import Testing

/// The admin API as a client meets it: who may ask, what is refused and how, and what it answers.
@Suite struct AdminTests {
    let world: AdminWorld
    init() throws { world = try AdminWorld.get() }

    // MARK: Who may ask

    @Test(arguments: ["/admin/sources", "/admin/openapi.json", "/admin/nothing", "/", "/admin/quarantine/x"])
    func aStrangerIsToldNothing(target: String) throws {
        for (token, method) in [
            (nil, "GET"), (AdminWorld.Token.wrong, "GET"), (nil, "DELETE"), (nil, "OPTIONS"),
        ] {
            let answer = try world.ask(method, target, token)
            try expectError(answer, 401)
            #expect(answer.header("WWW-Authenticate") == "Bearer")
        }
    }

    @Test(arguments: ["Bearer", "Bearer ", "Basic dGhlLXRva2VuLXRoYXQtcmVhZHM6", "the-token-that-reads"])
    func onlyABearerIsLetIn(authorization: String) throws {
        let answer = try world.ask("GET", "/admin/sources", nil, headers: [("Authorization", authorization)])
        try expectError(answer, 401)
    }

    @Test func bothTokensMayRead() throws {
        #expect(try world.get("/admin/sources").status == 200)
        #expect(try world.get("/admin/sources", .write).status == 200)
        let lower = try world.ask(
            "GET", "/admin/sources", nil, headers: [("authorization", "bearer the-token-that-reads")])
        #expect(lower.status == 200)
    }

    @Test func theEventsPortDoesNotKnowIt() throws {
        let answer = try world.server.get("/admin/sources", [AdminWorld.Token.write.header])
        #expect(answer.status == 404)
    }

    // MARK: What is refused

    @Test(arguments: [
        "/admin", "/admin/", "/admin/nothing", "/admin/sources/", "/ADMIN/sources", "/track", "/healthz",
        "/admin/..%2fsources", "/",
    ])
    func whatIsNotThereIsNotFound(target: String) throws {
        try expectError(try world.get(target), 404)
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FROB"])
    func anotherMethodIsRefused(method: String) throws {
        let answer = try world.ask(method, "/admin/sources", .write)
        try expectError(answer, 405)
        #expect(answer.header("Allow") == "GET, HEAD")
        #expect(answer.header("Access-Control-Allow-Origin") == nil)
    }

    @Test(arguments: [
        "limit=0", "limit=501", "limit=-1", "limit=ten", "limit=1.5", "limit=", "limit=1&limit=2", "hidden=1",
        "limit=99999999999999999999999", "after=", "limit%00=1",
    ])
    func aBadParameterIsRefused(query: String) throws {
        let answer = try world.get("/admin/sources?\(query)")
        try expectError(answer, 400, hiding: "hidden")
        #expect(try answer.json()["detail", 0, "loc", 0]?.text == "query")
    }

    @Test func aBadIdIsRefused() throws {
        try expectError(try world.get("/admin/profiles/42"), 400)
        try expectError(try world.get("/admin/profiles/\(newUUID())"), 404)
    }

    @Test func aLargeRequestIsRefused() throws {
        let body = String(repeating: "x", count: 600_000)
        #expect(try world.ask("POST", "/admin/sources", .write, body: body).status == 413)
        #expect(try world.get("/admin/sources?after=\(String(repeating: "x", count: 20_000))").status >= 400)
        #expect(try world.get("/admin/sources").status == 200)
    }

    // MARK: What every answer has

    @Test func everyAnswerHasItsIdAndIsNotKept() throws {
        for (target, token) in [
            ("/admin/sources", AdminWorld.Token.read), ("/admin/x", .read), ("/admin/x", .wrong),
        ] {
            let answer = try world.ask("GET", target, token, headers: [("X-Request-Id", "my-id")])
            #expect(answer.header("X-Request-Id") == "my-id")
            #expect(answer.header("Cache-Control") == "no-store")
            #expect(answer.header("Content-Type") == "application/json")
        }
    }

    @Test func headIsAGetWithoutItsBody() throws {
        let (get, head) = (try world.get("/admin/sources"), try world.ask("HEAD", "/admin/sources"))
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.header("Content-Length") == get.header("Content-Length"))
    }

    @Test func pipelinedRequestsAreAnsweredInTheirOrder() throws {
        let client = try Client(world.server.adminAddress)
        let targets = ["/admin/ledger", "/admin/status", "/admin/sources", "/admin/nothing"]
        for target in targets {
            try client.send(Request("GET", target, [AdminWorld.Token.read.header]).bytes)
        }
        #expect(try client.receive(to: "GET").json()["items", 0, "minute"] != nil)
        #expect(try client.receive(to: "GET").json()["spool"] != nil)
        #expect(try client.receive(to: "GET").json()["items", 0, "kinds"] != nil)
        #expect(try client.receive(to: "GET").status == 404)
    }

    // MARK: Operation

    @Test func theStatusIsTold() throws {
        let status = try world.get("/admin/status").json()
        #expect(status["ready"] == true)
        #expect(status["wrong"] == [])
        #expect(status["spool", "capacity"]?.number ?? 0 > 0)
    }

    @Test(arguments: [1, 3, 500])
    func sourcesComeInPages(limit: Int) throws {
        let ids = try world.items("/admin/sources", limit: limit).compactMap { $0["id"]?.text }
        let stored = try world.database.rows("select id from source order by id").map { $0[0] }
        #expect(ids == stored)
        #expect(ids.count == World.sources.count)
    }

    @Test func theLedgerAddsUp() throws {
        let lines = try world.items("/admin/ledger?source=shop-web", limit: 1)
        let stored = lines.compactMap { $0["stored"]?.number }.reduce(0, +)
        let sum = try world.database.count("select sum(stored) from ledger where source = 'shop-web'")
        #expect(Int(stored) == sum)
        for line in lines {
            let parts = ["stored", "duplicate", "denied", "quarantined", "unsaved"].compactMap {
                line[.name($0)]?.number
            }
            #expect(parts.reduce(0, +) == line["received"]?.number)
        }
        #expect(try world.items("/admin/ledger?to=2001-01-01T00:00:00Z", limit: 5) == [])
        #expect(
            try world.items("/admin/ledger?from=0001-01-01T00:00:00%2B14:00", limit: 5).count >= lines.count)
    }

    // MARK: Profiles

    @Test func aProfileIsFoundByItsSession() throws {
        let found = try world.items("/admin/profiles?session=the%20session", limit: 5)
        #expect(found.compactMap { $0["id"]?.text } == [world.profile])
        #expect(try world.items("/admin/profiles?session=nobody", limit: 5) == [])
        #expect(try world.items("/admin/profiles?identity=email:nobody@example.org", limit: 5) == [])
        #expect(
            try world.get("/admin/profiles/\(world.profile.uppercased())").json()["id"]?.text == world.profile
        )
    }

    @Test func aProfileIsFoundByWhatItIsKnownBy() throws {
        let address = "\(unique("ada"))@example.org"
        _ = try world.database.value(
            """
            insert into identity (bucket, kind, value, profile_id, created_at)
            values (bucket_of('email:' || $1::text), 'email', $1, $2::uuid, now()) returning 1
            """, address, world.profile)
        for written in [address, address.uppercased(), " \(address)"] {
            let found = try world.items("/admin/profiles?identity=email:\(escaped(written))", limit: 5)
            #expect(found.compactMap { $0["id"]?.text } == [world.profile])
        }
        let person = try world.get("/admin/profiles/\(world.profile)").json()
        #expect(person["identities"]?.list?.contains { $0["value"]?.text == address } == true)
        let both = "identity=email:\(escaped(address))&session="
        #expect(try world.items("/admin/profiles?\(both)the%20session", limit: 5).count == 1)
        #expect(try world.items("/admin/profiles?\(both)another", limit: 5) == [])
    }

    @Test(arguments: [1, 2, 50])
    func aTimelineComesInPages(limit: Int) throws {
        let events = try world.items("/admin/profiles/\(world.profile)/timeline", limit: limit)
        let ids = events.compactMap { $0["id"]?.text }
        let stored = try world.database.rows(
            "select id from event where profile_id = $1 order by time desc, id desc", world.profile)
        #expect(ids == stored.compactMap { $0[0] })
        #expect(ids.count >= 3)
        #expect(events.contains { $0["properties", "items", 0, "price"]?.number == 9990.91 })
    }

    @Test func privateTraitsAreForTheWriteToken() throws {
        let id = newUUID()
        _ = try world.database.value(
            """
            insert into profile (bucket, id, traits, created_at, last_seen_at)
            values (bucket_of($1::uuid), $1::uuid, '{"name": "Ada", "private": {"debt": 7}}', now(), now()) returning 1
            """, id)
        for target in ["/admin/profiles/\(id)", "/admin/profiles?limit=500"] {
            #expect(try !world.get(target).text.contains("debt"))
            #expect(try world.get(target, .write).text.contains("debt"))
        }
    }

    // MARK: Activities

    @Test(arguments: [1, 2, 500])
    func activitiesComeInPages(limit: Int) throws {
        try eventually("they are known") {
            try world.items("/admin/activities", limit: 500).contains {
                $0["label"] == "fine" || $0["id"] == 101
            }
        }
        let keys = try world.items("/admin/activities", limit: limit).compactMap { $0["key"]?.text }
        #expect(keys.contains("product-purchase"))
        #expect(keys.contains("session.start"))
        #expect(keys == keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(Set(keys).count == keys.count)
    }

    @Test func anActivityIsShownWithItsParameters() throws {
        let activity = try eventually("it is known") {
            let answer = try world.get("/admin/activities/product-purchase")
            return answer.status == 200 ? .some(try answer.json()) : .none
        }
        #expect(activity["activity", "label"] == "Product Purchase")
        let price = activity["parameters"]?.list?.first { $0["path"] == "items[].price" }
        #expect(price?["minimum"]?.number == 49.5)
        #expect(price?["maximum"]?.number == 9990.91)
        #expect(price?["first_source"] == "shop-web")
        let drift = try world.items("/admin/activities/product-purchase/drift", limit: 1)
        #expect(drift.contains { $0["change"] == "activity-appeared" })
        let schema = try world.get("/admin/activities/product-purchase/schema").json()
        #expect(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema")
    }

    private static let names = [
        "a/b 🛋 \"c\"", "../../etc/passwd", "select * from activity; --", "%2F%00%", "?limit=1#x",
        "constructor",
        "{key}", String(repeating: "é", count: 128), ".", "\u{202e}evil",
    ]

    @Test func aKeyMayBeAnything() throws {
        let events = Self.names.map { #"{"type":\#(quoted($0)),"properties":{"x":1}}"# }
        _ = try world.server.track(
            #"{"source":{"id":"shop-web"},"events":[\#(events.joined(separator: ","))]}"#)
        for name in Self.names {
            let key = escaped(name.lowercased().replacingOccurrences(of: " ", with: "-"))
            try eventually("\(name) is known") { try world.get("/admin/activities/\(key)").status == 200 }
            #expect(try world.get("/admin/activities/\(key)").json()["activity", "label"]?.text == name)
            #expect(try world.items("/admin/activities/\(key)/drift", limit: 1).count >= 1)
            #expect(try world.get("/admin/activities/\(key)/schema").status == 200)
        }
    }

    @Test func whatHasMoreParametersThanAreKeptCannotBeFrozen() throws {
        let name = unique("crowd")
        let letters = Array("abcdefghijklmnopqrstuvwxyz")
        let names = (0..<600).map { "\"x\(letters[$0 / 26 % 26])\(letters[$0 % 26])\(letters[$0 / 676])\":1" }
        _ = try world.server.track(
            #"{"source":{"id":"shop-web"},"events":[{"type":"\#(name)","properties":{\#(names.joined(separator: ","))}}]}"#
        )
        try eventually("it is known") { try world.get("/admin/activities/\(name)").status == 200 }
        let answer = try world.ask("POST", "/admin/activities/\(name)/freeze", .write)
        try expectError(answer, 409)
        #expect(answer.text.contains("more parameters"))
        #expect(try world.get("/admin/activities/\(name)").json()["activity", "frozen"] == .null)
        let command = try world.server.command("activities", "freeze", name)
        #expect(command.exit == .code(1))
    }

    @Test func anActivityIsFrozenAndThawed() throws {
        let name = unique("frozen")
        _ = try world.server.track(#"{"source":{"id":"shop-web"},"events":[{"type":"\#(name)"}]}"#)
        let path = "/admin/activities/\(name)"
        try eventually("it is known") { try world.get(path).status == 200 }
        try expectError(try world.ask("POST", "\(path)/freeze", .read), 403)
        let frozen = try world.ask("POST", "\(path)/freeze", .write).json()
        #expect(frozen["frozen", "extra"] == "quarantine")
        #expect(frozen["frozen", "since"]?.text != nil)
        let dropping = try world.ask("POST", "\(path)/freeze?extra=drop", .write).json()
        #expect(dropping["frozen", "extra"] == "drop")
        let thawed = try world.ask("POST", "\(path)/unfreeze", .write).json()
        #expect(thawed["frozen"] == .null)
        #expect(thawed["key"]?.text == name)
        for change in ["freeze", "unfreeze"] {
            try expectError(try world.ask("POST", "/admin/activities/nothing/\(change)", .write), 404)
            try expectError(try world.ask("POST", "/admin/activities/session.end/\(change)", .write), 409)
        }
        try expectError(try world.ask("POST", "\(path)/freeze?extra=all", .write), 400)
    }

    @Test func whatIsNotAnActivityIsNotFound() throws {
        for target in [
            "nothing-like-it", "nothing/drift", "nothing/schema",
            String(repeating: "%F0%9F%9B%8B", count: 256),
        ] {
            try expectError(try world.get("/admin/activities/\(target)"), 404)
        }
    }

    // MARK: Quarantine

    @Test func theQuarantineComesInPagesAndByReason() throws {
        let all = try world.items("/admin/quarantine?source=shop-web", limit: 1)
        let ids = Set(all.compactMap { $0["id"]?.text })
        #expect(ids.isSuperset(of: world.quarantined))
        #expect(all.allSatisfy { $0["message"]?.text?.isEmpty == false })
        let groups = try world.items("/admin/quarantine/groups", limit: 500)
        #expect(groups.contains { $0["reason"] == "malformed" && $0["source"] == "shop-web" })
        #expect(try world.items("/admin/quarantine?reason=poison&source=nobody", limit: 5) == [])
        #expect(try world.items("/admin/quarantine?to=2001-01-01T00:00:00Z", limit: 5) == [])
    }

    @Test func anEventOfTheQuarantineIsShownWhole() throws {
        let entry = try world.get("/admin/quarantine/\(world.quarantined[0])").json()
        #expect(entry["payload", "type"]?.number == 17)
        #expect(entry["event", "pointer"] == "/type")
        #expect(entry["event", "detail", "found"] == "a number")
    }

    /// An event of its own that is denied: its id in the quarantine, and its activity.
    private func denied() throws -> (id: String, activity: String) {
        let activity = unique("secret")
        let body = #"{"source":{"id":"keeping"},"events":[{"type":"ok"},{"type":\#(quoted(activity))}]}"#
        _ = try world.server.track(body)
        let id = try eventually("it is in quarantine") {
            try world.database.value("select id from quarantine where activity = $1", activity)
        }
        return (id, activity)
    }

    @Test func aReplayIsAskedForAndFollowed() throws {
        let id = try denied().id
        try expectError(try world.ask("POST", "/admin/quarantine/\(id)/replay", .read), 403)
        let answer = try world.ask("POST", "/admin/quarantine/\(id)/replay", .write)
        #expect(answer.status == 202)
        #expect(try answer.json()["events"] == 1)
        let request = try #require(try answer.json()["request"]?.text)
        try eventually("it ended in the quarantine again") {
            try world.get("/admin/replays/\(request)").json()["kept", "denied"] == 1
        }
        #expect(try world.get("/admin/quarantine/\(id)").json()["event", "attempts"] == 1)
    }

    @Test func aReplayByFilterMeansOnlyThose() throws {
        let (id, activity) = try denied()
        _ = try denied()
        let none = #"{"activity":"\#(activity)","reason":"poison"}"#
        #expect(try world.ask("POST", "/admin/quarantine/replay", .write, body: none).json()["events"] == 0)
        let one = #"{"activity":"\#(activity)","source":"keeping","reason":"denied"}"#
        try expectError(try world.ask("POST", "/admin/quarantine/replay", .read, body: one), 403)
        let answer = try world.ask("POST", "/admin/quarantine/replay", .write, body: one)
        #expect(answer.status == 202)
        #expect(try answer.json()["events"] == 1)
        try eventually("it ended in the quarantine again") {
            try world.get("/admin/quarantine/\(id)").json()["event", "attempts"] == 1
        }
        let waiting = try world.items("/admin/quarantine?waiting=true&activity=\(activity)", limit: 5)
        #expect(waiting == [])
    }

    @Test(arguments: [
        ("{}", 422), ("[]", 422), ("{", 400), ("", 400), (#"{"reason":"mal"}"#, 422), (#"{"secret":1}"#, 422),
    ])
    func aWrongFilterIsRefused(body: String, status: Int) throws {
        let answer = try world.ask("POST", "/admin/quarantine/replay", .write, body: body)
        try expectError(answer, status, hiding: "secret")
        let type = [("Content-Type", "text/plain")]
        try expectError(
            try world.ask("POST", "/admin/quarantine/replay", .write, body: body, headers: type), 415)
    }

    @Test(arguments: [("gzip", 415), ("br", 415), ("identity", 422)])
    func aPackedBodyIsRefused(encoding: String, status: Int) throws {
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", encoding)]
        try expectError(
            try world.ask("POST", "/admin/quarantine/replay", .write, body: "{}", headers: headers), status)
    }

    @Test func anIdentityWithoutAValueIsToldWhatOneIs() throws {
        let answer = try world.get("/admin/profiles?identity=email")
        try expectError(answer, 400)
        #expect(answer.text.contains("expected kind, colon, value"))
    }

    /// Also what HTTP itself refuses.
    @Test(arguments: [(1, "/admin HTTP/1.1\r\nX : y\r\n", 400), (100_000, " HTTP/1.1\r\n", 414)])
    func nothingIsToBeStoredOnTheWay(slashes: Int, rest: String, status: Int) throws {
        let client = try Client(world.server.adminAddress)
        try client.send("GET \(String(repeating: "/", count: slashes))\(rest)")
        let answer = try client.receive()
        try expectError(answer, status)
        #expect(answer.header("Cache-Control") == "no-store")
    }

    @Test func aDroppedEventIsGone() throws {
        let id = try denied().id
        try expectError(try world.ask("DELETE", "/admin/quarantine/\(id)", .read), 403)
        #expect(try world.get("/admin/quarantine/\(id)").status == 200)
        #expect(try world.ask("DELETE", "/admin/quarantine/\(id)", .write).json()["dropped"] == 1)
        try expectError(try world.get("/admin/quarantine/\(id)"), 404)
        try expectError(try world.ask("DELETE", "/admin/quarantine/\(id)", .write), 404)
        try expectError(try world.ask("POST", "/admin/quarantine/\(id)/replay", .write), 404)
    }
}
