import TestSupport
import Testing

/// What a browser needs so that a page may send and read (contract, section 4).
@Suite struct CrossOriginTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func preflight(
        _ target: String, _ more: [(String, String)], origin: String = "https://shop.example"
    )
        throws -> Response
    {
        try shop.server.exchange(Request("OPTIONS", target, [("Origin", origin)] + more))
    }

    private func isReadable(_ answer: Response, by origin: String) -> Bool {
        answer.header("Access-Control-Allow-Origin") == origin
            && answer.header("Access-Control-Allow-Credentials") == "true"
            && answer.header("Vary")?.lowercased().contains("origin") == true
    }

    @Test(arguments: [
        "/track", "/track?profile_less=true", "/collect/order/crm", "/collect/order/crm/s", "/anything", "*",
    ])
    func aPreflightIsAnswered(_ target: String) throws {
        let answer = try preflight(target, [("Access-Control-Request-Method", "POST")])
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
        #expect(isReadable(answer, by: "https://shop.example"))
        #expect(answer.header("Access-Control-Allow-Methods")?.contains("POST") == true)
        #expect(answer.header("Access-Control-Max-Age").flatMap { Int($0) }.map { $0 > 0 } == true)
    }

    @Test func theRequestedHeadersAreEchoed() throws {
        let asked = "content-type, x-custom, authorization"
        let answer = try preflight(
            "/track",
            [("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", asked)])
        #expect(answer.header("Access-Control-Allow-Headers") == asked)
    }

    /// `navigator.sendBeacon` with a JSON blob: credentials are included, so `*` would not do.
    @Test func aBeaconsPreflightAndPostAreTaken() throws {
        let client = try Client(shop.server.address)
        let asked = [
            ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type"),
        ]
        let origin = [("Origin", "https://shop.example")]
        let preflight = try client.exchange(Request("OPTIONS", "/track", origin + asked))
        #expect(preflight.status == 204)
        #expect(isReadable(preflight, by: "https://shop.example"))
        #expect(preflight.header("Access-Control-Allow-Headers") == "content-type")
        let marker = unique("m")
        let body =
            #"{"source":{"id":"shop-web"},"events":[{"type":"unload","properties":{"m":"\#(marker)"}}]}"#
        let sent = [("Content-Type", "application/json"), ("Cookie", "a=b"), ("Sec-Fetch-Mode", "cors")]
        let answer = try client.exchange(Request("POST", "/track", origin + sent, body: Array(body.utf8)))
        #expect(answer.status == 200)
        #expect(isReadable(answer, by: "https://shop.example"))
        _ = try shop.event(marker)
    }

    @Test func aPrivateNetworkPreflightIsAllowed() throws {
        let asked = [
            ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Private-Network", "true"),
        ]
        #expect(try preflight("/track", asked).header("Access-Control-Allow-Private-Network") == "true")
    }

    @Test(arguments: [
        "https://a.example", "http://localhost:3000", "null", "https://xn--bcher-kva.example:8443",
    ])
    func theExactOriginIsEchoedNeverAStar(_ origin: String) throws {
        let answer = try shop.server.post(
            "/track", #"{"source":{"id":"any-origin"},"events":[{"type":"a"}]}"#, [("Origin", origin)])
        #expect(answer.status == 200)
        #expect(isReadable(answer, by: origin))
    }

    @Test(arguments: [
        ("/track", "{", 400), ("/track", #"{"source":{"id":"nobody"},"events":[{"type":"a"}]}"#, 401),
        ("/nowhere", "{}", 404), ("/healthz", "{}", 405), ("/track", #"{"source":{}}"#, 422),
        ("/track", #"{"source":{"id":"one-origin"},"events":[{"type":"a"}]}"#, 401),
    ])
    func aPageCanReadErrors(_ target: String, _ body: String, _ status: Int) throws {
        let answer = try shop.server.post(target, body, [("Origin", "https://other.example")])
        try expectError(answer, status)
        #expect(isReadable(answer, by: "https://other.example"))
    }

    @Test func aPageCanReadThatItsBodyIsTooLarge() throws {
        let client = try Client(shop.server.address)
        try client.send(
            "POST /track HTTP/1.1\r\nHost: a\r\nOrigin: https://other.example\r\nContent-Length: 99999999\r\n\r\n"
        )
        let answer = try client.receive()
        try expectError(answer, 413)
        #expect(isReadable(answer, by: "https://other.example"))
    }

    @Test(arguments: [
        ("X-Long: \(String(repeating: "a", count: 500))\r\n", 100, 431), ("X: 1\r\n", 200, 431),
        ("X-Bad : 1\r\n", 1, 400), ("Content-Encoding: gzip\r\n", 2, 415),
        ("Content-Type: text/plain\r\nContent-Type: text/html\r\n", 1, 415),
    ])
    func aPageCanReadWhatIsWrongWithItsHeaders(_ field: String, _ times: Int, _ status: Int) throws {
        let client = try Client(shop.server.address)
        let fields = String(repeating: field, count: times)
        try client.send("POST /track HTTP/1.1\r\nHost: a\r\nOrigin: https://other.example\r\n\(fields)\r\n")
        let answer = try client.receive()
        try expectError(answer, status)
        #expect(isReadable(answer, by: "https://other.example"))
        #expect(answer.header("Vary") == "Origin")
    }

    @Test func whatIsRefusedBeforeTheOriginIsKnownVariesByIt() throws {
        let client = try Client(shop.server.address)
        try client.send("POST /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\nHost: a\r\n")
        let answer = try client.receive()
        try expectError(answer, 414)
        #expect(answer.header("Vary") == "Origin")
        #expect(answer.header("Access-Control-Allow-Origin") == nil)
    }

    @Test func aPageCanReadThatItsTypeOrEncodingIsUnknown() throws {
        for header in [("Content-Type", "text/html"), ("Content-Encoding", "br")] {
            let answer = try shop.server.post("/track", "{}", [("Origin", "https://other.example"), header])
            try expectError(answer, 415)
            #expect(isReadable(answer, by: "https://other.example"))
        }
    }

    @Test(arguments: [
        ("one-origin", "https://shop.example", 200), ("one-origin", "https://shop.example:8443", 401),
        ("one-origin", "http://shop.example", 401), ("one-origin", "https://evil.shop.example", 401),
        ("one-origin", "null", 401), ("sub-origins", "https://a.shop.example", 200),
        ("sub-origins", "https://a.b.shop.example", 200), ("sub-origins", "https://evilshop.example", 401),
        ("sub-origins", "http://a.shop.example", 401),
        ("sub-origins", "https://a.shop.example.evil.example", 401),
        ("any-origin", "https://whoever.example", 200), ("shop-web", "https://whoever.example", 200),
    ])
    func anOriginIsCheckedAgainstTheSource(_ source: String, _ origin: String, _ status: Int) throws {
        let answer = try shop.server.post(
            "/track", #"{"source":{"id":"\#(source)"},"events":[{"type":"a"}]}"#, [("Origin", origin)])
        #expect(answer.status == status, "\(answer.text)")
    }

    @Test func anOriginWithALineEndCannotSplitTheAnswer() throws {
        let client = try Client(shop.server.address)
        try client.send("OPTIONS /track HTTP/1.1\r\nHost: a\r\nOrigin: https://a\rX-Evil: 1\r\n\r\n")
        let answer = try client.receive(to: "OPTIONS")
        #expect(answer.header("X-Evil") == nil)
        #expect(answer.status == 400)
    }
}
