import Foundation
import TestSupport
import Testing

/// `/collect` in all its forms (contract, section 3).
@Suite struct CollectTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func taken(_ request: Request) throws -> JSON {
        let answer = try shop.server.exchange(request)
        guard answer.status == 200 else { throw Failure("\(answer.status): \(answer.text)") }
        return try answer.json()
    }

    @Test func aJSONBodyBecomesTheProperties() throws {
        let marker = unique("m")
        let answer = try shop.server.post(
            "/collect/Purchase%20Order/crm", #"{"m":"\#(marker)","total":12.50,"a":[1]}"#)
        #expect(answer.status == 200)
        let body = try answer.json()
        #expect(
            Set(body.members?.keys ?? [:].keys) == [
                "task", "ux", "response", "events", "profile", "session", "source", "errors", "warnings",
            ])
        #expect(body["profile"] == ["id": .null])
        let event = try shop.event(marker)
        #expect(event["activity"] == "purchase-order")
        #expect(event["source"] == "crm")
        #expect(event["profile_id"] == .null)
        #expect(event["session_id"] == .null || event["session_id"] == "")
        #expect(event["properties", "total"] == .number("12.50"))
    }

    @Test func withASessionThereIsAProfile() throws {
        let (marker, session) = (unique("m"), unique("s"))
        let answer = try taken(
            Request("POST", "/collect/order/crm/\(session)/", body: Array(#"{"m":"\#(marker)"}"#.utf8)))
        #expect(answer["session", "id"] == .string(session))
        let profile = try #require(answer["profile", "id"]?.text)
        #expect(try shop.event(marker)["profile_id"] == .string(profile))
        #expect(try shop.event(marker)["session_id"] == .string(session))
        #expect(try shop.session(session)["profile_id"] == .string(profile))
    }

    @Test func aFormBecomesTheProperties() throws {
        let marker = unique("m")
        let headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
        let body = "m=\(marker)&name=J%C3%B6rg+M&tag=a&tag=b&empty=&flag&x%5By%5D=1"
        _ = try taken(Request("POST", "/collect/sign-up/crm", headers, body: Array(body.utf8)))
        let properties = try shop.event(marker)["properties"]
        #expect(properties?["name"] == "Jörg M")
        #expect(properties?["tag"] == ["a", "b"])
        #expect(properties?["empty"] == "")
        #expect(properties?["flag"] == "")
        #expect(properties?["x[y]"] == "1")
    }

    @Test func aQueryStringBecomesTheProperties() throws {
        let marker = unique("m")
        _ = try taken(Request("GET", "/collect/opened/crm?m=\(marker)&id=7&link=a&link=b%26c&link=d"))
        let properties = try shop.event(marker)["properties"]
        #expect(properties?["id"] == "7")
        #expect(properties?["link"] == ["a", "b&c", "d"])
    }

    @Test func nothingIsAnEventWithoutProperties() throws {
        let type = unique("type")
        for request in [
            Request("POST", "/collect/\(type)/crm", body: []), Request("GET", "/collect/\(type)/crm"),
        ] {
            _ = try taken(request)
        }
        try eventually("both are stored, empty") {
            try shop.database.count(
                "select count(*) from event where activity = $1 and properties = '{}'", type) == 2
        }
    }

    @Test(arguments: ["{", "[1]", "\"x\"", "7", "{\"a\":}", "null"])
    func badJSONIsA400(_ body: String) throws {
        try expectError(shop.server.post("/collect/order/crm", body), 400)
    }

    @Test(arguments: [
        "/collect/%20/crm", "/collect//crm", "/collect/order/", "/collect/order/%20", "/collect/order",
        "/collect/%09/crm/s",
    ])
    func aBlankTypeOrSourceIsA400(_ target: String) throws {
        try expectError(shop.server.post(target, "{}"), 400)
    }

    @Test(arguments: ["/collect/%zz/crm", "/collect/%f/crm", "/collect/a%ff%fe/crm"])
    func aBadEscapeIsA400(_ target: String) throws {
        try expectError(shop.server.post(target, "{}"), 400)
    }

    @Test func pathSegmentsArePercentDecoded() throws {
        let (marker, session) = (unique("m"), "s/\(unique("ü"))?&=")
        var allowed = CharacterSet.alphanumerics
        allowed.insert("-")
        let escaped = try #require(session.addingPercentEncoding(withAllowedCharacters: allowed))
        let answer = try taken(
            Request(
                "POST", "/collect/caf%C3%A9%2Fbar/%63rm/\(escaped)", body: Array(#"{"m":"\#(marker)"}"#.utf8))
        )
        #expect(answer["session", "id"] == .string(session))
        #expect(try shop.event(marker)["activity"] == "café/bar")
        #expect(try shop.event(marker)["session_id"] == .string(session))
    }

    @Test(arguments: [
        "Bearer the-key-of-the-vault", "bearer the-key-of-the-vault", "Basic dGhlLWtleS1vZi10aGUtdmF1bHQ6",
    ])
    func aKeyIsTaken(_ authorization: String) throws {
        let marker = unique("m")
        let headers = [("Authorization", authorization), ("Content-Type", "application/json; charset=utf-8")]
        _ = try taken(
            Request("POST", "/collect/order/vault", headers, body: Array(#"{"m":"\#(marker)"}"#.utf8)))
        #expect(try shop.event(marker)["source"] == "vault")
    }

    @Test func aBackendCanSendAgainSafely() throws {
        let (marker, key) = (unique("m"), unique("key"))
        let headers = [("Idempotency-Key", key), ("X-Event-Time", "2026-01-02T03:04:05Z")]
        for _ in 0..<3 {
            _ = try taken(
                Request("POST", "/collect/order/crm", headers, body: Array(#"{"m":"\#(marker)"}"#.utf8)))
        }
        let event = try shop.event(marker)
        #expect(event["client_id"] == .string(key))
        #expect(event["time"]?.text?.hasPrefix("2026-01-02T03:04:05") == true)
        try shop.flush()
        #expect(try shop.events(marker) == 1)
    }

    @Test func aSourceOfBothKindsMaySendEitherWay() throws {
        let markers = [unique("m"), unique("m")]
        _ = try shop.track(marker: markers[0], source: "both")
        _ = try taken(Request("GET", "/collect/order/both?m=\(markers[1])"))
        for marker in markers { #expect(try shop.event(marker)["source"] == "both") }
    }

    @Test func aPackedBodyIsUnpacked() throws {
        let marker = unique("m")
        let body = try deflated(Array(#"{"m":"\#(marker)"}"#.utf8), .gzip)
        _ = try taken(Request("POST", "/collect/order/crm", [("Content-Encoding", "gzip")], body: body))
        _ = try shop.event(marker)
    }

    @Test func anotherTypeIsA415() throws {
        try expectError(
            shop.server.post("/collect/order/crm", "<a/>", [("Content-Type", "application/xml")]), 415)
    }

    @Test func aTypeThatIsTooLongIsA422() throws {
        let answer = try shop.server.post("/collect/\(String(repeating: "t", count: 257))/crm", "{}")
        try expectError(answer, 422)
    }
}
