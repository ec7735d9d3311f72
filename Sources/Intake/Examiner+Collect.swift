import Foundations
import Payload

/// `/collect`: one event, its source, type and session in the path, its properties in the body or the query.
extension Examiner {
    /// More fields than this in a form are taken for an attack.
    private static let mostFields = 10_000
    private static let badSource: StaticString = "the source is blank or not percent-encoded UTF-8"

    func examine(
        collect call: Call, type: Bytes, source: Bytes, session: Bytes, rules: Rules, throttle: Throttle
    ) throws(Refusal) -> Case {
        guard let id = texts.decoded(source), !id.isEmpty else { throw .badPath(Self.badSource) }
        let source = try authenticate(rules.sources.find(id), call)
        guard source.isBackend, source.allows(origin: call.origin) else { throw .unauthorized }
        if let key = source.key, !Credentials.match(call.authorization, key: key, scratch: &scratch) {
            throw .unauthorized
        }
        self.source = source
        if let wait = throttle(source) { throw .tooMany(wait: wait) }
        guard let label = texts.decoded(type), let activity = texts.activity(of: label.prefix(longestText))
        else {
            throw .badPath("the type is not percent-encoded UTF-8")
        }
        if activity.isEmpty { throw .badPath("the type is blank") }
        guard let session = texts.decoded(session) else {
            throw .badPath("the session is not percent-encoded UTF-8")
        }
        let properties = try self.properties(of: call, rules.limits)

        if label.count > longestText { reader.note(.tooLong(FaultPath(root: .path, member: "type"))) }
        if session.count > longestText { reader.note(.tooLong(FaultPath(root: .path, member: "session"))) }
        let clientID = texts.header(call.idempotencyKey, longest: 1024, isNoted: true)
        if clientID.count > longestText {
            reader.note(.tooLong(FaultPath(root: .header, member: "Idempotency-Key")))
        }
        if reader.faultCount > 0 { throw .invalid }
        warnings.add(texts.takeRepairs())
        var said: Timestamp?
        if let time = call.eventTime, !time.trimmed.isEmpty {
            said = EventTime.parse(time)
            if said == nil { warnings.add("X-Event-Time: not understood, the time of arrival is used") }
        }
        var found = Case(source: source)
        found.session = session.isEmpty ? nil : session
        found.userAgent = visitor(call)
        found.sentAt = Self.clock(of: call)
        found.collected = Collected(
            label: label, activity: activity, clientID: clientID, said: said, properties: properties)
        return found
    }

    /// The visitor's browser, when it is one that calls, for instance for a picture in a mail. What a backend's library
    /// calls itself says nothing of the visitor.
    private func visitor(_ call: Call) -> Bytes {
        let agent = texts.header(call.userAgent, longest: 1024)
        return agent.prefix(8).equals("Mozilla/") ? agent : .empty
    }

    private func properties(of call: Call, _ limits: Limits) throws(Refusal) -> Collected.Properties {
        if call.method == .get {
            return call.query.isEmpty ? .none : try form(call.query)
        }
        let type = ContentType(call.contentType)
        if case .unsupported = type, !call.body.isEmpty { throw .unsupportedType }
        let body = try unpacked(call, limits)
        if case .form = type { return body.isEmpty ? .none : try form(body) }
        if body.trimmed.isEmpty { return .none }
        let root = try parse(body)
        guard root.kind == .object else { throw .notAnObject }
        return .json(root)
    }

    private func form(_ text: Bytes) throws(Refusal) -> Collected.Properties {
        var fields = 0
        for byte in text where byte == UInt8(ascii: "&") { fields += 1 }
        if fields >= Self.mostFields { throw .tooLarge }
        return .form(text)
    }
}
