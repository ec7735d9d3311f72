import TestSupport
import Testing

/// The errors and their bodies (contract, section 2).
@Suite struct ErrorTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private static let secret = "very-private-text"

    @Test(arguments: [
        "", " ", "{", "[]", "\"text\"", "5", "null", "true", "{\"a\":1}{", "{\"a\":1,}", "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":01}", "{\"a\":\"\u{1}\"}", "{\"a\":1} x", "{\"a\":\"\\x\"}", "{\"a\":tru}", "{\"a\":1e}",
        "[1,2",
        "a=1&b=2", "<xml/>",
    ])
    func whatIsNotAnObjectIsA400(_ body: String) throws {
        try expectError(shop.server.post("/track", body), 400)
    }

    @Test(
        arguments: [[0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]] as [[UInt8]])
    func whatIsNotUTF8IsA400(_ bytes: [UInt8]) throws {
        let body = Array(#"{"source":{"id":"shop-web"},"x":""#.utf8) + bytes + Array(#""}"#.utf8)
        let headers = [("Content-Type", "application/json")]
        try expectError(shop.server.exchange(Request("POST", "/track", headers, body: body)), 400)
    }

    @Test func whatCannotBeReadOrHasNoRightIsCountedAndNotKept() throws {
        let secret = unique("private")
        let before = try shop.server.metric("waymark_requests_total", "code=\"401\"") ?? 0
        _ = try shop.server.post("/track", "{\(secret)")
        _ = try shop.server.post("/track", #"{"source":{"id":"nobody"},"events":[{"type":"\#(secret)"},{}]}"#)
        _ = try shop.server.post("/collect/\(secret)/vault", "{}")
        try eventually("both refusals are counted") {  // a lane counts after it has sent
            try shop.server.metric("waymark_requests_total", "code=\"401\"") ?? 0 >= before + 2
        }
        try shop.flush()
        #expect(
            try shop.database.count(
                "select count(*) from quarantine where strpos(payload::text || coalesce(activity, ''), $1) > 0",
                secret)
                == 0)
    }

    @Test(arguments: [
        ("/track", #"{"source":{"id":"nobody"},"events":[{"type":"very-private-text"}]}"#),
        ("/track", #"{"source":{"id":"closed"},"events":[{"type":"very-private-text"}]}"#),
        ("/track", #"{"source":{"id":"crm"},"events":[{"type":"very-private-text"}]}"#),
        ("/track", #"{"source":{"id":"@internal"},"events":[{"type":"very-private-text"}]}"#),
        ("/track", #"{"source":{"id":"Shop-Web"},"events":[{"type":"very-private-text"}]}"#),
        ("/collect/order/nobody", #"{"x":"very-private-text"}"#),
        ("/collect/order/closed", #"{"x":"very-private-text"}"#),
        ("/collect/order/shop-web", #"{"x":"very-private-text"}"#),
        ("/collect/order/vault", #"{"x":"very-private-text"}"#),
    ])
    func aSourceThatMayNotSendIsA401(_ target: String, _ body: String) throws {
        try expectError(shop.server.post(target, body), 401, hiding: Self.secret)
    }

    @Test(arguments: [
        "Bearer wrong", "Bearer the-key-of-the-vaul", "Bearer the-key-of-the-vault2", "Bearer", "",
        "Basic dGhlLWtleS1vZi10aGUtdmF1bA==", "Basic !!!", "Digest the-key-of-the-vault",
        "the-key-of-the-vault",
    ])
    func aWrongKeyIsA401(_ authorization: String) throws {
        let answer = try shop.server.post("/collect/order/vault", "{}", [("Authorization", authorization)])
        try expectError(answer, 401, hiding: "vault")
    }

    @Test(arguments: [
        ("GET", "/track", "POST"), ("PUT", "/track", "POST"), ("DELETE", "/track", "POST"),
        ("PATCH", "/track", "POST"),
        ("PUT", "/collect/a/crm", "GET"), ("DELETE", "/collect/a/crm/s", "POST"), ("POST", "/healthz", "GET"),
        ("POST", "/metrics", "GET"), ("BREW", "/track", "POST"),
    ])
    func anotherMethodIsA405WithTheOnesThereAre(_ method: String, _ target: String, _ allowed: String) throws
    {
        let answer = try shop.server.exchange(Request(method, target, body: []))
        try expectError(answer, 405)
        #expect(answer.header("Allow")?.split(separator: ", ").contains { $0 == allowed } == true)
    }

    @Test(arguments: [
        "/", "/trac", "/tracks", "/track/x", "/collect/a/b/c/d", "/admin", "/.env", "/..%2f", "/TRACK",
    ])
    func anotherPathIsA404(_ target: String) throws {
        try expectError(shop.server.post(target, "{}"), 404)
    }

    @Test(arguments: [
        "/track/", "/track?", "/track?a=b&c", "/track/?profile_less=false", "http://waymark.example/track",
    ])
    func theSameResourceIsFound(_ target: String) throws {
        let answer = try shop.server.post(target, #"{"source":{"id":"shop-web"},"events":[{"type":"a"}]}"#)
        #expect(answer.status == 200)
        #expect(isUUID(try answer.json()["profile", "id"]))
    }

    @Test func anErrorInOneRequestDoesNotCostTheConnection() throws {
        let client = try Client(shop.server.address)
        for (target, status) in [("/nowhere", 404), ("/track", 400), ("/track", 400), ("/healthz", 405)] {
            #expect(try client.exchange(Request("POST", target, body: Array("{".utf8))).status == status)
        }
        #expect(try client.exchange(Request("GET", "/healthz")).status == 200)
    }

    @Test func aHeadIsAnsweredWithoutABody() throws {
        let client = try Client(shop.server.address)
        let answer = try client.exchange(Request("HEAD", "/healthz"))
        #expect(answer.status == 200)
        #expect(answer.body.isEmpty)
        #expect(try client.exchange(Request("GET", "/healthz")).status == 200)
    }
}
