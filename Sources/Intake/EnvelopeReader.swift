import Foundations
import Payload

/// Reads the envelope of a tracker payload and notes everything that is wrong with it.
///
/// `null` is the same as leaving a member out; members that we do not know are not looked at.
struct EnvelopeReader: ~Copyable {
    private(set) var faults = ByteBuffer()
    private(set) var faultCount = 0

    mutating func removeAll() {
        faults.removeAll()
        faults.shrink(to: 4096)
        faultCount = 0
    }

    mutating func note(_ fault: Fault) {
        faults.append(listed: fault, isFirst: faultCount == 0)
        faultCount += 1
    }

    /// The source's id; nil with a fault noted. Asked before everything else: a stranger learns nothing more.
    mutating func source(of root: JSONNode, _ texts: inout Texts) -> Bytes? {
        guard let source = root.sent("source") else {
            note(.missing("an object", .body("source")))
            return nil
        }
        guard source.kind == .object else {
            note(.type("an object", source, .body("source")))
            return nil
        }
        guard let id = source.sent("id") else {
            note(.missing("a string", .body("source", "id")))
            return nil
        }
        guard let text = text(id, .body("source", "id"), &texts) else { return nil }
        if !text.isEmpty { return text }
        note(Fault(kind: .blank, expected: "a string", found: "blanks", path: .body("source", "id")))
        return nil
    }

    /// The rest of the envelope, with every fault noted; usable when there is none.
    mutating func read(
        _ root: JSONNode, limits: Limits, _ texts: inout Texts, _ warnings: inout Warnings
    ) -> Envelope {
        var envelope = Envelope()
        envelope.session = id(of: "session", in: root, &texts)
        envelope.profile = id(of: "profile", in: root, &texts)
        envelope.context = object("context", in: root, deepest: limits.depth)
        _ = object("properties", in: root, deepest: limits.depth)
        if let options = object("options", in: root, deepest: .max) {
            envelope.wantsDebugger = options.member("debugger")?.kind == .true
            envelope.wantsProfile = options.member("profile")?.kind == .true
            envelope.savesSession = options.member("saveSession")?.kind != .false
            envelope.savesEvents = options.member("saveEvents")?.kind != .false
        }
        if let events = root.sent("events") {
            if events.kind == .array {
                envelope.events = events
            } else {
                note(.type("a list", events, .body("events")))
            }
            envelope.eventCount = envelope.events?.count ?? 0
            if envelope.eventCount > limits.events {
                let fault = Fault(
                    kind: .tooMany, expected: "no more events than the limit", found: "more",
                    path: .body("events"))
                note(fault)
            }
        }
        if let sentAt = root.sent("sentAt") {
            envelope.sentAt = EventTime.parse(sentAt)
            if envelope.sentAt == nil { warnings.add("not understood, and ignored", at: .body("sentAt")) }
        }
        warnings.add(texts.takeRepairs())
        return envelope
    }

    private mutating func id(of member: StaticString, in root: JSONNode, _ texts: inout Texts) -> Bytes {
        guard let object = object(member, in: root, deepest: .max), let id = object.sent("id") else {
            return .empty
        }
        return text(id, .body(member, "id"), &texts) ?? .empty
    }

    private mutating func object(_ member: StaticString, in root: JSONNode, deepest: Int) -> JSONNode? {
        guard let node = root.sent(member) else { return nil }
        guard node.kind == .object else {
            note(.type("an object", node, .body(member)))
            return nil
        }
        if node.depth > deepest {
            note(Fault(kind: .tooDeep, expected: "less nesting", found: "more", path: .body(member)))
        }
        return node
    }

    /// A string, or a number taken as its text; nil with a fault noted.
    private mutating func text(_ node: JSONNode, _ path: FaultPath, _ texts: inout Texts) -> Bytes? {
        guard node.kind == .string || node.kind == .number else {
            note(.type("a string", node, path))
            return nil
        }
        if let text = texts.text(of: node) { return text }
        note(.tooLong(path))
        return nil
    }
}

extension JSONNode {
    /// A member that was sent: `null` is the same as leaving it out.
    func sent(_ name: StaticString) -> JSONNode? {
        guard let node = member(name), !node.isNull else { return nil }
        return node
    }
}
