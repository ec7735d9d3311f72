import Foundations
import Payload
import TestSupport

/// A request as Intake would write it into the spool; a text may be any bytes.
struct TestRequest {
    var source = "shop"
    var session = Array("s".utf8)
    var answered: UUID?
    var basis = Submission.Basis.none
    var sent = ""
    var flags: Submission.Flags = [.saveSession, .settled]
    var sentAt: Timestamp?
    var context: [UInt8] = []
    var userAgent: [UInt8] = []
    var task = UUID.random()
    /// Of a replay.
    var original: Submission.Original?
    var events: [TestEvent] = [TestEvent()]

    init(_ events: TestEvent...) { if !events.isEmpty { self.events = events } }

    init(
        session: String, _ basis: Submission.Basis = .none, _ answered: UUID? = nil,
        events: [TestEvent]? = nil
    ) {
        self.session = Array(session.utf8)
        self.basis = basis
        self.answered = answered
        if let events { self.events = events }
    }

    func with(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }

    func write(into frame: inout ByteBuffer) {
        var writer = withBytes(source) { source in
            withBytes(sent) { sent in
                session.withUnsafeBytes { session in
                    userAgent.withUnsafeBytes { userAgent in
                        SubmissionWriter(
                            into: &frame, task: task, flags: flags, sentAt: sentAt, source: source,
                            session: session,
                            sentProfile: sent, userAgent: userAgent, original: original,
                            context: { $0.append(context) })
                    }
                }
            }
        }
        writer.answer(&frame, profile: answered, basis: basis, settled: false)
        for event in events { event.write(with: &writer, into: &frame) }
        writer.finish(&frame)
    }

    static func counts(_ requests: [TestRequest]) -> [String: Int] {
        requests.filter { $0.original == nil }
            .reduce(into: [:]) { $0[$1.source, default: 0] += $1.events.count }
    }
}

struct TestEvent {
    var id = UUID.random()
    var verdict = Submission.Verdict.store
    var said: Timestamp?
    var activity = Array("page-view".utf8)
    var label = Array("Page view".utf8)
    var clientID: [UInt8] = []
    var properties = Array(#"{"a":1}"#.utf8)
    var context: [UInt8] = []
    var tags: [UInt8] = []

    init(_ change: (inout Self) -> Void = { _ in }) { change(&self) }

    static func client(_ id: String, _ properties: String = #"{"a":1}"#) -> TestEvent {
        TestEvent {
            $0.clientID = Array(id.utf8)
            $0.properties = Array(properties.utf8)
        }
    }

    func write(with writer: inout SubmissionWriter, into frame: inout ByteBuffer) {
        let reason = verdict == .quarantined ? "schema" : ""
        activity.withUnsafeBytes { activity in
            label.withUnsafeBytes { label in
                clientID.withUnsafeBytes { clientID in
                    withBytes(reason) { reason in
                        writer.event(
                            into: &frame, id: id, verdict: verdict, said: said, activity: activity,
                            label: label,
                            clientID: clientID, properties: { $0.append(properties) },
                            context: { $0.append(context) }, tags: { $0.append(tags) }, reason: reason)
                    }
                }
            }
        }
    }
}

extension UUID {
    static func random() -> UUID {
        UUID(.random(in: .min ... .max), .random(in: .min ... .max), version: 4)
    }
}
