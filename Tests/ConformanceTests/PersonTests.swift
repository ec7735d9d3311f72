import Foundation
import TestSupport
import Testing

/// Who is who, as websites and backends see it: a real server with identification points, traits and a look-up.
@Suite(.serialized) struct PersonTests {
    static let crm = Result {
        try Receiver { call in
            if call.target.contains("voucher=KNOWN") {
                let body = #"{"identities":{"email":"Crm@Example.com"},"traits":{"tier":"gold"}}"#
                return .status(200, headers: ["Content-Type: application/json"], body: body)
            }
            return .status(call.target.contains("voucher=BROKEN") ? 500 : 404)
        }
    }

    static let server = Result {
        let port = try crm.get().port
        let database = try PostgresServer.shared.get().makeDatabase()
        var options = ServerOptions(
            sources: [
                """
                {id: shop, kind: web, returns_profile: true,
                    identify: [{by: email, from: properties.email}, {by: phone, from: properties.phone}, {by: voucher_id, from: properties.voucher_id, activity: voucher-sent}],
                    traits: [{set: company, from: properties.company}, {set: private.score, from: properties.score}, {increment: visits}]}
                """.split(separator: "\n").joined(separator: " "),
                """
                {id: till, kind: backend, identify: {by: voucher_id, from: properties.voucher_id},
                    traits: {increment: spent, from: properties.spent}}
                """.split(separator: "\n").joined(separator: " "),
                """
                {id: post, kind: backend, lookup: {url: "http://127.0.0.1:\(port)/who?voucher={properties.v}", basic: "me:secret", timeout: 2s, allow_networks: [127.0.0.0/8]}}
                """,
            ], database: database.conninfo)
        options.settings = ["debug: true", "country: IN"]
        return (try Server.ready(options), database)
    }

    let server: Server
    let database: Database

    init() throws { (server, database) = try PersonTests.server.get() }

    @discardableResult
    private func track(_ session: String, _ properties: String = "{}", type: String = "page view") throws
        -> JSON
    {
        try server.track(
            """
            {"source":{"id":"shop"},"session":{"id":\(quoted(session))},"options":{"debugger":true,"profile":true},
             "events":[{"type":\(quoted(type)),"properties":\(properties)}]}
            """)
    }

    private func collect(_ type: String, _ source: String, _ body: String) throws {
        let answer = try server.exchange(
            Request(
                "POST", "/collect/\(type)/\(source)", [("Content-Type", "application/json")],
                body: Array(body.utf8)))
        #expect(answer.status == 200, "\(answer.text)")
    }

    private func person(_ session: String) throws -> String? {
        try database.value("select person_of(profile_id) from session where id = $1", session)
    }

    @Test func anonymousToKnownAndMerged() throws {
        let (a, b, mail) = (unique("s"), unique("s"), "\(unique("ada"))@example.com")
        let first = try track(a, #"{"email":"\#(mail)","company":"ACME","score":7}"#)["profile", "id"]?.text
        _ = try track(b)
        let answer = try track(b, #"{"email":" \#(mail.uppercased())"}"#)
        #expect(answer["profile", "id"]?.text == first)
        #expect(answer["profile", "traits", "company"]?.text == "ACME")
        #expect(answer["profile", "traits", "private"] == nil)
        #expect(try person(b) == first)
        #expect(try database.value("select traits->>'visits' from profile where id = $1::uuid", first) == "3")
        #expect(
            try database.value("select traits->'private'->>'score' from profile where id = $1::uuid", first)
                == "7")
        // The next answer to the other session names the survivor.
        #expect(try track(b)["profile", "id"]?.text == first)
    }

    @Test func aSharedDevice() throws {
        let (ada, bob) = ("\(unique("ada"))@example.com", "\(unique("bob"))@example.com")
        let (tablet, phone) = (unique("tablet"), unique("phone"))
        let hers = try track(tablet, #"{"email":"\#(ada)"}"#)["profile", "id"]?.text
        let his = try track(phone, #"{"email":"\#(bob)"}"#)["profile", "id"]?.text
        #expect(hers != his)
        #expect(try track(tablet, #"{"email":"\#(bob)"}"#)["profile", "id"]?.text == his)
        #expect(try track(tablet)["profile", "id"]?.text == his)
        #expect(try track(tablet, #"{"email":"\#(ada)"}"#)["profile", "id"]?.text == hers)
        #expect(
            try database.count(
                "select count(*) from alias where profile_id in ($1::uuid, $2::uuid)", hers, his) == 0)
    }

    @Test func aVoucherFindsItsPersonLaterOrAtOnce() throws {
        let (voucher, session) = (unique("V"), unique("s"))
        try collect("redeemed", "till", #"{"voucher_id":"\#(voucher)","spent":9.99}"#)
        _ = try track(session, #"{"voucher_id":"\#(voucher)"}"#, type: "Voucher sent")
        let person = try #require(try person(session))
        try collect("redeemed", "till", #"{"voucher_id":"\#(voucher)","spent":0.01}"#)
        try eventually("both events are the person's") {
            try database.count(
                """
                select count(*) from event where properties->>'voucher_id' = $1 and source = 'till' and profile_id = $2::uuid
                """, voucher, person) == 2
        }
        try eventually("and its trait") {
            try database.value("select traits->>'spent' from profile where id = $1::uuid", person) == "10"
        }
    }

    @Test func twoKnownOnesBecomeOne() throws {
        let (a, b, mail) = (unique("s"), unique("s"), "\(unique("x"))@example.com")
        let phone = "9\(Int.random(in: 100_000_000...999_999_999))"
        let first = try track(a, #"{"email":"\#(mail)"}"#)["profile", "id"]?.text
        _ = try track(b, #"{"phone":"0\#(phone)"}"#)
        _ = try track(a, #"{"phone":"+91 \#(phone)"}"#)
        #expect(try person(b) == first)
        #expect(
            try database.rows(
                "select kind, value from identity where profile_id = $1::uuid order by 1", first)
                == [["email", mail], ["phone", "+91\(phone)"]])
    }

    @Test func somebodyOutsideKnows() throws {
        try collect("letter", "post", #"{"v":"KNOWN"}"#)
        try collect("letter", "post", #"{"v":"NOBODY"}"#)
        try collect("letter", "post", #"{"v":"BROKEN"}"#)
        try eventually("the answers are there") {
            try database.rows("select state, attempt > 0 from lookup order by url")
                == [["queued", "t"], ["found", "t"], ["nobody", "t"]]
        }
        #expect(
            try database.rows(
                "select p.traits->>'tier', p.traits->>'email' from event e join profile p on p.id = e.profile_id where e.source = 'post'"
            ) == [["gold", "crm@example.com"]])
        let calls = try PersonTests.crm.get().calls
        #expect(calls.allSatisfy { $0.header("Authorization") == "Basic bWU6c2VjcmV0" })
        try eventually("the failure is visible") {
            try database.value("select error from lookup where url like '%BROKEN'")?.contains("status 500")
                == true
        }
        #expect(
            try server.get("/metrics").text.contains("waymark_outside_lookups_total{outcome=\"found\"} 1"))
        // Known from the answer, at once: it is not asked again.
        let count = try PersonTests.crm.get().count
        try collect("letter", "post", #"{"v":"KNOWN"}"#)
        try eventually("the second is found as well") {
            try database.count("select count(*) from event where source = 'post' and profile_id is not null")
                == 2
        }
        #expect(try PersonTests.crm.get().calls.filter { $0.target.contains("KNOWN") }.count == 1, "\(count)")
    }
}
