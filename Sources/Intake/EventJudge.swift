import Foundations
import Payload

/// Judges the events of a request, each on its own, and writes them into a submission.
///
/// One bad event costs the others nothing: it is quarantined with its reason and listed in `errors`.
struct EventJudge: ~Copyable {
    /// Whose events, when, and under which rules.
    struct Circumstances {
        let source: SourceEntry
        let limits: Limits
        let now: Timestamp
        let savesEvents: Bool
        /// The event comes from the quarantine; nil: for the first time.
        var replayed: Replayed?
    }

    /// What an event from the quarantine keeps.
    struct Replayed {
        let id: UUID
        /// When it happened, by what was sent beside the event.
        let said: Timestamp?
    }

    /// What is known of an event that is taken.
    private struct Event {
        var label = Bytes.empty
        var activity = Bytes.empty
        var clientID = Bytes.empty
        var properties: JSONNode?
        var context: JSONNode?
        var tags: JSONNode?
        var said: Timestamp?
        var isSaved = true
    }

    private(set) var verdicts = Verdicts()
    /// The faults of the bad events, as answers list them.
    private(set) var errors = ByteBuffer()
    /// The client's ids, to be remembered once they are durable.
    private(set) var ids: [RecentID] = []
    /// Events whose ids came before, as far as this server remembers.
    private(set) var repeats: [Repeat] = []
    private var hasher = ContentHasher()
    private var random = RandomSource()
    private let recent: RecentIDs

    init(recent: RecentIDs) { self.recent = recent }

    /// Forgets the request before.
    mutating func begin() {
        verdicts = Verdicts()
        errors.removeAll()
        errors.shrink(to: 4096)
        ids.removeAll(keepingCapacity: ids.capacity <= 1024)
        repeats.removeAll(keepingCapacity: repeats.capacity <= 1024)
    }

    mutating func newID(at now: Timestamp) -> UUID { UUID.v7(at: now, &random) }
    private mutating func id(_ circumstances: Circumstances) -> UUID {
        circumstances.replayed?.id ?? newID(at: circumstances.now)
    }
    mutating func randomID() -> UUID { UUID.v4(&random) }

    // MARK: - A tracker payload

    /// Judges one element of `events`, the `index`th.
    mutating func judge(
        _ node: JSONNode, index: Int, _ circumstances: Circumstances,
        texts: inout Texts, warnings: inout Warnings, writer: inout SubmissionWriter, frame: inout ByteBuffer
    ) {
        let mark = texts.mark
        defer { texts.back(to: mark) }
        verdicts.received += 1
        var event = Event()
        let fault = read(node, index, circumstances, into: &event, &texts, &warnings)
        warnings.add(texts.takeRepairs())
        if let fault {
            quarantine(node, fault, event, circumstances, writer: &writer, frame: &frame)
            return
        }
        guard circumstances.source.allows(activity: event.activity) else {
            deny(event, raw: { Self.appendRaw(node, to: &$0) }, circumstances, writer: &writer, frame: &frame)
            return
        }
        let verdict = verdict(event, circumstances)
        if verdict == .store { note(event, event.properties, circumstances, index: index) }
        var repairs: Repairs = []
        writer.event(
            into: &frame, id: id(circumstances), verdict: verdict,
            said: event.said, activity: event.activity, label: event.label, clientID: event.clientID,
            properties: { if let node = event.properties { repairs.formUnion(node.appendJSON(to: &$0)) } },
            context: { if let node = event.context { repairs.formUnion(node.appendJSON(to: &$0)) } },
            tags: { repairs.formUnion(Self.appendTags(event.tags, index, to: &$0, &warnings)) })
        warnings.add(repairs)
    }

    /// Reads an event; the first fault ends it, for one is enough to quarantine it.
    private func read(
        _ node: JSONNode, _ index: Int, _ circumstances: Circumstances, into event: inout Event,
        _ texts: inout Texts, _ warnings: inout Warnings
    ) -> Fault? {
        guard node.kind == .object else { return .type("an object", node, .event(index)) }
        guard let type = node.sent("type") else { return .missing("a string", .event(index, "type")) }
        guard type.kind == .string else { return .type("a string", type, .event(index, "type")) }
        guard let label = texts.text(of: type), let activity = texts.activity(of: label) else {
            return .tooLong(.event(index, "type"))
        }
        if activity.isEmpty {
            return Fault(kind: .blank, expected: "a string", found: "blanks", path: .event(index, "type"))
        }
        (event.label, event.activity) = (label, activity)
        if let id = node.sent("id") {
            guard id.kind == .string || id.kind == .number else {
                return .type("a string", id, .event(index, "id"))
            }
            guard let text = texts.text(of: id) else { return .tooLong(.event(index, "id")) }
            event.clientID = text
        }
        event.properties = node.sent("properties")
        event.context = node.sent("context")
        let options = node.sent("options")
        if let fault = fault(of: event.properties, .event(index, "properties"), circumstances.limits.depth)
            ?? fault(of: event.context, .event(index, "context"), circumstances.limits.depth)
            ?? fault(of: options, .event(index, "options"), .max)
        {
            return fault
        }
        event.isSaved = options?.member("save")?.kind != .false
        event.tags = node.sent("tags")
        event.said = circumstances.replayed?.said
        if let time = node.sent("time") {
            event.said = EventTime.parse(time) ?? event.said
            if event.said == nil, time.kind != .object || time.sent("create") != nil {
                warnings.add("not understood, the time of arrival is used", at: .event(index, "time"))
            }
        }
        return nil
    }

    /// A member that has to be an object, and not too deep.
    private func fault(of node: JSONNode?, _ path: FaultPath, _ deepest: Int) -> Fault? {
        guard let node else { return nil }
        guard node.kind == .object else { return .type("an object", node, path) }
        guard node.depth > deepest else { return nil }
        return Fault(kind: .tooDeep, expected: "less nesting", found: "more", path: path)
    }

    // MARK: - A collected event

    /// Judges the one event of `/collect`. `properties` is its JSON, `depth` how deep it nests; `content` the same as
    /// a value, which only an event with an id needs.
    mutating func judge(
        collected type: Bytes, activity: Bytes, clientID: Bytes, said: Timestamp?, depth: Int,
        content: JSONNode?,
        _ circumstances: Circumstances, warnings: inout Warnings, writer: inout SubmissionWriter,
        frame: inout ByteBuffer, properties: (inout ByteBuffer) -> Repairs
    ) {
        verdicts.received += 1
        let event = Event(label: type, activity: activity, clientID: clientID, said: said)
        if depth > circumstances.limits.depth {
            let fault = Fault(kind: .tooDeep, expected: "less nesting", found: "more", path: .body())
            quarantine(fault, event, circumstances, writer: &writer, frame: &frame, in: "/properties") {
                Self.append(collected: event, properties, to: &$0)
            }
            return
        }
        guard circumstances.source.allows(activity: activity) else {
            deny(
                event, raw: { Self.append(collected: event, properties, to: &$0) }, circumstances,
                writer: &writer, frame: &frame)
            return
        }
        let verdict = verdict(event, circumstances)
        if verdict == .store { note(event, content, circumstances, index: 0) }
        var repairs: Repairs = []
        writer.event(
            into: &frame, id: id(circumstances), verdict: verdict, said: said,
            activity: activity, label: type, clientID: clientID, properties: { repairs = properties(&$0) },
            context: { _ in }, tags: { _ in })
        warnings.add(repairs)
    }

    // MARK: - Verdicts

    private mutating func verdict(_ event: Event, _ circumstances: Circumstances) -> Submission.Verdict {
        guard event.isSaved, circumstances.savesEvents else {
            verdicts.unsaved += 1
            return .unsaved
        }
        verdicts.stored += 1
        return .store
    }

    private mutating func note(
        _ event: Event, _ properties: JSONNode?, _ circumstances: Circumstances, index: Int
    ) {
        guard !event.clientID.isEmpty else { return }
        let id = RecentID(
            fingerprint: recent.fingerprint(source: circumstances.source.fingerprint, id: event.clientID),
            content: hasher.hash(activity: event.activity, properties: properties))
        if let kind = recent.find(id) { repeats.append(Repeat(event: index, kind: kind)) }
        ids.append(id)
    }

    /// Drops an event that its source may not send, or quarantines it, as configured; answered 200 in any case.
    private mutating func deny(
        _ event: Event, raw: (inout ByteBuffer) -> Void, _ circumstances: Circumstances,
        writer: inout SubmissionWriter, frame: inout ByteBuffer
    ) {
        let keeps = circumstances.source.quarantinesDenied || circumstances.replayed != nil
        if keeps { verdicts.quarantined += 1 } else { verdicts.denied += 1 }
        writer.event(
            into: &frame, id: id(circumstances), verdict: keeps ? .quarantined : .denied,
            said: event.said, activity: event.activity, label: event.label, clientID: event.clientID,
            properties: { if keeps { raw(&$0) } }, context: { _ in }, tags: { _ in },
            reason: keeps ? Bytes("denied") : .empty, pointer: keeps ? Bytes("/type") : .empty,
            detail: { if keeps { circumstances.source.denial(of: event.activity).append(to: &$0) } })
    }

    private mutating func quarantine(
        _ node: JSONNode, _ fault: Fault, _ event: Event, _ circumstances: Circumstances,
        writer: inout SubmissionWriter, frame: inout ByteBuffer
    ) {
        var fault = fault
        if fault.kind == .missing { fault.nearest = Self.nearest(to: fault.path.member, in: node) }
        quarantine(fault, event, circumstances, writer: &writer, frame: &frame) {
            Self.appendRaw(node, to: &$0)
        }
    }

    /// The name among the first members that was probably meant for this one.
    private static func nearest(to name: StaticString, in node: JSONNode) -> String? {
        var names: [String] = []
        for (key, _) in node.members.prefix(50) where key.bytes.count <= 64 && !key.isText(Bytes(name)) {
            names.append(key.contents.text)
        }
        return Foundations.nearest(to: "\(name)", among: names)
    }

    private mutating func quarantine(
        _ fault: Fault, _ event: Event, _ circumstances: Circumstances, writer: inout SubmissionWriter,
        frame: inout ByteBuffer, in member: StaticString = "", raw: (inout ByteBuffer) -> Void
    ) {
        verdicts.quarantined += 1
        verdicts.bad += 1
        errors.append(listed: fault, isFirst: verdicts.bad == 1)
        var pointer = ByteBuffer(capacity: 64)
        pointer.append(member)
        pointer.append(pointerInEvent: fault.path)
        writer.event(
            into: &frame, id: id(circumstances), verdict: .quarantined, said: event.said,
            activity: event.activity, label: event.label, clientID: event.clientID,
            properties: raw, context: { _ in }, tags: { _ in },
            reason: Bytes(fault.kind.reason), pointer: pointer.bytes, detail: { $0.append(detail: fault) })
    }

    // MARK: - JSON

    /// An event as it came, for the quarantine. What nests deeper than any parser of the database would follow is
    /// kept as a string of its text.
    @discardableResult
    static func appendRaw(_ node: JSONNode, to buffer: inout ByteBuffer) -> Repairs {
        node.depth > 500 ? appendJSONString(node.bytes, to: &buffer) : node.appendJSON(to: &buffer)
    }

    /// A collected event as a tracker would have sent it, for the quarantine.
    private static func append(
        collected event: Event, _ properties: (inout ByteBuffer) -> Repairs, to buffer: inout ByteBuffer
    ) {
        buffer.append("{\"type\":")
        appendJSONString(event.label, to: &buffer)
        if !event.clientID.isEmpty {
            buffer.append(",\"id\":")
            appendJSONString(event.clientID, to: &buffer)
        }
        let begin = buffer.count
        buffer.append(",\"properties\":")
        let empty = buffer.count
        _ = properties(&buffer)
        if buffer.count == empty { buffer.truncate(to: begin) }
        buffer.append("}")
    }

    /// A list of texts. Scalars are taken as their texts, a single one as a list of one; anything else is left
    /// out, and said.
    private static func appendTags(
        _ tags: JSONNode?, _ index: Int, to buffer: inout ByteBuffer, _ warnings: inout Warnings
    ) -> Repairs {
        guard let tags else { return [] }
        var repairs: Repairs = []
        var isFirst = true
        var isWhole = true
        buffer.append(UInt8(ascii: "["))
        if tags.kind == .array {
            for tag in tags.elements {
                if !append(tag: tag, isFirst: &isFirst, to: &buffer, &repairs) { isWhole = false }
            }
        } else {
            isWhole = append(tag: tags, isFirst: &isFirst, to: &buffer, &repairs)
        }
        buffer.append(UInt8(ascii: "]"))
        if !isWhole {
            warnings.add("a list of strings was expected; the rest is left out", at: .event(index, "tags"))
        }
        return repairs
    }

    private static func append(
        tag: JSONNode, isFirst: inout Bool, to buffer: inout ByteBuffer, _ repairs: inout Repairs
    ) -> Bool {
        switch tag.kind {
        case .object, .array: return false
        case .null: return true
        default: break
        }
        if !isFirst { buffer.append(UInt8(ascii: ",")) }
        isFirst = false
        if tag.kind == .string {
            repairs.formUnion(tag.appendJSON(to: &buffer))
        } else {
            appendJSONString(tag.bytes, to: &buffer)
        }
        return true
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes of a literal; they are valid for ever.
    init(_ text: StaticString) { self.init(start: text.utf8Start, count: text.utf8CodeUnitCount) }
}
