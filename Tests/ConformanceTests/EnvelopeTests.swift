import TestSupport
import Testing

/// What the envelope and the events may look like (contract, section 2).
@Suite struct EnvelopeTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    @Test(arguments: [
        #""session":null"#, #""session":{}"#, #""session":{"id":null}"#, #""session":{"id":"  "}"#,
        #""profile":null"#, #""profile":{}"#, #""profile":{"id":null}"#, #""profile":{"id":""}"#,
        #""context":null"#, #""properties":null"#, #""options":null"#, #""options":{}"#,
        #""options":{"debugger":null,"profile":null,"saveSession":null,"saveEvents":null}"#,
        #""unknown":{"deep":[1,2,3]}"#,
        #""metadata":{"time":{"insert":"1999-01-01"}},"request":{"ip":"1.2.3.4"}"#,
        #""validation":{"disabled":true}"#,
    ])
    func whatIsOptionalMayBeNullAndWhatIsUnknownIsIgnored(_ members: String) throws {
        let marker = unique("m")
        let answer = try shop.track(marker: marker, members)
        #expect(isUUID(answer["profile", "id"]))
        #expect(answer["errors"] == [])
        #expect(try shop.event(marker)["source"] == "shop-web")
    }

    @Test(arguments: [
        #""id":null"#, #""context":null"#, #""tags":null"#, #""time":null"#, #""time":{}"#,
        #""time":{"create":null}"#,
        #""options":null"#, #""options":{"save":null}"#, #""extra":[{}]"#, #""metadata":{"status":"x"}"#,
    ])
    func anEventsOptionalMembersMayBeNull(_ member: String) throws {
        let marker = unique("m")
        #expect(try shop.track(marker: marker, event: member)["errors"] == [])
        #expect(try shop.event(marker)["activity"] == "page-view")
    }

    @Test func propertiesMayBeNullOrMissing() throws {
        let tags = [unique("t"), unique("t")]
        _ = try shop.server.track(
            """
            {"source":{"id":"shop-web"},"events":[{"type":"a","properties":null,"tags":["\(tags[0])"]},
             {"type":"a","tags":["\(tags[1])"]}]}
            """)
        for tag in tags {
            let properties = try eventually("stored") {
                try shop.database.value(
                    "select properties::text from event where tags::text like $1", "%\(tag)%")
            }
            #expect(properties == "{}")
        }
    }

    @Test(arguments: [
        ("purchase-order", "purchase-order"), ("  Purchase Order ", "purchase-order"),
        ("ÜBER\t Größe", "über-größe"),
        ("A  B\nC", "a-b-c"), ("購入", "購入"), ("ПОКУПКА", "покупка"), ("a-b_c.d/e", "a-b_c.d/e"),
    ])
    func theActivitysKeyIsTheNormalisedType(_ type: String, _ key: String) throws {
        let marker = unique("m")
        _ = try shop.track(marker: marker, type: type)
        #expect(try shop.event(marker)["activity"] == .string(key))
    }

    @Test func theLabelIsWhatWasSent() throws {
        let marker = unique("m")
        _ = try shop.track(marker: marker, type: "Newsletter Opened")
        #expect(try shop.event(marker)["label"] == "Newsletter Opened")
    }

    @Test func contextTagsAndPropertiesAreKept() throws {
        let marker = unique("m")
        _ = try shop.track(marker: marker, event: #""context":{"page":{"url":"/x"}},"tags":["a","b"]"#)
        let event = try shop.event(marker)
        #expect(event["context", "page", "url"] == "/x")
        #expect(event["tags"] == ["a", "b"])
        #expect(event["source"] == "shop-web")
        #expect(event["bucket"]?.number.map { (0..<4096).contains($0) } == true)
    }

    @Test func aBadEventIsQuarantinedAndTheGoodOnesAreStored() throws {
        let (good, bad) = (unique("m"), unique("bad"))
        let answer = try shop.server.track(
            """
            {"source":{"id":"shop-web"},"events":[
             {"type":"a","properties":{"m":"\(good)"}},
             {"type":"  ","properties":{"x":"\(bad)"}},
             {"type":"b","properties":{"m":"\(good)"}}]}
            """)
        #expect(answer["errors"]?.list?.count == 1)
        #expect(answer["errors"]?.encoded.contains(bad) == false)
        let entry = try shop.quarantined(bad)
        #expect(entry["source"] == "shop-web")
        #expect(entry["pointer"] == "/type")
        #expect(entry["payload"] == ["type": "  ", "properties": ["x": .string(bad)]])
        #expect(entry["reason"]?.text?.isEmpty == false)
        try eventually("both good ones are stored") { try shop.events(good) == 2 }
    }

    @Test func badEventsAreQuarantinedAlsoWhenTheAnswerIsA422() throws {
        let bad = unique("bad")
        let answer = try shop.server.post(
            "/track", #"{"source":{"id":"shop-web"},"events":[{"type":7,"properties":{"x":"\#(bad)"}}]}"#)
        try expectError(answer, 422, hiding: bad)
        #expect(try shop.quarantined(bad)["pointer"] == "/type")
    }

    @Test(arguments: [
        (#"{}"#, "/source", #"["body","source"]"#),
        (#"{"source":null}"#, "/source", #"["body","source"]"#),
        (#"{"source":"shop-web"}"#, "/source", #"["body","source"]"#),
        (#"{"source":{}}"#, "/source/id", #"["body","source","id"]"#),
        (#"{"source":{"id":true}}"#, "/source/id", #"["body","source","id"]"#),
        (#"{"source":{"id":" "}}"#, "/source/id", #"["body","source","id"]"#),
        (#"{"source":{"id":"shop-web"},"session":"s"}"#, "/session", #"["body","session"]"#),
        (#"{"source":{"id":"shop-web"},"session":{"id":{}}}"#, "/session/id", #"["body","session","id"]"#),
        (#"{"source":{"id":"shop-web"},"profile":[]}"#, "/profile", #"["body","profile"]"#),
        (#"{"source":{"id":"shop-web"},"profile":{"id":true}}"#, "/profile/id", #"["body","profile","id"]"#),
        (#"{"source":{"id":"shop-web"},"context":"x"}"#, "/context", #"["body","context"]"#),
        (#"{"source":{"id":"shop-web"},"properties":[1]}"#, "/properties", #"["body","properties"]"#),
        (#"{"source":{"id":"shop-web"},"options":[]}"#, "/options", #"["body","options"]"#),
        (#"{"source":{"id":"shop-web"},"events":{}}"#, "/events", #"["body","events"]"#),
        (#"{"source":{"id":"shop-web"},"events":[1]}"#, "/events/0", #"["body","events",0]"#),
        (#"{"source":{"id":"shop-web"},"events":[null]}"#, "/events/0", #"["body","events",0]"#),
        (#"{"source":{"id":"shop-web"},"events":[{}]}"#, "/events/0/type", #"["body","events",0,"type"]"#),
        (
            #"{"source":{"id":"shop-web"},"events":[{"type":null}]}"#, "/events/0/type",
            #"["body","events",0,"type"]"#
        ),
        (
            #"{"source":{"id":"shop-web"},"events":[{"type":""}]}"#, "/events/0/type",
            #"["body","events",0,"type"]"#
        ),
        (
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":"x"}]}"#, "/events/0/properties",
            #"["body","events",0,"properties"]"#
        ),
        (
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","context":[]}]}"#, "/events/0/context",
            #"["body","events",0,"context"]"#
        ),
        (
            #"{"source":{"id":"shop-web"},"events":[{"type":"a","id":{}}]}"#, "/events/0/id",
            #"["body","events",0,"id"]"#
        ),
    ])
    func whatIsMissingOrIllTypedIsNamed(_ body: String, _ pointer: String, _ location: String) throws {
        let answer = try shop.server.post("/track", body)
        try expectError(answer, 422)
        let found = try #require(try answer.json()["detail"]?.list?.first)
        #expect(Set(found.members?.keys ?? [:].keys) == ["type", "loc", "msg", "pointer"])
        #expect(found["pointer"] == .string(pointer))
        #expect(found["loc"] == (try JSON(text: location)))
        #expect(found["type"]?.text?.isEmpty == false)
        #expect(found["msg"]?.text?.isEmpty == false)
    }

    @Test(arguments: ["session", "profile"])
    func anIdOfTheEnvelopeMayHave256Bytes(_ member: String) throws {
        let long = String(repeating: "i", count: 256)
        _ = try shop.track(#""\#(member)":{"id":"\#(long)"}"#)
        let answer = try shop.server.post(
            "/track", #"{"source":{"id":"shop-web"},"\#(member)":{"id":"\#(long)i"},"events":[{"type":"a"}]}"#
        )
        try expectError(answer, 422)
    }

    @Test func aTypeOrAnIdOfAnEventThatIsTooLongCostsOnlyThatEvent() throws {
        let (good, bad) = (unique("m"), unique("bad"))
        let long = String(repeating: "é", count: 129)
        let answer = try shop.server.track(
            """
            {"source":{"id":"shop-web"},"events":[
             {"type":"a","properties":{"m":"\(good)"}},
             {"type":"\(long)","properties":{"x":"\(bad)-1"}},
             {"type":"a","id":"\(long)","properties":{"x":"\(bad)-2"}}]}
            """)
        #expect(answer["errors"]?.list?.count == 2)
        _ = try shop.event(good)
        #expect(try shop.quarantined("\(bad)-1")["pointer"] == "/type")
        #expect(try shop.quarantined("\(bad)-2")["pointer"] == "/id")
    }

    @Test func moreEventsThanTheLimitAreRefused() throws {
        let events = Array(repeating: #"{"type":"a"}"#, count: 10_001).joined(separator: ",")
        let answer = try shop.server.post("/track", #"{"source":{"id":"shop-web"},"events":[\#(events)]}"#)
        try expectError(answer, 422)
        #expect(try answer.json()["detail", 0, "pointer"] == "/events")
    }
}
