import TestSupport
import Testing

/// Free-form JSON never breaks ingest: each document with its written outcome, read back from the database.
@Suite struct NastyDocumentTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func send(_ value: String, marker: String) throws -> JSON {
        try shop.server.track(
            #"{"source":{"id":"shop-web"},"events":[{"type":"nasty","properties":{"m":"\#(marker)","v":\#(value)}}]}"#
        )
    }

    private func kept(_ marker: String) throws -> String? {
        _ = try shop.event(marker)
        return try shop.database.value(
            "select properties->'v' from event where properties->>'m' = $1", marker)
    }

    /// What jsonb can hold comes back as jsonb prints it; numbers with every digit.
    @Test(arguments: [
        ("null", "null"), ("true", "true"), ("{}", "{}"), ("[]", "[]"), ("[[],{}]", "[[], {}]"),
        (#""""#, #""""#),
        ("0", "0"), ("-0", "0"), ("0.10", "0.10"), ("1.000", "1.000"), ("1e2", "100"), ("1.5e-5", "0.000015"),
        ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890"),
        ("0.1234567890123456789012345678901234567890", "0.1234567890123456789012345678901234567890"),
        ("9007199254740993", "9007199254740993"), ("1E+2", "100"),
        (#"{"a":1,"a":2}"#, #"{"a": 2}"#), (#"{"":1}"#, #"{"": 1}"#), (#"{"a b\n":1}"#, #"{"a b\n": 1}"#),
        (#""\u00e9\ud83d\ude00""#, #""é😀""#), (#""é😀""#, #""é😀""#),
        (#""\/\b\f\n\r\t\"\\""#, #""/\b\f\n\r\t\"\\""#),
        (#"{"__proto__":{"x":1},"constructor":1}"#, #"{"__proto__": {"x": 1}, "constructor": 1}"#),
        (#""'; drop table event; --""#, #""'; drop table event; --""#),
        (#""\u007f\u0080\uffff""#, "\"\u{7f}\u{80}\u{ffff}\""),
        (#""\u202e\ufeff""#, "\"\u{202e}\u{feff}\""),
        (#"[1,"1",true,null,{"a":[]}]"#, #"[1, "1", true, null, {"a": []}]"#),
    ])
    func whatJsonbCanHoldIsKept(_ sent: String, _ expected: String) throws {
        let marker = unique("m")
        let answer = try send(sent, marker: marker)
        #expect(answer["warnings"] == [])
        #expect(try kept(marker) == expected)
    }

    /// What it cannot hold is replaced, and said.
    @Test(arguments: [
        (#""a\u0000b""#, "\"a\u{fffd}b\""), (#"{"k\u0000":1}"#, "{\"k\u{fffd}\": 1}"),
        (#""\ud800""#, "\"\u{fffd}\""),
        (#""\udc00x""#, "\"\u{fffd}x\""), (#""\ud800\ud800""#, "\"\u{fffd}\u{fffd}\""),
        (#"{"\udfff":[]}"#, "{\"\u{fffd}\": []}"), ("1e100000", #""1e100000""#),
        ("1e1000000000", #""1e1000000000""#),
        ("-1e99999999999999999999", #""-1e99999999999999999999""#), ("1e-100000", #""1e-100000""#),
    ])
    func whatJsonbCannotHoldIsReplacedAndNoted(_ sent: String, _ expected: String) throws {
        let marker = unique("m")
        let answer = try send(sent, marker: marker)
        #expect(answer["warnings"]?.list?.count == 1, "\(answer.encoded)")
        #expect(try kept(marker) == expected)
    }

    /// `1e400` is more than a double, and a number all the same.
    @Test(arguments: [("1e400", 401), ("-1e400", 402), ("1e4000", 4001)])
    func aHugeNumberKeepsEveryDigit(_ sent: String, _ digits: Int) throws {
        let marker = unique("m")
        _ = try send(sent, marker: marker)
        let text = try #require(try kept(marker))
        #expect(text.count == digits || text == quoted(sent))
        #expect(try send(sent, marker: unique("m"))["errors"] == [])
    }

    @Test func aTinyNumberIsKept() throws {
        let marker = unique("m")
        _ = try send("1e-400", marker: marker)
        let text = try #require(try kept(marker))
        #expect(text.hasPrefix("0.000") && text.hasSuffix("1") && text.count == 402)
    }

    @Test func aStringOfAMegabyteIsKept() throws {
        let marker = unique("m")
        let long = String(repeating: "é\\n", count: 1 << 18)
        _ = try send("\"\(long)\"", marker: marker)
        _ = try shop.event(marker)
        let length = try shop.database.count(
            "select length(properties->>'v') from event where properties->>'m' = $1", marker)
        #expect(length == 1 << 19)
    }

    @Test func aNameOf100KilobytesAndTenThousandMembersAreKept() throws {
        let markers = [unique("m"), unique("m")]
        _ = try send(#"{"\#(String(repeating: "n", count: 100_000))":1}"#, marker: markers[0])
        #expect(try kept(markers[0])?.count == 100_000 + 7)
        _ = try send(
            "{" + (0..<10_000).map { #""k\#($0)":\#($0)"# }.joined(separator: ",") + "}", marker: markers[1])
        _ = try shop.event(markers[1])
        let count = try shop.database.count(
            "select count(*) from event, jsonb_object_keys(properties->'v') where properties->>'m' = $1",
            markers[1])
        #expect(count == 10_000)
    }

    /// The properties themselves are one level; with them an event may nest 100 deep.
    @Test func depthUpToTheLimitIsKept() throws {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            let marker = unique("m")
            let inner = open == "[" ? "" : "1"
            let deep = String(repeating: open, count: 99) + inner + String(repeating: close, count: 99)
            _ = try send(deep, marker: marker)
            #expect(try kept(marker)?.filter { $0 == open.first }.count == 99)
        }
    }

    @Test(arguments: [100, 501, 5_000, 400_000])
    func anythingDeeperIsQuarantinedAndTheServerLives(_ levels: Int) throws {
        let marker = unique("deep")
        let deep = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        let answer = try shop.server.post(
            "/track",
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"x":"\#(marker)","v":\#(deep)}}]}"#
        )
        try expectError(answer, 422, hiding: marker)
        #expect(try shop.quarantined(marker)["reason"] == "limit")
        #expect(try shop.server.get("/healthz").status == 200)
    }

    @Test func anUnclosedDepthBombIsA400() throws {
        let deep = String(repeating: "[", count: 2_000_000)
        try expectError(shop.server.post("/track", #"{"source":{"id":"shop-web"},"events":\#(deep)"#), 400)
        let objects = String(repeating: #"{"a":"#, count: 400_000)
        try expectError(shop.server.post("/track", objects), 400)
    }

    @Test func aTypeMayChangeFromEventToEvent() throws {
        let values = ["1", #""1""#, "true", "null", "[1]", #"{"a":1}"#, #"[{"a":1},"x"]"#, "1.5"]
        let markers = values.map { _ in unique("m") }
        let events = zip(values, markers).map {
            #"{"type":"changing","properties":{"m":"\#($1)","v":\#($0)}}"#
        }
        let answer = try shop.server.track(
            #"{"source":{"id":"shop-web"},"events":[\#(events.joined(separator: ","))]}"#)
        #expect(answer["errors"] == [])
        for (value, marker) in zip(values, markers) {
            let kept = try #require(try kept(marker))
            #expect(try JSON(text: kept) == JSON(text: value))
        }
    }

    @Test func nastyTextsInEveryPlaceAreStored() throws {
        let marker = unique("m")
        let nasty = #"x\u0000\ud800'\"\\%s$1"#
        let answer = try shop.server.track(
            """
            {"source":{"id":"shop-web"},"session":{"id":"\(marker)\(nasty)"},"profile":{"id":"\(nasty)"},
             "context":{"\(nasty)":"\(nasty)"},
             "events":[{"type":"a\(nasty)","id":"\(marker)\(nasty)","tags":["\(nasty)",1,null],
              "context":{"\(nasty)":["\(nasty)"]},"properties":{"m":"\(marker)","\(nasty)":"\(nasty)"}}]}
            """)
        #expect(answer["errors"] == [])
        let event = try shop.event(marker)
        let repaired = "x\u{fffd}\u{fffd}'\"\\%s$1"
        #expect(event["label"] == .string("a\(repaired)"))
        #expect(event["client_id"] == .string("\(marker)\(repaired)"))
        #expect(event["session_id"] == .string("\(marker)\(repaired)"))
        #expect(event["tags"] == [.string(repaired), "1"])
        #expect(event["properties", .name(repaired)] == .string(repaired))
        #expect(event["context", .name(repaired)] == [.string(repaired)])
    }
}
