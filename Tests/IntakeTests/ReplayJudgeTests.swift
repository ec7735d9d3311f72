import Foundations
import Payload
import Testing

@testable import Intake

/// What the rules of now say of events from the quarantine.
struct ReplayJudgeTests {
    static let id = UUID(high: 1, low: 2)
    static let original = Submission.Original(
        instance: UUID(high: 3, low: 4), receivedAt: Timestamp(seconds: 1_700_000_000))

    private func judge(
        _ payload: String, source: String = "shop", _ event: (inout QuarantinedEvent) -> Void = { _ in },
        rules change: (inout Configuration) -> Void = { _ in }
    ) throws -> (verdict: ReplayVerdict, taken: Desk.Taken?, original: Submission.Original?) {
        var configuration = Configuration()
        var shop = Source(id: "shop", kinds: [.web])
        shop.deny = ["secret"]
        configuration.sources = [shop]
        change(&configuration)
        let running = try Running(configuration)
        var quarantined = QuarantinedEvent(
            id: Self.id, original: Self.original, task: UUID(high: 5, low: 6), source: source,
            payload: payload)
        event(&quarantined)
        var frame = ByteBuffer()
        let verdict = running.intake.replayJudge().judge(quarantined, into: &frame)
        guard frame.count > 0 else { return (verdict, nil, nil) }
        var reader = FrameReader(frame.bytes)
        guard case .submission(var view)? = try reader.next(), let found = try view.nextEvent() else {
            return (verdict, nil, nil)
        }
        #expect(found.id == Self.id)
        let taken = Desk.Taken(
            verdict: found.verdict, activity: found.activity.text, label: found.label.text,
            id: found.clientID.text, properties: found.properties.text, context: view.context.text,
            tags: found.tags.text, said: found.said?.seconds)
        return (verdict, taken, view.original)
    }

    private func reason(_ verdict: ReplayVerdict) -> String? {
        guard case .kept(let reason, let pointer, _) = verdict else { return nil }
        return pointer.isEmpty ? reason : "\(reason) \(pointer)"
    }

    @Test func whatIsGoodNowIsTakenAsItCame() throws {
        let (verdict, taken, original) = try judge(
            #"{"type":"Page View","id":"7","properties":{"a":1},"tags":["t"],"time":"2020-01-01T00:00:00Z"}"#)
        #expect(verdict == .taken)
        #expect(original == Self.original)
        #expect(
            taken
                == Desk.Taken(
                    verdict: .store, activity: "page-view", label: "Page View", id: "7",
                    properties: #"{"a":1}"#, tags: #"["t"]"#, said: 1_577_836_800))
    }

    @Test func theTimeBesideTheEventIsUsedWhereItSaysNone() throws {
        let taken = try judge(#"{"type":"a"}"#) { $0.said = Timestamp(seconds: 7) }.taken
        #expect(taken?.said == 7)
    }

    @Test func aRequestThatStoresNothingStoresNothing() throws {
        let flags: Submission.Flags = [.savesNoEvents, .waits]
        #expect(try judge(#"{"type":"a"}"#) { $0.flags = flags }.taken?.verdict == .unsaved)
        #expect(try judge(#"{"type":"a","options":{"save":false}}"#).taken?.verdict == .unsaved)
    }

    @Test(arguments: [
        (#"{"type":"secret"}"#, "denied /type"), (#"{"typ":"a"}"#, "malformed /type"),
        (#"{"type":"a","properties":"{}"}"#, "malformed /properties"), ("[]", "malformed"),
        (#"{"type":"a","properties":{"v":[[[[]]]]}}"#, "limit /properties"),
    ])
    func whatIsStillWrongStaysAndWritesNothing(payload: String, expected: String) throws {
        let (verdict, taken, _) = try judge(payload, rules: { $0.limits.depth = 4 })
        #expect(reason(verdict) == expected)
        #expect(taken == nil)
    }

    @Test func whatAWrongNameMeantIsSaid() throws {
        guard case .kept(_, _, let detail) = try judge(#"{"typ":"a"}"#).verdict else {
            return #expect(Bool(false), "it is taken")
        }
        #expect(
            detail == """
                {"code":"missing","expected":"a string","found":"nothing","nearest":"typ",\
                "message":"expected a string, found nothing; did you mean typ?"}
                """)
    }

    @Test func aSourceThatIsGoneOrDisabledKeepsItsEvents() throws {
        let gone = try judge(#"{"type":"a"}"#, source: "shopp").verdict
        #expect(reason(gone) == "source")
        #expect("\(gone)".contains(#"\"nearest\":\"shop\""#))
        let disabled = try judge(#"{"type":"a"}"#, rules: { $0.sources[0].enabled = false }).verdict
        #expect(reason(disabled) == "source")
    }

    /// What the database might have refused was kept as strings of its JSON.
    @Test func stringsAreOpenedWhereTheQuarantineMadeThem() throws {
        let payload = #"{"type":"a","properties":"{\"v\":\"\\u0000\"}","context":"no json","tags":"[\"t\"]"}"#
        #expect(try reason(judge(payload, { $0.isWrapped = true }).verdict) == "malformed /context")
        let good = #"{"type":"a","properties":"{\"v\":\"\\u0000\"}","tags":"[\"t\"]"}"#
        let taken = try judge(good) {
            $0.isWrapped = true
            $0.context = #""{\"page\":1}""#
        }.taken
        #expect(taken?.properties == "{\"v\":\"\u{fffd}\"}")
        #expect(taken?.tags == #"["t"]"#)
        #expect(taken?.context == #"{"page":1}"#)
    }

    @Test func whatNestedTooDeepIsTakenWhereMoreIsAllowed() throws {
        let deep = String(repeating: "[", count: 600) + String(repeating: "]", count: 600)
        var payload = ByteBuffer()
        _ = appendJSONString(#"{"type":"a","properties":{"v":\#(deep)}}"#, to: &payload)
        let kept = try judge(payload.bytes.text) { $0.isWrapped = true }.verdict
        #expect(reason(kept) == "limit /properties")
        let taken = try judge(
            payload.bytes.text, { $0.isWrapped = true }, rules: { $0.limits.depth = 1000 }
        ).taken
        #expect(taken?.properties == #"{"v":\#(deep)}"#)
    }
}
