import Foundations
import Identity
import Payload
import Testing

@testable import HTTP
@testable import Intake

private let task = UUID(high: 0x0199_aaaa_bbbb_7ccc, low: 0x8ddd_eeee_ffff_0000)
private let profile = UUID(high: 0x1111_2222_3333_8444, low: 0x8555_6666_7777_8888)

private func waiter(debugged: Bool = true, returning: Bool = false, repeats: [Repeat] = []) -> Waiter {
    var frame = ByteBuffer()
    withBytes("shop") { source in
        withBytes("s1") { session in
            var writer = SubmissionWriter(
                into: &frame, task: task, flags: [], sentAt: nil, source: source, session: session,
                sentProfile: .empty, userAgent: .empty
            ) { _ in }
            for (i, activity) in ["page-view", "b"].enumerated() {
                withBytes(activity) { activity in
                    writer.event(
                        into: &frame, id: UUID(high: 0, low: UInt64(i + 1)), verdict: .store, said: nil,
                        activity: activity, label: activity, clientID: .empty, properties: { _ in },
                        context: { _ in }, tags: { _ in })
                }
            }
            writer.finish(&frame)
        }
    }
    return Waiter(
        exchange: Exchange(slot: 0, generation: 0, sequence: 0), headers: [], task: task,
        session: Array("s1".utf8), errors: [], warnings: [],
        repeats: repeats, submission: Array(frame.bytes), isDebugged: debugged, returnsProfile: returning,
        sentProfile: nil, profile: profile)
}

private func receipt(
    _ outcomes: Receipt.Outcome..., sessionSaved: Bool = true, warnings: [String] = []
) -> Receipt {
    Receipt(
        profile: profile, traits: Array(#"{"a": 1}"#.utf8), sessionSaved: sessionSaved,
        events: outcomes.enumerated().map { (UUID(high: 0, low: UInt64($0 + 1)), $1) }, warnings: warnings)
}

private func text(_ waiter: Waiter) -> String {
    var out = ByteBuffer()
    waiter.append(to: &out)
    return out.bytes.text
}

@Test func theDebuggersAnswer() {
    var waiter = waiter()
    waiter.receipt = receipt(.stored, .quarantined)
    let (first, second) = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002")
    #expect(
        text(waiter) == """
            {"task":"0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000","ux":[],"response":{},"events":["\(first)","\(second)"],\
            "profile":{"id":"11112222-3333-8444-8555-666677778888"},"session":{"id":"s1"},\
            "source":{"consent":false},"errors":[],"warnings":[],"debugging":{\
            "session":{"saved":1,"errors":[],"ids":["s1"],"types":[]},\
            "events":{"saved":1,"errors":["\(second): quarantined"],"ids":["\(first)","\(second)"],\
            "types":["page-view","b"]},\
            "profile":{"saved":1,"errors":[],"ids":["11112222-3333-8444-8555-666677778888"],"types":[]},\
            "execution":[],"segmentation":{"errors":[],"ids":[]},\
            "logs":[{"event":"\(first)","outcome":"stored"},{"event":"\(second)","outcome":"quarantined"}]}}
            """)
}

@Test func anAnswerThatWaitedInVainSaysPending() {
    var waiter = waiter()
    #expect(!waiter.isReady)
    waiter.isLate = true
    #expect(!waiter.isReady, "nothing is answered before it is on disk")
    waiter.isDurable = true
    #expect(waiter.isReady)
    #expect(text(waiter).contains(#""warnings":["pending"],"debugging""#))
    #expect(text(waiter).contains(#""session":{"saved":0,"#))
}

@Test func theProfileIsReturnedWholeWhenItIsAskedFor() {
    var waiter = waiter(debugged: false, returning: true)
    waiter.receipt = receipt(.stored, .stored, warnings: ["session-has-another-profile"])
    #expect(
        text(waiter).contains(#""profile":{"id":"11112222-3333-8444-8555-666677778888","traits":{"a": 1}}"#))
    #expect(text(waiter).hasSuffix(#""warnings":["session-has-another-profile"]}"#))
    #expect(text(waiter).contains(#""events":[],"#))
}

@Test(arguments: [[], [Repeat.Kind.duplicate], [.conflict]])
func theReceiptAloneTellsOfRepeats(remembered: [Repeat.Kind]) {
    var waiter = waiter(repeats: remembered.map { Repeat(event: 1, kind: $0) })
    waiter.receipt = receipt(.stored, .duplicate)
    #expect(text(waiter).contains(#""warnings":["duplicate","/events/1/id: duplicate"],"debugging""#))
    waiter.receipt = receipt(.duplicate, .quarantined)
    waiter.receipt?.conflicts = [1]
    let both = #""duplicate","/events/0/id: duplicate","conflict","/events/1/id: conflict""#
    #expect(text(waiter).contains(#""warnings":[\#(both)],"debugging""#))
    waiter.receipt = receipt(.stored, .quarantined)
    #expect(text(waiter).contains(#""warnings":[],"debugging""#), "another reason is no conflict")
}

@Test func withoutAReceiptWhatIsRememberedIsTold() {
    var waiter = waiter(repeats: [Repeat(event: 0, kind: .duplicate)])
    waiter.isLate = true
    #expect(
        text(waiter).contains(#""warnings":["pending","duplicate","/events/0/id: duplicate"],"debugging""#))
}

@Test(
    arguments: [
        ([], false, 0), ([.denied, .denied], false, 0), ([.denied, .stored], false, 1),
        ([.unsaved], false, 1),
        ([.duplicate], true, 1),
    ] as [([Receipt.Outcome], Bool, Int)])
func aProfileIsSavedWithItsSessionOrItsEvents(outcomes: [Receipt.Outcome], sessionSaved: Bool, saved: Int) {
    var waiter = waiter()
    waiter.receipt = receipt(sessionSaved: sessionSaved)
    waiter.receipt?.events = outcomes.map { (UUID(high: 0, low: 1), $0) }
    #expect(text(waiter).contains(#""profile":{"saved":\#(saved),"errors":[]"#))
}
