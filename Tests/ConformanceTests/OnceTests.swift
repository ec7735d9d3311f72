import TestSupport
import Testing

/// Doing it once (contract, section 5).
@Suite struct OnceTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    /// Sends one event with an id and waits for the commit; `properties` without braces.
    private func send(
        id: String, _ properties: String, type: String = "a", source: String = "shop-web", more: String = "",
        event: String = ""
    ) throws -> JSON {
        try shop.server.track(
            """
            {"source":{"id":"\(source)"},"options":{"debugger":true}\(more.isEmpty ? "" : "," + more),
             "events":[{"type":"\(type)","id":\(quoted(id)),"properties":{\(properties)}\(event.isEmpty ? "" : "," + event)}]}
            """)
    }

    private func stored(_ id: String, source: String = "shop-web") throws -> Int {
        try shop.database.count("select count(*) from event where client_id = $1 and source = $2", id, source)
    }

    private func conflicts(_ id: String) throws -> Int {
        try shop.database.count(
            "select count(*) from quarantine where reason = 'conflict' and client_id = $1", id)
    }

    private func isDuplicate(_ answer: JSON) -> Bool {
        answer["warnings"]?.list?.contains { $0.text?.contains("duplicate") == true } == true
    }

    @Test func aRepeatIsAnsweredLikeTheFirstAndMarked() throws {
        let id = unique("id")
        let duplicates = try Books.total("duplicate", in: shop.database)
        let session = #""session":{"id":"\#(unique("s"))"}"#
        let first = try send(id: id, #""a":1"#, more: session)
        #expect(!isDuplicate(first))
        let second = try send(id: id, #""a":1"#, more: session)
        #expect(isDuplicate(second))
        #expect(second["profile"] == first["profile"])
        #expect(second["session"] == first["session"])
        #expect(try stored(id) == 1)
        try eventually("the ledger counts it") {
            try Books.total("duplicate", in: shop.database) > duplicates
        }
    }

    @Test func aRecentRepeatIsMarkedAlsoWithoutWaiting() throws {
        let marker = unique("m")
        let first = try shop.track(marker: marker, event: #""id":"\#(marker)""#)
        #expect(!isDuplicate(first))
        #expect(isDuplicate(try shop.track(marker: marker, event: #""id":"\#(marker)""#)))
    }

    @Test func anOlderRepeatIsMarkedWhereTheAnswerWaits() throws {
        let id = unique("id")
        _ = try send(id: id, #""a":1"#)
        let other = try World.second.get()
        _ = try other.track(
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","id":"\#(id)","properties":{"a":1}}]}"#)
        #expect(isDuplicate(try send(id: id, #""a":1"#)))
        #expect(try stored(id) == 1)
    }

    @Test(arguments: [
        (#""a":1,"b":2"#, #""b":2,"a":1"#), (#""a":1"#, #""a":1.0"#), (#""a":1"#, #""a":10e-1"#),
        (#""a":7,"a":1"#, #""a":1"#), (#""a":"é""#, #""a":"\u00e9""#),
        (#""a":{"x":[1,2]}"#, #""a": { "x" : [1, 2.00] }"#),
        (#""a":"/""#, #""a":"\/""#), (#""a":-0"#, #""a":0"#), (#""a":1e2"#, #""a":100"#),
    ])
    func whatIsEqualAsJsonbIsARepeat(_ first: String, _ second: String) throws {
        let id = unique("id")
        _ = try send(id: id, first)
        #expect(isDuplicate(try send(id: id, second)))
        #expect(try stored(id) == 1)
        #expect(try conflicts(id) == 0)
    }

    @Test func contextTimeSessionAndLabelDoNotMatter() throws {
        let id = unique("id")
        _ = try send(id: id, #""a":1"#, type: "Page View", more: #""session":{"id":"\#(unique("s"))"}"#)
        _ = try send(
            id: id, #""a":1"#, type: " page  view",
            more: #""session":{"id":"\#(unique("s"))"},"context":{"x":1}"#,
            event: #""context":{"y":2},"time":"2026-01-01","tags":["t"]"#)
        #expect(try stored(id) == 1)
        #expect(try conflicts(id) == 0)
    }

    @Test(arguments: [
        (#""a":1"#, "b"), (#""a":2"#, "a"), (#""a":"1""#, "a"), (#""a":1,"b":null"#, "a"), (#""a":[1]"#, "a"),
        ("", "a"),
        (#""a":1.0000000000000000000000000000000000001"#, "a"),
    ])
    func theSameIdWithAnotherContentIsAConflict(_ properties: String, _ type: String) throws {
        let id = unique("id")
        _ = try send(id: id, #""a":1"#)
        let answer = try shop.server.post(
            "/track",
            #"{"source":{"id":"shop-web"},"options":{"debugger":true},"events":[{"type":"\#(type)","id":"\#(id)","properties":{\#(properties)}}]}"#
        )
        #expect(answer.status == 200)
        #expect(try answer.json()["warnings"] == .array([.string("conflict")]))
        try eventually("the conflict is in quarantine") { try conflicts(id) == 1 }
        #expect(try stored(id) == 1)
    }

    @Test func bothContentsInOneRequestAreAConflict() throws {
        let id = unique("id")
        let events = [1, 2].map { #"{"type":"a","id":"\#(id)","properties":{"a":\#($0)}}"# }
        let answer = try shop.server.track(
            #"{"source":{"id":"shop-web"},"options":{"debugger":true},"events":[\#(events.joined(separator: ","))]}"#
        )
        #expect(answer["warnings"] == .array([.string("conflict"), .string("/events/1/id: conflict")]))
        #expect(try stored(id) == 1)
        #expect(try conflicts(id) == 1)
    }

    @Test func theSameIdOfAnotherSourceIsAnotherEvent() throws {
        let id = unique("id")
        _ = try send(id: id, #""a":1"#)
        _ = try send(id: id, #""a":1"#, source: "both")
        #expect(try stored(id) == 1)
        #expect(try stored(id, source: "both") == 1)
    }

    @Test func anIdTwiceInOneRequestIsStoredOnce() throws {
        let (id, marker) = (unique("id"), unique("m"))
        let event = #"{"type":"a","id":"\#(id)","properties":{"m":"\#(marker)"}}"#
        _ = try shop.server.track(#"{"source":{"id":"shop-web"},"events":[\#(event),\#(event),\#(event)]}"#)
        _ = try shop.event(marker)
        try shop.flush()
        #expect(try shop.events(marker) == 1)
    }

    @Test func manyRepeatsAtOnceOnTwoServersAreStoredOnce() throws {
        let (id, shop, second) = (unique("id"), self.shop, try World.second.get())
        let body =
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","id":"\#(id)","properties":{"m":"\#(id)"}}]}"#
        _ = try together(
            { for _ in 0..<20 { _ = try shop.server.track(body) } },
            { for _ in 0..<20 { _ = try second.track(body) } })
        _ = try shop.event(id)
        try shop.flush()
        _ = try shop.track(marker: "\(id)-last", on: second)
        _ = try shop.event("\(id)-last")
        #expect(try stored(id) == 1)
        #expect(try conflicts(id) == 0)
    }

    /// It was processed, so sending it again must not process it a second time.
    @Test func anUnsavedEventTakesItsKeyAsWell() throws {
        let id = unique("id")
        for isRepeat in [false, true] {
            let answer = try send(id: id, #""a":1"#, event: #""options":{"save":false}"#)
            #expect(isDuplicate(answer) == isRepeat)
        }
        #expect(try stored(id) == 0)
    }

    @Test func aNumberIsAnIdAsText() throws {
        let (marker, number) = (unique("m"), UInt64.random(in: 1 ... .max))
        for _ in 0..<2 { _ = try shop.track(marker: marker, event: #""id":\#(number)"#) }
        #expect(try shop.event(marker)["client_id"] == .string(String(number)))
        try shop.flush()
        #expect(try shop.events(marker) == 1)
    }
}
