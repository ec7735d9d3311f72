import Foundations
import HTTP
import Identity
import Payload

/// An answer that waits for the commit (`debugger`, `profile`), with all that it will be made of. Such requests
/// are rare and already slow, so it owns copies.
struct Waiter {
    let exchange: Exchange
    let headers: [UInt8]
    let task: UUID
    let session: [UInt8]?
    let errors: [UInt8]
    let warnings: [UInt8]
    /// What this server remembers of the events' ids, should no receipt come.
    let repeats: [Repeat]
    /// For the ids and activities of the events.
    let submission: [UInt8]
    let isDebugged: Bool
    let returnsProfile: Bool
    /// As it was sent, where the source has static profile ids.
    let sentProfile: [UInt8]?
    var profile: UUID?
    var isDurable = false
    var isLate = false
    var receipt: Receipt?

    /// About what it holds, in bytes.
    var size: Int { submission.count + errors.count + warnings.count + headers.count }

    /// It may go out: nothing is answered before it is on disk.
    var isReady: Bool { isDurable && (receipt != nil || isLate) }

    func append(to body: inout ByteBuffer) {
        var all = Warnings()
        for warning in receipt?.warnings ?? ["pending"] { all.add(warning) }
        for repeated in receipt?.repeats ?? repeats { all.add(repeated, single: isSingle) }
        var list = ByteBuffer()
        list.append(warnings)
        if !warnings.isEmpty, all.count > 0 { list.append(UInt8(ascii: ",")) }
        list.append(all.list.bytes)
        errors.withUnsafeBytes { errors in
            (session ?? []).withUnsafeBytes { text in
                (sentProfile ?? []).withUnsafeBytes { sent in
                    (receipt?.traits ?? []).withUnsafeBytes { traits in
                        let answer = Answer(
                            task: task, profile: answered(sent: sent, traits: traits),
                            session: session == nil ? nil : text, errors: errors, warnings: list.bytes)
                        body.append(
                            answer, events: { if isDebugged { appendIDs(to: &$0) } },
                            debugging: { if isDebugged { appendDebugging(to: &$0) } })
                    }
                }
            }
        }
    }

    private var isSingle: Bool {
        submission.withUnsafeBytes { bytes in
            var frame = FrameReader(bytes)
            guard case .submission(let view)? = try? frame.next() else { return false }
            return view.count == 1
        }
    }

    private func answered(sent: Bytes, traits: Bytes) -> Answer.Profile {
        guard let id = receipt?.profile ?? profile else { return .none }
        if returnsProfile, receipt != nil { return .whole(id, sent: sent, traits: traits) }
        return sentProfile == nil ? .id(id) : .sent(sent)
    }

    // MARK: - Debugging

    /// In the seed's shape: what was saved, under which ids, and what went wrong.
    private func appendDebugging(to body: inout ByteBuffer) {
        let stored = receipt?.events.filter { $0.outcome == .stored }.count ?? 0
        body.append(#","debugging":{"session":"#)
        appendResult(saved: receipt?.sessionSaved == true ? 1 : 0, to: &body) { list in
            if let session { session.withUnsafeBytes { _ = appendJSONString($0, to: &list) } }
        }
        body.append(#","events":"#)
        appendResult(saved: stored, to: &body, errors: appendFailures, types: appendTypes) {
            appendIDs(to: &$0)
        }
        body.append(#","profile":"#)
        appendResult(saved: receipt?.hasSavedProfile == true ? 1 : 0, to: &body) { list in
            if let id = receipt?.profile ?? profile { list.append(quoted: id) }
        }
        body.append(#","execution":[],"segmentation":{"errors":[],"ids":[]},"logs":["#)
        appendLogs(to: &body)
        body.append("]}")
    }

    private func appendResult(
        saved: Int, to body: inout ByteBuffer, errors: (inout ByteBuffer) -> Void = { _ in },
        types: (inout ByteBuffer) -> Void = { _ in }, ids: (inout ByteBuffer) -> Void
    ) {
        body.append(#"{"saved":"#)
        body.append(decimal: saved)
        body.append(#","errors":["#)
        errors(&body)
        body.append(#"],"ids":["#)
        ids(&body)
        body.append(#"],"types":["#)
        types(&body)
        body.append("]}")
    }

    private func appendIDs(to list: inout ByteBuffer) {
        appendEvents(to: &list) { $1.append(quoted: $0.id) }
    }

    private func appendTypes(to list: inout ByteBuffer) {
        appendEvents(to: &list) { _ = appendJSONString($0.activity, to: &$1) }
    }

    /// The events that were meant to be stored and are not, with what became of them.
    private func appendFailures(to list: inout ByteBuffer) {
        var isFirst = true
        for event in receipt?.events ?? [] where event.outcome != .stored && event.outcome != .unsaved {
            if !isFirst { list.append(UInt8(ascii: ",")) }
            isFirst = false
            list.append("\"")
            list.append(event.id)
            list.append(": ")
            list.append(event.outcome.name)
            list.append("\"")
        }
    }

    private func appendLogs(to list: inout ByteBuffer) {
        var isFirst = true
        for event in receipt?.events ?? [] {
            if !isFirst { list.append(UInt8(ascii: ",")) }
            isFirst = false
            list.append(#"{"event":"#)
            list.append(quoted: event.id)
            list.append(#","outcome":""#)
            list.append(event.outcome.name)
            list.append("\"}")
        }
    }

    private func appendEvents(to list: inout ByteBuffer, _ append: (EventView, inout ByteBuffer) -> Void) {
        submission.withUnsafeBytes { bytes in
            var frame = FrameReader(bytes)
            guard case .submission(var view)? = try? frame.next() else { return }
            var isFirst = true
            while let event = try? view.nextEvent() {
                if !isFirst { list.append(UInt8(ascii: ",")) }
                isFirst = false
                append(event, &list)
            }
        }
    }
}

extension Receipt {
    /// A profile is stored with its session or its events; a request without any of these leaves none.
    fileprivate var hasSavedProfile: Bool {
        profile != nil
            && (sessionSaved || events.contains { $0.outcome == .stored || $0.outcome == .unsaved })
    }

    /// In the order of the events.
    fileprivate var repeats: [Repeat] {
        events.enumerated().compactMap { i, event in
            if event.outcome == .duplicate { return Repeat(event: i, kind: .duplicate) }
            return conflicts.contains(i) ? Repeat(event: i, kind: .conflict) : nil
        }
    }
}

extension Receipt.Outcome {
    var name: StaticString {
        switch self {
        case .stored: "stored"
        case .duplicate: "duplicate"
        case .denied: "denied"
        case .quarantined: "quarantined"
        case .unsaved: "unsaved"
        }
    }
}
