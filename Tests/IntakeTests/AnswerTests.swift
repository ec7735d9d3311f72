import Foundations
import Testing

@testable import Intake

private let task = UUID(high: 0x0199_aaaa_bbbb_7ccc, low: 0x8ddd_eeee_ffff_0000)
private let profile = UUID(high: 0x1111_2222_3333_8444, low: 0x8555_6666_7777_8888)

private func rendered(_ profile: Answer.Profile, session: String?, errors: String = "", warnings: String = "")
    -> String
{
    withBytes(session ?? "") { text in
        withBytes(errors) { errors in
            withBytes(warnings) { warnings in
                var out = ByteBuffer()
                out.append(
                    Answer(
                        task: task, profile: profile, session: session == nil ? nil : text, errors: errors,
                        warnings: warnings))
                return out.bytes.text
            }
        }
    }
}

@Test func theDefaultAnswer() {
    #expect(
        rendered(.id(profile), session: "s\"1") == #"""
            {"task":"0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000","ux":[],"response":{},"events":[],\#
            "profile":{"id":"11112222-3333-8444-8555-666677778888"},"session":{"id":"s\"1"},\#
            "source":{"consent":false},"errors":[],"warnings":[]}
            """#)
}

@Test func aProfileLessAnswer() {
    #expect(rendered(.none, session: "s").contains(#""profile":{"id":null},"session":{"id":"s"}"#))
}

@Test func aCollectAnswerWithoutSession() {
    #expect(rendered(.none, session: nil).contains(#""profile":{"id":null},"session":{"id":null}"#))
}

@Test func aStaticIdIsEchoedAsSent() {
    withBytes(#"customer "7""#) { sent in
        #expect(rendered(.sent(sent), session: "s").contains(#""profile":{"id":"customer \"7\""}"#))
    }
}

@Test func aWholeProfileHasItsTraits() {
    withBytes(#"{"city": "Oslo"}"#) { traits in
        let whole = rendered(.whole(profile, sent: .empty, traits: traits), session: "s")
        #expect(
            whole.contains(
                #""profile":{"id":"11112222-3333-8444-8555-666677778888","traits":{"city": "Oslo"}}"#))
    }
    let empty = rendered(.whole(profile, sent: .empty, traits: .empty), session: "s")
    #expect(empty.contains(#","traits":{}}"#))
}

@Test func errorsAndWarningsAreLists() {
    let text = rendered(.none, session: nil, errors: #"{"a":1},{"b":2}"#, warnings: #""pending""#)
    #expect(text.hasSuffix(#""errors":[{"a":1},{"b":2}],"warnings":["pending"]}"#))
}

@Test func anIdCanBePutInLater() {
    var out = ByteBuffer()
    let answer = Answer(
        task: task, profile: .id(UUID(high: 0, low: 0)), session: nil, errors: .empty, warnings: .empty)
    let at = out.append(answer)
    out.replace(id: profile, at: at)
    #expect(out.bytes.text == rendered(.id(profile), session: nil))
}
