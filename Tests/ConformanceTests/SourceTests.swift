import TestSupport
import Testing

/// Who may send what, and how often (contract, section 4).
@Suite struct SourceTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    @Test(arguments: [
        ("allowing", "page-view", true), ("allowing", "Page View", true), ("allowing", "order", true),
        ("allowing", "reorder", false), ("allowing", "orders", false), ("denying", "secret-thing", false),
        ("denying", "Secret Thing", false), ("denying", "secret", true), ("denying", "page-view", true),
    ])
    func whatIsDeniedIsAnswered200CountedAndDropped(_ source: String, _ type: String, _ isAllowed: Bool)
        throws
    {
        let (marker, last) = (unique("m"), unique("m"))
        func denied() throws -> Int {
            try shop.database.count(
                "select coalesce(sum(denied), 0)::bigint from ledger where source = $1", source)
        }
        let before = try denied()
        let answer = try shop.track(marker: marker, source: source, type: type)
        #expect(answer["errors"] == [])
        _ = try shop.track(marker: last, source: "both")
        if isAllowed {
            _ = try shop.event(marker)
        } else {
            _ = try shop.event(last)
            #expect(try shop.events(marker) == 0)
            try eventually("the ledger counts it") { try denied() > before }
        }
    }

    @Test func whatIsDeniedMayBeKeptInQuarantine() throws {
        let marker = unique("m")
        _ = try shop.track(marker: marker, source: "keeping", type: "secret-plan")
        let entry = try shop.quarantined(marker)
        #expect(entry["reason"] == "denied")
        #expect(entry["activity"] == "secret-plan")
        #expect(entry["source"] == "keeping")
        #expect(try shop.events(marker) == 0)
    }

    @Test func deniedAndBadEventsDoNotCostTheOthers() throws {
        let marker = unique("m")
        let answer = try shop.server.track(
            """
            {"source":{"id":"denying"},"events":[{"type":"secret-x"},{"type":"ok","properties":{"m":"\(marker)"}},{}]}
            """)
        #expect(answer["errors"]?.list?.count == 1)
        _ = try shop.event(marker)
    }

    @Test func tooManyRequestsOfASourceAreA429() throws {
        var statuses: [Int] = []
        for _ in 0..<12 {
            let answer = try shop.server.post("/track", #"{"source":{"id":"rated"},"events":[{"type":"a"}]}"#)
            statuses.append(answer.status)
            if answer.status == 429 {
                try expectError(answer, 429)
                #expect(answer.header("Retry-After").flatMap { Int($0) }.map { $0 > 0 && $0 <= 60 } == true)
            }
        }
        #expect(statuses.contains(200))
        #expect(statuses.last == 429)
        // Another source of the same client goes on.
        #expect(isUUID(try shop.track()["task"]))
    }

    @Test func tooManyRequestsOfAnAddressAreA429() throws {
        var options = ServerOptions(sources: World.sources, database: shop.database.conninfo)
        options.limits = ["address_rate: 5/m"]
        options.settings = ["proxies: [127.0.0.1]"]
        let server = try Server.ready(options)
        func send(as address: String) throws -> Response {
            try server.post(
                "/track", #"{"source":{"id":"shop-web"},"events":[{"type":"a"}]}"#,
                [("X-Forwarded-For", address)])
        }
        let statuses = try (0..<12).map { _ in try send(as: "203.0.113.7").status }
        #expect(statuses.first == 200 && statuses.last == 429)
        let refused = try send(as: "203.0.113.7")
        try expectError(refused, 429)
        #expect(refused.header("Retry-After") != nil)
        #expect(try send(as: "203.0.113.8").status == 200)
        // Only what the trusted proxy itself added counts: what stands left of it is the client's own claim.
        #expect(try send(as: "203.0.113.9, 203.0.113.7").status == 429)
    }

    @Test func withoutATrustedProxyTheForwardedAddressIsNotBelieved() throws {
        var options = ServerOptions(sources: World.sources, database: shop.database.conninfo)
        options.limits = ["address_rate: 5/m"]
        let server = try Server.ready(options)
        let statuses = try (0..<12).map { i in
            try server.post(
                "/track", #"{"source":{"id":"shop-web"},"events":[{"type":"a"}]}"#,
                [("X-Forwarded-For", "203.0.113.\(i)")]
            ).status
        }
        #expect(statuses.last == 429)
    }
}
