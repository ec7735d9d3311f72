import Foundations
import Payload
import Testing

@testable import Intake

@Test func aGoodEventIsTakenWhole() {
    let outcome = Desk().events(
        #"""
        {"type":" Purchase  Order","id":"o-1","properties":{"n":1.10,"a":{}},"context":{"b":[]},"tags":["x","y"],
         "time":{"create":"2026-01-02T03:04:05Z"},"more":1}
        """#)
    #expect(outcome.status == 200)
    #expect(outcome.faults.isEmpty && outcome.warnings.isEmpty)
    #expect(
        outcome.events == [
            Desk.Taken(
                verdict: .store, activity: "purchase-order", label: "Purchase  Order", id: "o-1",
                properties: #"{"n":1.10,"a":{}}"#, context: #"{"b":[]}"#, tags: #"["x","y"]"#,
                said: 1_767_323_045_000_000)
        ])
    #expect(outcome.verdicts == Verdicts(received: 1, stored: 1))
}

@Test(arguments: [
    ("1", "type_error", "", "malformed"), ("null", "type_error", "", "malformed"),
    ("{}", "missing", "/type", "malformed"), (#"{"type":null}"#, "missing", "/type", "malformed"),
    (#"{"type":" \u00a0\t"}"#, "blank", "/type", "malformed"),
    (#"{"type":7}"#, "type_error", "/type", "malformed"),
    (#"{"type":"a","id":[]}"#, "type_error", "/id", "malformed"),
    (#"{"type":"a","properties":[1]}"#, "type_error", "/properties", "malformed"),
    (#"{"type":"a","context":"x"}"#, "type_error", "/context", "malformed"),
    (#"{"type":"a","options":1}"#, "type_error", "/options", "malformed"),
])
func aBadEventIsQuarantinedWithItsReason(event: String, type: String, pointer: String, reason: String) throws
{
    let outcome = Desk().events(event)
    #expect(outcome.status == 422)
    #expect(outcome.verdicts == Verdicts(received: 1, quarantined: 1, bad: 1))
    let taken = try #require(outcome.events.first)
    #expect(taken.verdict == .quarantined)
    #expect(taken.properties == event)
    #expect(taken.reason == reason)
    #expect(taken.pointer == pointer)
    #expect(taken.detail.hasPrefix(#"{"code":"\#(type)","expected":""#))
    #expect(outcome.faults.hasPrefix(#"{"type":"\#(type)","loc":["body","events",0"#))
    #expect(outcome.faults.hasSuffix(#""pointer":"/events/0\#(pointer)"}"#))
}

@Test func oneBadEventCostsNobodyElse() {
    let outcome = Desk().events(#"{"type":"a"},{"type":""},{"type":"b"},7"#)
    #expect(outcome.status == 200)
    #expect(outcome.verdicts == Verdicts(received: 4, stored: 2, quarantined: 2, bad: 2))
    #expect(outcome.events.map(\.verdict) == [.store, .quarantined, .store, .quarantined])
    #expect(
        outcome.faults == """
            {"type":"blank","loc":["body","events",1,"type"],"msg":"expected a string, found blanks",\
            "pointer":"/events/1/type"},{"type":"type_error","loc":["body","events",3],\
            "msg":"expected an object, found a number","pointer":"/events/3"}
            """)
}

@Test(arguments: ["type", "id"])
func aTextOf256BytesIsTakenAndALongerOneIsQuarantined(member: String) {
    let text = String(repeating: "é", count: 128)
    func send(_ text: String) -> Desk.Outcome {
        let members = [("type", "a"), ("id", "1")].map { "\"\($0)\":\"\($0 == member ? text : $1)\"" }
        return Desk().events("{\(members.joined(separator: ","))}")
    }
    #expect(send(text).events.first?.verdict == .store)
    let longer = send(text + "x")
    #expect(longer.events.first?.verdict == .quarantined)
    #expect(longer.events.first?.reason == "limit")
    #expect(longer.events.first?.pointer == "/\(member)")
}

@Test func anActivitysKeyMayNotOutgrowTheLimitEither() {
    // The lower case of İ is one byte longer.
    let outcome = Desk().events(#"{"type":"\#(String(repeating: "İ", count: 128))"}"#)
    #expect(outcome.events.first?.reason == "limit")
}

@Test(arguments: [
    (99, Submission.Verdict.store), (100, .quarantined), (499, .quarantined), (500, .quarantined),
    (20_000, .quarantined),
])
func depthHasALimit(levels: Int, verdict: Submission.Verdict) {
    let event =
        #"{"type":"a","properties":{"v":"#
        + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}}"
    let outcome = Desk().events(event)
    #expect(outcome.events.first?.verdict == verdict)
    guard verdict == .quarantined else { return }
    #expect(outcome.events.first?.reason == "limit")
    #expect(outcome.events.first?.pointer == "/properties")
    // The event's braces and its properties' are two levels more.
    let kept = outcome.events.first?.properties
    #expect(kept == (levels + 2 <= 500 ? event : quoted(event)))
}

private func quoted(_ text: String) -> String {
    var buffer = ByteBuffer()
    appendJSONString(text, to: &buffer)
    return buffer.bytes.text
}

@Test(arguments: [
    (#"["a","b"]"#, #"["a","b"]"#, true), ("[]", "[]", true), ("null", "", true),
    (#""one""#, #"["one"]"#, true),
    (#"[1,true,null,"x"]"#, #"["1","true","x"]"#, true), ("7", #"["7"]"#, true),
    (#"["a",{}]"#, #"["a"]"#, false),
    ("{}", "[]", false),
])
func tagsAreTakenAsTexts(tags: String, expected: String, isWhole: Bool) {
    let outcome = Desk().events(#"{"type":"a","tags":\#(tags)}"#)
    #expect(outcome.events.first?.tags == expected)
    #expect(outcome.warnings.isEmpty == isWhole)
}

@Test(arguments: [
    (#""2026-01-02T03:04:05Z""#, true), ("1767323045", true), ("1767323045000", true),
    (#"{"create":"2026-01-02T03:04:05Z"}"#, true), (#""never""#, false), ("true", false),
    (#"{"create":"x"}"#, false),
])
func aTimeThatIsNotUnderstoodIsWarnedOf(time: String, isUnderstood: Bool) {
    let outcome = Desk().events(#"{"type":"a"},{"type":"a","time":\#(time)}"#)
    #expect(outcome.status == 200)
    #expect(outcome.events[1].said == (isUnderstood ? 1_767_323_045_000_000 : nil))
    let warning = #""/events/1/time: not understood, the time of arrival is used""#
    #expect(outcome.warnings == (isUnderstood ? "" : warning))
}

@Test(arguments: [
    #"{"type":"a","time":{}}"#, #"{"type":"a","time":{"create":null}}"#, #"{"type":"a","time":null}"#,
])
func noTimeIsNoReasonToWarn(event: String) {
    let outcome = Desk().events(event)
    #expect(outcome.warnings.isEmpty)
    #expect(outcome.events.first?.said == nil)
}

@Test func eventsMayBeTakenWithoutBeingSaved() {
    let outcome = Desk().events(#"{"type":"a","options":{"save":false},"id":"1"},{"type":"a"}"#)
    #expect(outcome.events.map(\.verdict) == [.unsaved, .store])
    let all = Desk().track(
        #"{"source":{"id":"shop"},"options":{"saveEvents":false},"events":[{"type":"a"},{"type":"b"}]}"#)
    #expect(all.verdicts == Verdicts(received: 2, unsaved: 2))
}

@Test(arguments: [
    (["page-*", "order"], [String](), "Page View", true), (["page-*"], [], "order", false),
    ([], ["secret-*"], "Secret Plan", false), ([], ["secret-*"], "secret", true),
    (["*"], ["*x*"], "axb", false),
    (["Page View"], [], "page   view", true), ([], [], "anything", true),
])
func activitiesAreAllowedOrDenied(allow: [String], deny: [String], type: String, isAllowed: Bool) {
    let desk = Desk([.web]) {
        $0.allow = allow
        $0.deny = deny
    }
    let outcome = desk.events(#"{"type":"\#(type)","properties":{"a":1}}"#)
    #expect(outcome.status == 200)
    #expect(outcome.faults.isEmpty)
    #expect(outcome.events.first?.verdict == (isAllowed ? .store : .denied))
    #expect(outcome.events.first?.properties == (isAllowed ? #"{"a":1}"# : ""))
}

@Test func whatIsDeniedMayBeQuarantined() {
    let desk = Desk([.web]) {
        $0.deny = ["a"]
        $0.denied = .quarantine
    }
    let outcome = desk.events(#"{"type":"A"}"#)
    #expect(outcome.status == 200)
    #expect(outcome.verdicts == Verdicts(received: 1, quarantined: 1))
    #expect(outcome.events.first?.reason == "denied")
    #expect(outcome.events.first?.properties == #"{"type":"A"}"#)
}

@Test func aRepeatIsTellableOnceTheFirstIsDurable() {
    let desk = Desk()
    let event = #"{"type":"a","id":"1"}"#
    #expect(desk.events(event).warnings.isEmpty)
    #expect(desk.events(event).warnings.isEmpty, "the first was not durable")
    for id in desk.examiner.judge.ids { desk.recent.insert(id) }
    #expect(desk.events(event).warnings == #""duplicate""#)
    #expect(desk.events(#"{"type":"b"},\#(event)"#).warnings == #""duplicate","/events/1/id: duplicate""#)
    #expect(desk.events(#"{"type":"a","id":"2"}"#).warnings.isEmpty)
    #expect(desk.events(#"{"type":"a","id":"1","options":{"save":false}}"#).warnings.isEmpty)
}

@Test func anotherContentUnderAKnownIdIsAConflict() {
    let desk = Desk()
    func warnings(_ properties: String, type: String = "a") -> String {
        desk.events(#"{"type":"\#(type)","id":"1","properties":\#(properties)}"#).warnings
    }
    #expect(warnings(#"{"a":1,"b":"\u00e9"}"#).isEmpty)
    for id in desk.examiner.judge.ids { desk.recent.insert(id) }
    for _ in 0..<2 {
        #expect(warnings(#"{"b":"é","a":1.0}"#, type: "A") == #""duplicate""#)
        #expect(warnings(#"{"a":2,"b":"é"}"#) == #""conflict""#)
        #expect(warnings("{}") == #""conflict""#)
        #expect(warnings(#"{"a":1,"b":"é"}"#, type: "b") == #""conflict""#)
        for id in desk.examiner.judge.ids { desk.recent.insert(id) }
    }
    #expect(
        desk.events(#"{"type":"b"},{"type":"a","id":"1"}"#).warnings
            == #""conflict","/events/1/id: conflict""#)
}

@Test func anIdIsUniquePerSource() {
    let desk = Desk([Source(id: "a", kinds: [.web]), Source(id: "b", kinds: [.web])])
    func send(_ source: String) -> String {
        desk.track(#"{"source":{"id":"\#(source)"},"events":[{"type":"a","id":"1"}]}"#).warnings
    }
    _ = send("a")
    for id in desk.examiner.judge.ids { desk.recent.insert(id) }
    #expect(send("a") == #""duplicate""#)
    #expect(send("b").isEmpty)
}

@Test(arguments: [
    (#""a\u0000""#, "NUL"), (#""\ud800""#, "surrogate"), ("1e100000", "number"),
])
func whatIsRepairedIsSaid(value: String, word: String) {
    #expect(Desk().events(#"{"type":"a","properties":{"v":\#(value)}}"#).warnings.contains(word))
}

@Test(arguments: [(#"\u0000"#, "a NUL character"), (#"\ud800"#, "half of a surrogate pair")])
func whatIsReplacedInTextsIsSaidOnceHoweverOftenItWas(escape: String, word: String) {
    let text = "\"x\(escape)\""
    let tracks = [
        #"{"source":{"id":"shop"},"events":[{"type":\#(text)},{"type":\#(text),"id":\#(text)}]}"#,
        #"{"source":{"id":"shop"},"events":[{"type":"a"},{"type":"a","id":\#(text)}]}"#,
        #"{"source":{"id":"shop"},"events":[{"type":"a","tags":["a",\#(text)]}]}"#,
        #"{"source":{"id":"shop"},"events":[{"type":"a","tags":\#(text)}]}"#,
        #"{"source":{"id":"shop"},"session":{"id":\#(text)}}"#,
        #"{"source":{"id":"shop"},"profile":{"id":\#(text)}}"#,
    ]
    let desk = Desk()
    for track in tracks {
        let outcome = desk.track(track)
        #expect(outcome.status == 200)
        #expect(outcome.warnings.hasPrefix("\"" + word), "\(track): \(outcome.warnings)")
        #expect(outcome.warnings.count { $0 == "\"" } == 2, "\(outcome.warnings)")
    }
    #expect(desk.events(#"{"type":"a"}"#).warnings.isEmpty)
}
