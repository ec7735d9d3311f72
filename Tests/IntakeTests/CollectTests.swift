import Foundations
import Payload
import Testing

@testable import Intake

@Test func aJSONBodyBecomesProperties() {
    let outcome = Desk().collect("/collect/Purchase%20Order/crm/s%2F1", #"{"a":1.50}"#)
    #expect(outcome.status == 200)
    #expect(outcome.source == "crm")
    #expect(outcome.session == "s/1")
    #expect(
        outcome.events == [
            Desk.Taken(
                verdict: .store, activity: "purchase-order", label: "Purchase Order",
                properties: #"{"a":1.50}"#)
        ])
}

@Test(arguments: [
    ("/collect/a/crm", 200), ("/collect/a/crm/", 200), ("/collect/a/crm/%20", 200), ("/collect/a/%63rm", 200),
    ("/collect/%20/crm", 400), ("/collect//crm", 400), ("/collect/%C2%A0/crm", 400), ("/collect/a/", 400),
    ("/collect/a", 400), ("/collect/a/%20", 400), ("/collect/%ff/crm", 400), ("/collect/%zz/crm", 400),
    ("/collect/%f/crm", 400), ("/collect/a%/crm", 400), ("/collect/a/crm/%fe", 400),
    ("/collect/a/nobody", 401),
    ("/collect/a/shop", 401),
])
func aPathNamesTypeSourceAndSession(path: String, status: Int) {
    let outcome = Desk().collect(path, "{}")
    #expect(outcome.status == status)
    if status == 200 { #expect(outcome.session.isEmpty) }
}

@Test(arguments: ["{", "[]", "7", "null", "\"x\"", "{\"a\":1}x"])
func anotherBodyThanAnObjectIsA400(body: String) {
    #expect(Desk().collect("/collect/a/crm", body).status == 400)
}

@Test(arguments: [("", ""), (" \n", ""), ("{}", "{}")])
func anEmptyBodyIsAnEventWithoutProperties(body: String, properties: String) {
    #expect(Desk().collect("/collect/a/crm", body).events.first?.properties == properties)
}

@Test func aFormBecomesAnObjectOfTexts() {
    let outcome = withBytes("application/x-www-form-urlencoded; charset=utf-8") { type in
        Desk().collect("/collect/a/crm", "a=1&b=x+y&a=%C3%A9&c") { $0.contentType = type }
    }
    #expect(outcome.events.first?.properties == #"{"a":["1","é"],"b":"x y","c":""}"#)
}

@Test func aGETTakesTheQueryString() {
    let desk = Desk()
    let outcome = desk.collect("/collect/a/crm", "ignored", query: "a=1&a=2") { $0.method = .get }
    #expect(outcome.events.first?.properties == #"{"a":["1","2"]}"#)
    #expect(desk.collect("/collect/a/crm", query: "") { $0.method = .get }.events.first?.properties == "")
    #expect(desk.collect("/collect/a/crm", "{}", query: "a=1").events.first?.properties == "{}")
}

@Test func aFormOfTooManyFieldsIsRefused() {
    let outcome = withBytes("application/x-www-form-urlencoded") { type in
        Desk().collect("/collect/a/crm", String(repeating: "a&", count: 10_001)) { $0.contentType = type }
    }
    #expect(outcome.status == 413)
}

@Test(arguments: [("a", 200, ""), (String(repeating: "k", count: 256), 200, ""), ("", 200, "")])
func theIdempotencyKeyIsTheEventsId(key: String, status: Int, warnings: String) {
    let outcome = withBytes(key) { key in Desk().collect("/collect/a/crm", "{}") { $0.idempotencyKey = key } }
    #expect(outcome.status == status)
    #expect(outcome.events.first?.id == key)
}

@Test func aKeyTypeOrSessionThatIsTooLongIsA422() {
    let long = String(repeating: "k", count: 257)
    let key = withBytes(long) { key in Desk().collect("/collect/a/crm", "{}") { $0.idempotencyKey = key } }
    #expect(key.status == 422)
    #expect(
        key.faults == """
            {"type":"too_long","loc":["header","Idempotency-Key"],"msg":"expected at most 256 bytes, found more",\
            "pointer":""}
            """)
    #expect(Desk().collect("/collect/\(long)/crm", "{}").status == 422)
    #expect(Desk().collect("/collect/a/crm/\(long)", "{}").status == 422)
    #expect(Desk().collect("/collect/a/crm/\(String(repeating: "k", count: 9000))", "{}").status == 422)
}

@Test(arguments: [
    ("2026-01-02T03:04:05Z", Int64(1_767_323_045_000_000), ""), ("1767323045", 1_767_323_045_000_000, ""),
    ("", nil, ""), ("soon", nil, #""X-Event-Time: not understood, the time of arrival is used""#),
])
func theEventsTimeIsAHeader(time: String, said: Int64?, warnings: String) {
    let outcome = withBytes(time) { time in Desk().collect("/collect/a/crm", "{}") { $0.eventTime = time } }
    #expect(outcome.events.first?.said == said)
    #expect(outcome.warnings == warnings)
}

@Test func propertiesThatAreTooDeepAreQuarantined() {
    let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
    let outcome = Desk().collect("/collect/a/crm", #"{"a":\#(deep)}"#)
    #expect(outcome.status == 422)
    #expect(outcome.events.first?.reason == "limit")
    #expect(outcome.events.first?.pointer == "/properties")
    #expect(outcome.events.first?.properties == #"{"type":"a","properties":"{\"a\":\#(deep)}"}"#)
}

@Test(
    arguments: [
        (nil, 401), ("", 401), ("Bearer", 401), ("Bearer wrong", 401), ("Bearer k", 401), ("Bearer key", 200),
        ("bearer  key ", 200), ("Bearer keykey", 401), ("Basic a2V5Og==", 200),
        ("Basic a2V5OmFueXRoaW5n", 200),
        ("Basic a2V5", 200), ("Basic d3Jvbmc6", 401), ("Basic !", 401), ("key", 401), ("Digest key", 401),
    ] as [(String?, Int)])
func aBackendMayHaveToShowItsKey(authorization: String?, status: Int) {
    let desk = Desk([.backend]) { $0.key = "key" }
    let outcome = withBytes(authorization ?? "") { header in
        desk.collect("/collect/a/shop", "{}") { $0.authorization = authorization == nil ? nil : header }
    }
    #expect(outcome.status == status)
}

@Test func aHeaderThatIsNotUTF8IsRepaired() {
    let outcome = [UInt8]([0x61, 0xff]).withUnsafeBytes { key in
        Desk().collect("/collect/a/crm", "{}") { $0.idempotencyKey = key }
    }
    #expect(outcome.events.first?.id == "a\u{fffd}")
    #expect(outcome.warnings == #""bytes that are not UTF-8 were replaced""#)
}

@Test(arguments: ["/collect/a%00/crm/s", "/collect/a/crm/s%00"])
func aNULInThePathIsReplacedAndSaid(path: String) {
    let outcome = Desk().collect(path, "{}")
    #expect(outcome.status == 200)
    #expect(outcome.events.first?.label.hasPrefix("a") == true)
    #expect(outcome.warnings == #""a NUL character, which the database cannot hold, was replaced""#)
}

@Test func aFormUnderAKnownKeyIsADuplicateOrAConflict() {
    let desk = Desk()
    func warnings(_ body: String, _ type: String = "application/x-www-form-urlencoded") -> String {
        withBytes(type) { type in
            withBytes("k") { key in
                desk.collect("/collect/a/crm", body) {
                    $0.contentType = type
                    $0.idempotencyKey = key
                }.warnings
            }
        }
    }
    #expect(warnings("a=1&b=%C3%A9").isEmpty)
    for id in desk.examiner.judge.ids { desk.recent.insert(id) }
    #expect(warnings("b=é&a=%31") == #""duplicate""#)
    #expect(warnings(#"{"a":"1","b":"é"}"#, "application/json") == #""duplicate""#)
    #expect(warnings("a=2&b=é") == #""conflict""#)
    #expect(warnings("") == #""conflict""#)
}
