import Foundations
import HTTP
import Payload

/// The pure part of a lane: turns a call into what is known of it, and that into a submission. No socket, no
/// clock, no database; its buffers are reused from call to call.
///
/// A call goes through three steps: `examine` (who is it from, and what does its envelope say), then the caller
/// settles whose profile it is, then `write` judges the events.
final class Examiner {
    /// A call that was understood; its slices are valid until the next one is examined.
    struct Case {
        let source: SourceEntry
        var envelope = Envelope()
        /// Nil: `/collect` without a session.
        var session: Bytes?
        var isNewSession = false
        var isProfileLess = false
        var userAgent = Bytes.empty
        var sentAt: Timestamp?
        var collected: Collected?
        /// `options.debugger`, and the configuration allows it.
        var isDebugged = false
        /// `options.profile`, and the source allows it.
        var returnsProfile = false
        var waits: Bool { isDebugged || returnsProfile }
    }

    /// The one event of `/collect`.
    struct Collected {
        enum Properties {
            case none
            case json(JSONNode)
            case form(Bytes)
        }
        let label: Bytes
        let activity: Bytes
        let clientID: Bytes
        let said: Timestamp?
        let properties: Properties
    }

    /// Which buckets are empty is asked when the source is known; gives the wait in nanoseconds.
    typealias Throttle = (SourceEntry) -> UInt64?

    var reader = EnvelopeReader()
    var judge: EventJudge
    var warnings = Warnings()
    var texts = Texts()
    private var document = JSONDocument()
    private var forms = FormDecoder()
    private let inflater = Inflater()
    private var inflated = ByteBuffer()
    var scratch = ByteBuffer()
    /// The source of the call at hand, once it is authenticated: whose origins its answer goes by.
    var source: SourceEntry?

    init(recent: RecentIDs) { judge = EventJudge(recent: recent) }

    /// Forgets the call before.
    func begin() {
        source = nil
        reader.removeAll()
        judge.begin()
        warnings.removeAll()
        texts.removeAll()
        inflated.removeAll()
    }

    /// Gives back what a large request needed; its slices are no longer used.
    func rest() {
        document.reset()
        inflated.removeAll()
        inflated.shrink(to: 64 << 10)
    }

    // MARK: - /track

    func examine(track call: Call, rules: Rules, throttle: Throttle) throws(Refusal) -> Case {
        guard case .json = ContentType(call.contentType) else { throw .unsupportedType }
        let root = try parse(unpacked(call, rules.limits))
        guard root.kind == .object else { throw .notAnObject }
        guard let id = reader.source(of: root, &texts) else { throw .invalid }
        let source = try authenticate(rules.sources.find(id), call)
        guard source.isWeb, source.allows(origin: call.origin) else { throw .unauthorized }
        self.source = source
        if let wait = throttle(source) { throw .tooMany(wait: wait) }
        let envelope = reader.read(root, limits: rules.limits, &texts, &warnings)
        if reader.faultCount > 0 { throw .invalid }

        var found = Case(source: source, envelope: envelope)
        found.isNewSession = envelope.session.isEmpty
        found.session = found.isNewSession ? texts.text(of: judge.randomID()) : envelope.session
        found.isProfileLess = Self.isProfileLess(call.query)
        found.userAgent = texts.header(call.userAgent, longest: 1024)
        found.sentAt = envelope.sentAt ?? Self.clock(of: call)
        found.isDebugged = envelope.wantsDebugger && rules.debug
        found.returnsProfile = envelope.wantsProfile && source.returnsProfile
        if envelope.wantsDebugger, !rules.debug {
            warnings.add("debugger is off: the configuration allows it with debug: true")
        }
        return found
    }

    // MARK: - Events

    /// Judges the events and writes them, as a submission, to the end of `frame`. Empty context means none.
    func write(
        _ found: Case, task: UUID, now: Timestamp, limits: Limits, into frame: inout ByteBuffer
    ) {
        var flags: Submission.Flags = []
        if found.envelope.savesSession { flags.insert(.saveSession) }
        if !found.envelope.savesEvents { flags.insert(.savesNoEvents) }
        if found.isProfileLess { flags.insert(.profileLess) }
        if found.waits { flags.insert(.waits) }
        if found.returnsProfile { flags.insert(.wantsTraits) }
        var repairs: Repairs = []
        var writer = found.source.id.withUnsafeBytes { source in
            SubmissionWriter(
                into: &frame, task: task, flags: flags, sentAt: found.sentAt, source: source,
                session: found.session ?? .empty, sentProfile: found.envelope.profile,
                userAgent: found.userAgent
            ) { if let context = found.envelope.context { repairs = context.appendJSON(to: &$0) } }
        }
        warnings.add(repairs)
        let circumstances = EventJudge.Circumstances(
            source: found.source, limits: limits, now: now, savesEvents: found.envelope.savesEvents)
        if let collected = found.collected {
            judge(collected, circumstances, &writer, &frame)
        } else if let events = found.envelope.events {
            var index = 0
            for node in events.elements {
                judge.judge(
                    node, index: index, circumstances, texts: &texts, warnings: &warnings, writer: &writer,
                    frame: &frame)
                index += 1
            }
        }
        writer.finish(&frame)
        // An answer that waits will know.
        if found.waits { return }
        for repeated in judge.repeats { warnings.add(repeated, single: judge.verdicts.received == 1) }
    }

    private func judge(
        _ collected: Collected, _ circumstances: EventJudge.Circumstances,
        _ writer: inout SubmissionWriter, _ frame: inout ByteBuffer
    ) {
        var content: JSONNode?
        var form = ByteBuffer(capacity: 0)
        switch collected.properties {
        case .json(let root): content = root
        case .form(let text) where !collected.clientID.isEmpty:
            forms.appendJSON(text, to: &form)
            if (try? document.parse(form.bytes)) != nil { content = document.root }
        case .form, .none: break
        }
        var depth = 0
        if case .json(let root) = collected.properties { depth = root.depth }
        judge.judge(
            collected: collected.label, activity: collected.activity, clientID: collected.clientID,
            said: collected.said, depth: depth, content: content, circumstances, warnings: &warnings,
            writer: &writer, frame: &frame
        ) { [self] out in
            switch collected.properties {
            case .none: []
            case .json(let root): EventJudge.appendRaw(root, to: &out)
            case .form(let text): forms.appendJSON(text, to: &out)
            }
        }
    }

    /// The answer to a call that was written. Without a decision its profile is an id to be replaced.
    func answer(to found: Case, task: UUID, _ decision: Identification.Decision?) -> Answer {
        var profile = Answer.Profile.id(UUID(high: 0, low: 0))
        if let decision {
            profile = decision.profile.map { .id($0) } ?? .none
            if decision.basis == .fixed { profile = .sent(found.envelope.profile) }
        }
        return Answer(
            task: task, profile: profile, session: found.session, errors: judge.errors.bytes,
            warnings: warnings.list.bytes)
    }

    // MARK: - Parts

    func authenticate(_ source: SourceEntry?, _ call: Call) throws(Refusal) -> SourceEntry {
        guard let source, source.isEnabled else { throw .unauthorized }
        return source
    }

    func parse(_ body: Bytes) throws(Refusal) -> JSONNode {
        do throws(JSONError) { try document.parse(body) } catch { throw .notJSON(error) }
        return document.root
    }

    /// The body as it was before it was packed.
    func unpacked(_ call: Call, _ limits: Limits) throws(Refusal) -> Bytes {
        if call.body.count > limits.body { throw .tooLarge }
        switch ContentEncoding(call.contentEncoding) {
        case .identity: return call.body
        case .unsupported: throw .unsupportedEncoding
        case .packed(let coding):
            if call.body.isEmpty { return call.body }
            do throws(InflateError) {
                try inflater.inflate(call.body, coding, limit: limits.body, into: &inflated)
            } catch {
                throw error == .tooLarge ? .tooLarge : .badEncoding
            }
            return inflated.bytes
        }
    }

    /// `profile_less=true` in the query string; `1` and `yes` are taken as well.
    static func isProfileLess(_ query: Bytes) -> Bool {
        var from = 0
        for i in 0...query.count where i == query.count || query[i] == UInt8(ascii: "&") {
            let field = query.slice(from..<i)
            from = i + 1
            guard field.count > 13, field.slice(0..<13).equals("profile_less=") else { continue }
            let value = field.slice(13..<field.count)
            return value.equalsIgnoringCase("true") || value.equals("1") || value.equalsIgnoringCase("yes")
        }
        return false
    }

    /// The caller's own clock by its `Date` header; nil unless it is a sane one.
    static func clock(of call: Call) -> Timestamp? {
        guard let text = call.date, let date = HTTPDate.parse(text) else { return nil }
        // Ten years off is no clock at all.
        return abs(date.microseconds - call.receivedAt.microseconds) < 315_360_000_000_000 ? date : nil
    }
}

extension UnsafeRawBufferPointer {
    /// At most this many of the first bytes.
    func prefix(_ most: Int) -> UnsafeRawBufferPointer { slice(0..<Swift.min(most, count)) }
}
