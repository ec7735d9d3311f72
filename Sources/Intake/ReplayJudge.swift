import Foundations
import Payload

/// Judges events from the quarantine again, by the rules of now, as if they had just come.
///
/// What is taken is written as a submission that keeps what the first answer promised: the event's id, its time of
/// arrival, its session and profile. A replay destroys nothing: also what would be denied and dropped stays.
package final class ReplayJudge: @unchecked Sendable {  // owner: the queue of the replays
    private let intake: Intake
    private var rules: Rules
    private var generation = 0
    private var judge: EventJudge
    private var warnings = Warnings()
    private var texts = Texts()
    private var document = JSONDocument()
    private var inner = JSONDocument()
    private var plain = ByteBuffer()

    init(_ intake: Intake) {
        self.intake = intake
        judge = EventJudge(recent: intake.recent)
        guard let rules = intake.rules(newerThan: &generation) else {
            preconditionFailure("rules begin at 1")
        }
        self.rules = rules
    }

    /// Appends the event's submission to the frame when it is taken; nothing otherwise.
    package func judge(_ event: QuarantinedEvent, into frame: inout ByteBuffer) -> ReplayVerdict {
        if let newer = intake.rules(newerThan: &generation) { rules = newer }
        judge.begin()
        warnings.removeAll()
        texts.removeAll()
        var (id, payload) = (event.source, event.payload)
        guard let source = id.withUTF8({ rules.sources.find(Bytes($0)) }), source.isEnabled else {
            return kept(without: event.source)
        }
        return payload.withUTF8 { payload in
            guard let node = unwrapped(Bytes(payload), event.isWrapped) else {
                let detail = QuarantineDetail(code: "not_json", expected: "JSON", found: "something else")
                return .kept(reason: "malformed", pointer: "", detail: detail.json)
            }
            return write(event, node, source, &frame)
        }
    }

    private func kept(without source: String) -> ReplayVerdict {
        let isKnown = rules.sources.names.contains(source)
        let detail = QuarantineDetail(
            code: isKnown ? "disabled" : "unknown", expected: "a source that is configured and enabled",
            found: isKnown ? "the disabled source \(source)" : "the unknown source \(source)",
            nearest: isKnown ? nil : nearest(to: source, among: rules.sources.names))
        return .kept(reason: "source", pointer: "", detail: detail.json)
    }

    private func write(
        _ event: QuarantinedEvent, _ node: JSONNode, _ source: SourceEntry, _ frame: inout ByteBuffer
    ) -> ReplayVerdict {
        let begin = frame.count
        var writer = begun(event, &frame)
        writer.answer(
            &frame, profile: event.profile, basis: event.basis, settled: event.flags.contains(.settled))
        let circumstances = EventJudge.Circumstances(
            source: source, limits: rules.limits, now: event.original.receivedAt,
            savesEvents: !event.flags.contains(.savesNoEvents),
            replayed: EventJudge.Replayed(id: event.id, said: event.said))
        judge.judge(
            node, index: 0, circumstances, texts: &texts, warnings: &warnings, writer: &writer,
            frame: &frame)
        writer.finish(&frame)
        if judge.verdicts.stored + judge.verdicts.unsaved == 1 { return .taken }
        let verdict = Self.verdict(frame[begin..<frame.count])
        frame.truncate(to: begin)
        return verdict
    }

    private func begun(_ event: QuarantinedEvent, _ frame: inout ByteBuffer) -> SubmissionWriter {
        var (source, session, profile) = (event.source, event.session, event.sentProfile)
        var (agent, context) = (event.userAgent, event.context)
        return source.withUTF8 { source in
            session.withUTF8 { session in
                profile.withUTF8 { profile in
                    agent.withUTF8 { agent in
                        SubmissionWriter(
                            into: &frame, task: event.task,
                            flags: event.flags.subtracting([.waits, .wantsTraits]), sentAt: event.sentAt,
                            source: Bytes(source), session: Bytes(session), sentProfile: Bytes(profile),
                            userAgent: Bytes(agent), original: event.original
                        ) { out in
                            context.withUTF8 { appendContext(Bytes($0), event.isWrapped, to: &out) }
                        }
                    }
                }
            }
        }
    }

    /// Why the one event of a submission is quarantined.
    private static func verdict(_ submission: Bytes) -> ReplayVerdict {
        var reader = FrameReader(submission)
        guard case .submission(var view)? = try? reader.next(), let event = try? view.nextEvent() else {
            preconditionFailure("a submission that was just written")
        }
        return .kept(reason: event.reason.text, pointer: event.pointer.text, detail: event.detail.text)
    }

    // MARK: - What was kept as strings

    /// The event, with the strings opened in which the quarantine keeps what the database might refuse. Nil: it is no
    /// JSON.
    private func unwrapped(_ payload: Bytes, _ isWrapped: Bool) -> JSONNode? {
        guard (try? document.parse(payload)) != nil else { return nil }
        guard isWrapped else { return document.root }
        plain.removeAll()
        appendOpened(document.root, to: &plain)
        if document.root.kind == .string, (try? document.parse(plain.bytes)) != nil { return document.root }
        guard document.root.kind == .object else { return document.root }
        plain.removeAll()
        plain.append("{")
        var isFirst = true
        for (key, value) in document.root.members {
            if !isFirst { plain.append(",") }
            isFirst = false
            plain.append(key.bytes)
            plain.append(":")
            let isPart = key.isText(Bytes("properties")) || key.isText(Bytes("context"))
            if isPart || key.isText(Bytes("tags")) {
                appendOpened(value, to: &plain)
            } else {
                plain.append(value.bytes)
            }
        }
        plain.append("}")
        return (try? document.parse(plain.bytes)) == nil ? nil : document.root
    }

    /// Of a string that holds an object or a list, that; any other value as it is.
    private func appendOpened(_ node: JSONNode, to buffer: inout ByteBuffer) {
        let begin = buffer.count
        if node.kind == .string {
            node.appendText(to: &buffer)
            let text = buffer[begin..<buffer.count]
            if (try? inner.parse(text)) != nil, [.object, .array].contains(inner.root.kind) { return }
            buffer.truncate(to: begin)
        }
        buffer.append(node.bytes)
    }

    /// Only an object is a context. (The event is still in `document`.)
    private func appendContext(_ text: Bytes, _ isWrapped: Bool, to buffer: inout ByteBuffer) {
        guard !text.isEmpty, (try? inner.parse(text)) != nil else { return }
        var opened = ByteBuffer()
        if isWrapped, inner.root.kind == .string {
            inner.root.appendText(to: &opened)
            guard (try? inner.parse(opened.bytes)) != nil else { return }
        }
        if inner.root.kind == .object { inner.root.appendJSON(to: &buffer) }
    }
}
