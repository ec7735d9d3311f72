import Foundations
import Payload
import Testing

@testable import Intake

@Test(arguments: [
    ("", 400, "not_json"), ("{", 400, "not_json"), ("[]", 400, "not_an_object"),
    ("null", 400, "not_an_object"),
    (#"{"source":{"id":"nobody"}}"#, 401, "unauthorized"), (#"{"source":{"id":"crm"}}"#, 401, "unauthorized"),
    ("{}", 422, "invalid"),
])
func whatIsNoEnvelopeIsRefused(body: String, status: Int, code: String) {
    let outcome = Desk().track(body)
    #expect(outcome.status == status)
    #expect(outcome.code == code)
}

@Test(arguments: [
    (#"{"source":null}"#, "missing", "/source", "expected an object, found nothing"),
    (#"{"source":"shop"}"#, "type_error", "/source", "expected an object, found a string"),
    (#"{"source":{}}"#, "missing", "/source/id", "expected a string, found nothing"),
    (#"{"source":{"id":[]}}"#, "type_error", "/source/id", "expected a string, found a list"),
    (#"{"source":{"id":" "}}"#, "blank", "/source/id", "expected a string, found blanks"),
    (
        #"{"source":{"id":"shop"},"session":7}"#, "type_error", "/session",
        "expected an object, found a number"
    ),
    (
        #"{"source":{"id":"shop"},"session":{"id":true}}"#, "type_error", "/session/id",
        "expected a string, found a boolean"
    ),
    (#"{"source":{"id":"shop"},"profile":[]}"#, "type_error", "/profile", "expected an object, found a list"),
    (
        #"{"source":{"id":"shop"},"context":"x"}"#, "type_error", "/context",
        "expected an object, found a string"
    ),
    (
        #"{"source":{"id":"shop"},"properties":1}"#, "type_error", "/properties",
        "expected an object, found a number"
    ),
    (#"{"source":{"id":"shop"},"options":[]}"#, "type_error", "/options", "expected an object, found a list"),
    (#"{"source":{"id":"shop"},"events":{}}"#, "type_error", "/events", "expected a list, found an object"),
])
func aFaultOfTheEnvelopeIsNamedWithItsPath(body: String, type: String, pointer: String, message: String) {
    let outcome = Desk().track(body)
    let steps = pointer.dropFirst().split(separator: "/").map { "\"\($0)\"" }.joined(separator: ",")
    #expect(outcome.status == 422)
    #expect(
        outcome.faults
            == #"{"type":"\#(type)","loc":["body",\#(steps)],"msg":"\#(message)","pointer":"\#(pointer)"}"#)
}

@Test func allFaultsOfAnEnvelopeAreListed() {
    let outcome = Desk().track(#"{"source":{"id":"shop"},"session":1,"profile":{"id":{}},"events":"x"}"#)
    #expect(outcome.status == 422)
    for pointer in ["/session", "/profile/id", "/events"] {
        #expect(outcome.faults.contains(#""pointer":"\#(pointer)""#))
    }
}

@Test(arguments: [
    #""session":null,"profile":null,"context":null,"properties":null,"events":null,"options":null,"sentAt":null"#,
    #""session":{},"profile":{"id":null},"options":{"debugger":null,"saveSession":null}"#,
    #""metadata":{"time":1},"request":[],"validation":"x""#,
])
func whatIsNullOrUnknownCountsAsLeftOut(members: String) {
    let outcome = Desk().track(#"{"source":{"id":"shop"},\#(members)}"#)
    #expect(outcome.status == 200)
    #expect(outcome.faults.isEmpty && outcome.warnings.isEmpty)
    #expect(outcome.profile.isEmpty)
    #expect(outcome.flags == [.saveSession])
    #expect(outcome.session.count == 36)
}

@Test(arguments: [
    (#"{"id":" s1\t"}"#, "s1"), (#"{"id":42}"#, "42"), (#"{"id":"\u00e9\n"}"#, "é"),
    (#"{"id":"a\u0000b"}"#, "a\u{fffd}b"),
])
func aSessionIdIsTrimmedAndDecoded(session: String, expected: String) {
    #expect(Desk().track(#"{"source":{"id":"shop"},"session":\#(session)}"#).session == expected)
}

@Test(arguments: ["source", "session", "profile"])
func anIdOf256BytesIsTakenAndALongerOneIsNot(member: String) {
    let id = String(repeating: "x", count: 256)
    let desk = Desk([Source(id: id, kinds: [.web]), Source(id: "shop", kinds: [.web])])
    func send(_ id: String) -> Int {
        desk.track(#"{"source":{"id":"shop"},"\#(member)":{"id":"\#(id)"}}"#).status
    }
    #expect(send(id) == 200)
    #expect(send(id + "x") == 422)
    #expect(send(String(repeating: " ", count: 5000) + "x") == (member == "source" ? 401 : 200))
}

@Test(
    arguments: [
        ("", Submission.Flags.saveSession), ("profile_less=true", [.saveSession, .profileLess]),
        ("a=b&profile_less=1&c", [.saveSession, .profileLess]),
        ("profile_less=YES", [.saveSession, .profileLess]),
        ("profile_less=false", .saveSession), ("profile_less", .saveSession), ("profile_less=", .saveSession),
    ] as [(String, Submission.Flags)])
func aRequestMayBeProfileLess(query: String, flags: Submission.Flags) {
    #expect(Desk().track(#"{"source":{"id":"shop"}}"#, query: query).flags == flags)
}

@Test(
    arguments: [
        (#""saveSession":false"#, Submission.Flags([])), (#""saveSession":"no""#, .saveSession),
        (#""debugger":true"#, [.saveSession, .waits]), (#""debugger":"true""#, .saveSession),
        (#""profile":true"#, [.saveSession, .waits, .wantsTraits]),
    ] as [(String, Submission.Flags)])
func onlyBooleansAreOptions(option: String, flags: Submission.Flags) {
    let desk = Desk([.web]) { $0.returnsProfile = true }
    desk.configuration.debug = true
    #expect(desk.track(#"{"source":{"id":"shop"},"options":{\#(option)}}"#).flags == flags)
}

@Test func theDebuggerNeedsTheConfigurationAndTheProfileTheSource() {
    let outcome = Desk().track(#"{"source":{"id":"shop"},"options":{"debugger":true,"profile":true}}"#)
    #expect(outcome.status == 200)
    #expect(outcome.flags == [.saveSession])
    #expect(outcome.warnings == #""debugger is off: the configuration allows it with debug: true""#)
}

@Test func theContextGoesToTheSession() {
    let outcome = Desk().track(#"{"source":{"id":"shop"},"context":{"a":[1, "\u0000"]}}"#)
    #expect(outcome.context == "{\"a\":[1, \"\u{fffd}\"]}")
    #expect(outcome.warnings.contains("NUL"))
}

@Test func aContextThatIsTooDeepIsRefused() {
    let deep = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
    let outcome = Desk().track(#"{"source":{"id":"shop"},"context":{"a":\#(deep)}}"#)
    #expect(outcome.status == 422)
    #expect(outcome.faults.contains(#""type":"too_deep""#))
}

@Test(arguments: [
    (#""2026-01-02T03:04:05Z""#, Int64(1_767_323_045_000_000)), ("1767323045", 1_767_323_045_000_000),
    ("1767323045250", 1_767_323_045_250_000), (#""soon""#, nil),
])
func theSendersClockIsRead(sentAt: String, expected: Int64?) {
    let outcome = Desk().track(#"{"source":{"id":"shop"},"sentAt":\#(sentAt)}"#)
    #expect(outcome.sentAt == expected)
    #expect(outcome.warnings.isEmpty == (expected != nil))
}

@Test(arguments: [
    ("Fri, 02 Jan 2026 02:04:05 GMT", Int64(1_767_319_445_000_000)), ("Fri, 02 Jan 1970 02:04:05 GMT", nil),
    ("yesterday", nil), ("Friday, 02-Jan-26 02:04:05 GMT", nil),
])
func theDateHeaderIsAClockIfItIsSane(date: String, expected: Int64?) {
    withBytes(date) { date in
        #expect(Desk().track(#"{"source":{"id":"shop"}}"#) { $0.date = date }.sentAt == expected)
        let both = Desk().track(#"{"source":{"id":"shop"},"sentAt":1767323000}"#) { $0.date = date }
        #expect(both.sentAt == 1_767_323_000_000_000)
    }
}

@Test func moreEventsThanTheLimitAreRefusedAsAWhole() {
    let desk = Desk()
    desk.configuration.limits.events = 2
    #expect(desk.events("{\"type\":\"a\"},{\"type\":\"a\"}").status == 200)
    let outcome = desk.events("{\"type\":\"a\"},{\"type\":\"a\"},{\"type\":\"a\"}")
    #expect(outcome.status == 422)
    #expect(outcome.faults.contains(#""pointer":"/events""#))
}
