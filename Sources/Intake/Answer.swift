import Foundations
import Payload

/// The answer to a request whose events were taken.
///
///     {"task": "<uuid>", "ux": [], "response": {}, "events": [], "profile": {"id": "<uuid>"},
///      "session": {"id": "…"}, "source": {"consent": false}, "errors": [], "warnings": []}
///
/// The union of what the original's generations answered; `ux` and `response` are theirs and always empty.
struct Answer {
    enum Profile {
        case none
        case id(UUID)
        /// As the client sent it: an id of a source with static profile ids.
        case sent(Bytes)
        /// The whole profile; `sent` is empty unless the id is echoed as it was sent, `traits` is JSON text or
        /// empty.
        case whole(UUID, sent: Bytes, traits: Bytes)
    }

    let task: UUID
    let profile: Profile
    /// Nil: there is no session.
    let session: Bytes?
    /// The insides of the lists, as JSON.
    let errors: Bytes
    let warnings: Bytes
}

extension ByteBuffer {
    /// Appends the answer and returns where its profile's id begins, so that it can be put in later
    /// (`replace(id:at:)`). `events` and `debugging` are for an answer that waited.
    @discardableResult
    mutating func append(
        _ answer: borrowing Answer, events: (inout ByteBuffer) -> Void = { _ in },
        debugging: (inout ByteBuffer) -> Void = { _ in }
    ) -> Int {
        append(#"{"task":""#)
        append(answer.task)
        append(#"","ux":[],"response":{},"events":["#)
        events(&self)
        append(#"],"profile":"#)
        let at = append(profile: answer.profile)
        append(#","session":{"id":"#)
        if let session = answer.session { appendJSONString(session, to: &self) } else { append("null") }
        append(#"},"source":{"consent":false},"errors":["#)
        append(answer.errors)
        append(#"],"warnings":["#)
        append(answer.warnings)
        append("]")
        debugging(&self)
        append("}")
        return at
    }

    private mutating func append(profile: Answer.Profile) -> Int {
        append(#"{"id":"#)
        let at = count + 1
        switch profile {
        case .none: append("null")
        case .id(let id): append(quoted: id)
        case .sent(let text): appendJSONString(text, to: &self)
        case .whole(let id, let sent, let traits):
            if sent.isEmpty { append(quoted: id) } else { appendJSONString(sent, to: &self) }
            append(#","traits":"#)
            if traits.isEmpty { append("{}") } else { append(traits) }
        }
        append("}")
        return at
    }

    mutating func append(quoted id: UUID) {
        append(UInt8(ascii: "\""))
        append(id)
        append(UInt8(ascii: "\""))
    }

    /// Puts an id in the place of another one.
    mutating func replace(id: UUID, at offset: Int) {
        precondition(offset >= 0 && offset + 36 <= count)
        var text = ByteBuffer(capacity: 36)
        text.append(id)
        UnsafeMutableRawBufferPointer(rebasing: mutableBytes[offset..<offset + 36]).copyMemory(
            from: text.bytes)
    }
}
