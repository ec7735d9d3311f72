import Foundations
import Payload

@testable import Intake

/// The pure part of Intake with everything around it taken away: a call goes in, and what became of it comes out
/// in words that a test can compare.
final class Desk {
    struct Taken: Equatable {
        var verdict: Submission.Verdict
        var activity: String
        var label = ""
        var id = ""
        var properties = ""
        var context = ""
        var tags = ""
        var said: Int64?
        var reason = ""
        var pointer = ""
        var detail = ""
    }

    struct Outcome {
        /// Of a refusal; otherwise what the answer would be.
        var status: Int
        var code = ""
        /// What a refusal lists, or what the answer lists as errors.
        var faults = ""
        var warnings = ""
        var source = ""
        var session = ""
        var profile = ""
        var context = ""
        var sentAt: Int64?
        var flags: Submission.Flags = []
        var events: [Taken] = []
        var verdicts = Verdicts()
    }

    static let now = Timestamp(milliseconds: 1_767_323_045_000)

    var configuration = Configuration()
    let recent = RecentIDs()
    let examiner: Examiner
    var throttle: Examiner.Throttle = { _ in nil }

    init(_ sources: [Source] = [Source(id: "shop", kinds: [.web]), Source(id: "crm", kinds: [.backend])]) {
        configuration.sources = sources
        examiner = Examiner(recent: recent)
    }

    convenience init(_ kinds: Set<Source.Kind>, _ change: (inout Source) -> Void) {
        var source = Source(id: "shop", kinds: kinds)
        change(&source)
        self.init([source])
    }

    func track(_ body: String, query: String = "", _ change: (inout Call) -> Void = { _ in }) -> Outcome {
        track(bytes: Array(body.utf8), query: query, change)
    }

    func track(bytes: [UInt8], query: String = "", _ change: (inout Call) -> Void = { _ in }) -> Outcome {
        bytes.withUnsafeBytes { body in
            withBytes(query) { query in
                var call = Call(query: query, body: body, receivedAt: Self.now)
                change(&call)
                return run { rules throws(Refusal) in
                    try examiner.examine(track: call, rules: rules, throttle: throttle)
                }
            }
        }
    }

    /// Events of `shop`, as a list's inside.
    func events(_ events: String) -> Outcome { track(#"{"source":{"id":"shop"},"events":[\#(events)]}"#) }

    func collect(
        _ path: String, _ body: String = "", query: String = "", _ change: (inout Call) -> Void = { _ in }
    ) -> Outcome {
        withBytes(path) { path in
            withBytes(body) { body in
                withBytes(query) { query in
                    guard case .collect(let type, let source, let session) = Resource(path: path) else {
                        return Outcome(status: 404)
                    }
                    var call = Call(path: path, query: query, body: body, receivedAt: Self.now)
                    change(&call)
                    return run { rules throws(Refusal) in
                        try examiner.examine(
                            collect: call, type: type, source: source, session: session, rules: rules,
                            throttle: throttle)
                    }
                }
            }
        }
    }

    private func run(_ examine: (Rules) throws(Refusal) -> Examiner.Case) -> Outcome {
        examiner.begin()
        let rules = Rules(configuration, recent: recent)
        do throws(Refusal) {
            return taken(try examine(rules))
        } catch {
            return Outcome(
                status: error.status, code: "\(error.code)", faults: examiner.reader.faults.bytes.text)
        }
    }

    private func taken(_ found: Examiner.Case) -> Outcome {
        var frame = ByteBuffer()
        let task = UUID(high: 1, low: 2)
        examiner.write(found, task: task, now: Self.now, limits: configuration.limits, into: &frame)
        var outcome = Outcome(status: examiner.judge.verdicts.isRefused ? 422 : 200)
        outcome.verdicts = examiner.judge.verdicts
        outcome.faults = examiner.judge.errors.bytes.text
        outcome.warnings = examiner.warnings.list.bytes.text
        var reader = FrameReader(frame.bytes)
        guard case .submission(var view)? = try? reader.next() else { return outcome }
        outcome.source = view.source.text
        outcome.session = view.session.text
        outcome.profile = view.sentProfile.text
        outcome.context = view.context.text
        outcome.sentAt = view.sentAt?.microseconds
        outcome.flags = view.flags
        while let event = try? view.nextEvent() {
            outcome.events.append(
                Taken(
                    verdict: event.verdict, activity: event.activity.text, label: event.label.text,
                    id: event.clientID.text, properties: event.properties.text, context: event.context.text,
                    tags: event.tags.text, said: event.said?.microseconds, reason: event.reason.text,
                    pointer: event.pointer.text, detail: event.detail.text))
        }
        return outcome
    }
}
