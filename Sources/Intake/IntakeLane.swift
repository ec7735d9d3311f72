import Dispatch
import Foundations
import HTTP
import Identity
import Payload
import Spool

/// Intake on one lane: takes requests, gathers their submissions in a batch, and answers when it is on disk.
///
/// This is the shell; what a request means is decided by `Examiner` and `Identification`, which do no I/O.
final class IntakeLane: LaneHandler, @unchecked Sendable {  // owner of all state: the lane's queue
    let intake: Intake
    let lane: Lane
    let examiner: Examiner
    var rules: Rules
    var generation = 0
    private var known: Issuer?

    /// Takes what comes now; nil: nothing came since the last one was handed over.
    private var open: Batch?
    private var idle: [Batch] = []
    /// Every batch there is.
    private var made: [Batch] = []
    var parking: [Parked] = []
    var freeParking: [Int] = []
    var waiters: [UUID: Waiter] = [:]
    private(set) var lookups: LookupClient?
    var headers = ByteBuffer(capacity: 1024)
    var body = ByteBuffer(capacity: 4096)

    /// A batch that is larger is handed over at once; it has to fit into a segment.
    private let largeBatch: Int
    /// Batches that the spool has. With so many on their way, what comes is gathered until one is back: a disk
    /// that is slow makes batches larger, not more.
    private var underWay = 0
    private static let mostUnderWay = 4

    init(_ intake: Intake, _ lane: Lane) {
        self.intake = intake
        self.lane = lane
        examiner = Examiner(recent: intake.recent)
        largeBatch = min(1 << 20, intake.parts.spool.options.capacity / 64)
        guard let rules = intake.rules(newerThan: &generation) else {
            preconditionFailure("rules begin at 1")
        }
        self.rules = rules
        lookups = LookupClient(queue: lane.queue) { [weak self] answers in self?.settle(answers) }
    }

    // MARK: - Requests

    func handle(_ request: borrowing Request, _ exchange: Exchange) {
        dispatchPrecondition(condition: .onQueue(lane.queue))
        if let newer = intake.rules(newerThan: &generation) { rules = newer }
        examiner.begin()
        let call = Call(request)
        let resource = Resource(path: call.path)
        do throws(Refusal) {
            try answer(call, resource, exchange)
        } catch {
            refuse(error, call, exchange)
        }
    }

    func headers(forRefused request: borrowing Request, _ out: inout ByteBuffer) {
        if let newer = intake.rules(newerThan: &generation) { rules = newer }
        CrossOrigin.append(origin: rules.echoed(request.header(.origin), for: nil), to: &out)
    }

    private func answer(_ call: Call, _ resource: Resource, _ exchange: Exchange) throws(Refusal) {
        if call.method == .options { return answerOptions(call, resource, exchange) }
        switch (resource, call.method) {
        case (.track, .post):
            let issuer = try admit(call)
            let found = try examiner.examine(track: call, rules: rules, throttle: throttle)
            take(found, call, exchange, issuer)
        case (.collect(let type, let source, let session), .post),
            (.collect(let type, let source, let session), .get):
            let issuer = try admit(call)
            let found = try examiner.examine(
                collect: call, type: type, source: source, session: session, rules: rules, throttle: throttle)
            take(found, call, exchange, issuer)
        case (.health, .get), (.health, .head): show(intake.pages.health, call, exchange)
        case (.readiness, .get), (.readiness, .head): show(intake.pages.readiness, call, exchange)
        case (.metrics, .get), (.metrics, .head):
            show(
                intake.pages.metrics, call, exchange, contentType: "text/plain; version=0.0.4; charset=utf-8")
        case (.unknown, _): throw .notFound
        default: throw .methodNotAllowed(resource.allowed)
        }
    }

    /// Is there room for one more request with events? Asked before its body is looked at.
    private func admit(_ call: Call) throws(Refusal) -> Issuer {
        if intake.isDraining { throw .unavailable("the server is about to stop: send again", seconds: 5) }
        if intake.parts.spool.isFull { throw .unavailable("the spool is full", seconds: 10) }
        let gathered = open.map { $0.frame.body.count } ?? 0
        if intake.metrics.inFlight.current + gathered > rules.limits.memory {
            throw .unavailable("too many requests are in flight", seconds: 1)
        }
        if let addresses = rules.addresses,
            let wait = addresses.take(call.peer, at: intake.parts.clock.monotonic())
        {
            throw .tooMany(wait: wait)
        }
        if known == nil { known = intake.parts.installation.issuer }
        guard let known else {
            throw .unavailable("the server has not reached its database yet", seconds: 2)
        }
        return known
    }

    private func throttle(_ source: SourceEntry) -> UInt64? {
        source.bucket?.take(at: intake.parts.clock.monotonic())
    }

    // MARK: - Submissions

    /// Writes a request's submission and answer: into the open batch, or, when the database has to be asked who
    /// it is, into a parking place.
    private func take(_ found: Examiner.Case, _ call: Call, _ exchange: Exchange, _ issuer: Issuer) {
        let sent = Identification.Sent(found)
        let identification = Identification(sent: sent)
        var cached: UUID?
        if let session = found.session, !found.isNewSession, !found.isProfileLess {
            cached = intake.parts.sessions.profile(ofSession: session, now: lane.now)
        }
        var decision: Identification.Decision
        switch identification.begin(cached: cached, issuer: issuer) {
        case .decided(let known): decision = known
        case .ask(let session, let profile):
            if let place = freePlace() {
                park(found, sent, call, exchange, at: place, asking: session, profile)
                return
            }
            decision = identification.decide(
                sessionProfile: nil, profile: nil, settled: false, issuer: issuer)
            intake.metrics.unsettled.add()
        }
        let batch = self.batch
        let begin = batch.frame.body.count
        let composed = compose(found, call, exchange, decision, &batch.frame.body, &batch.arena)
        SubmissionWriter.patch(
            &batch.frame.body, at: begin, profile: decision.profile, basis: decision.basis,
            settled: decision.settled)
        if decision.basis != .session, found.envelope.savesSession { remember(sent.session, decision) }
        batch.add(
            composed.reply, from: found.source, received: examiner.judge.verdicts.received,
            ids: examiner.judge.ids)
        submitIfLarge()
    }

    func remember(_ session: Bytes?, _ decision: Identification.Decision) {
        guard let session, let profile = decision.profile else { return }
        intake.parts.sessions.remember(session: session, profile: profile, now: lane.now)
    }

    /// Writes the submission to the end of `frame` and the answer to the end of `arena`. Without a decision the
    /// answer has a profile's id that is to be replaced, at `idAt`.
    func compose(
        _ found: Examiner.Case, _ call: Call, _ exchange: Exchange, _ decision: Identification.Decision?,
        _ frame: inout ByteBuffer, _ arena: inout ByteBuffer
    ) -> (reply: Batch.Reply, idAt: Int?) {
        let task = examiner.judge.newID(at: lane.now)
        let begin = frame.count
        examiner.write(found, task: task, now: lane.now, limits: rules.limits, into: &frame)
        let verdicts = examiner.judge.verdicts
        intake.metrics.count(verdicts)

        let headersAt = arena.count
        CrossOrigin.append(origin: rules.echoed(call.origin, for: found.source), to: &arena)
        let bodyAt = arena.count
        var reply = Batch.Reply(
            exchange: exchange, status: 200, headers: headersAt..<bodyAt, body: bodyAt..<bodyAt)
        var idAt: Int?
        if verdicts.isRefused {
            intake.metrics.count(Refusal.invalid)
            Refusal.invalid.appendBody(faults: examiner.judge.errors.bytes, to: &arena)
            reply = Batch.Reply(
                exchange: exchange, status: 422, headers: reply.headers, body: bodyAt..<arena.count)
        } else if found.waits {
            reply.waiter = task
            wait(found, task, decision, exchange, headers: arena[reply.headers], frame[begin..<frame.count])
        } else {
            let at = arena.append(examiner.answer(to: found, task: task, decision))
            if decision == nil { idAt = at }
            reply = Batch.Reply(
                exchange: exchange, status: 200, headers: reply.headers, body: bodyAt..<arena.count)
        }
        return (reply, idAt)
    }

    var batch: Batch {
        if let open { return open }
        let batch = idle.popLast() ?? makeBatch()
        open = batch
        return batch
    }

    /// While the spool has a batch's frame, nobody else holds the batch: it stays in `made`.
    private func makeBatch() -> Batch {
        let batch = Batch { [weak self] batch, result in
            guard let self else { return }
            lane.queue.async { self.finish(batch, result) }
        }
        made.append(batch)
        return batch
    }

    // MARK: - The way to the disk and back

    func endSweep() {
        examiner.rest()
        if underWay < Self.mostUnderWay { submit() }
    }

    /// A frame that grows on may be larger than a segment of the spool.
    func submitIfLarge() {
        if batch.frame.body.count > largeBatch { submit() }
    }

    private func submit() {
        guard let batch = open, !batch.isEmpty else { return }
        open = nil
        underWay += 1
        batch.seal(at: lane.now)
        intake.metrics.inFlight.add(batch.size)
        intake.parts.spool.submit(batch.frame)
    }

    /// The batch is on disk, or could not be written: now its requests are answered.
    private func finish(_ batch: Batch, _ result: Result<Void, SpoolError>) {
        dispatchPrecondition(condition: .onQueue(lane.queue))
        intake.metrics.inFlight.add(-batch.size)
        // Before the answers: whoever repeats a request at once is told, on any lane.
        if case .success = result {
            for id in batch.ids { intake.recent.insert(id) }
        }
        lane.answering {
            for reply in batch.replies {
                if case .failure(let error) = result {
                    fail(reply, batch, error)
                } else if let task = reply.waiter {
                    advance(task) { $0.isDurable = true }
                } else {
                    lane.respond(
                        reply.exchange, status: reply.status, headers: batch.arena[reply.headers],
                        body: batch.arena[reply.body])
                }
            }
        }
        batch.reset()
        idle.append(batch)
        underWay -= 1
        if underWay < Self.mostUnderWay { submit() }
    }

    private func fail(_ reply: Batch.Reply, _ batch: Batch, _ error: SpoolError) {
        if let task = reply.waiter { forget(task) }
        var refusal = Refusal.unavailable("the disk does not take it: send again", seconds: 2)
        // Alone it will never fit, so sending it again would be in vain.
        if case .tooLarge = error, batch.replies.count == 1 { refusal = .tooLarge }
        intake.metrics.count(refusal)
        headers.removeAll()
        body.removeAll()
        refusal.appendHeaders(to: &headers)
        headers.append(batch.arena[reply.headers])
        refusal.appendBody(faults: .empty, to: &body)
        lane.respond(reply.exchange, status: refusal.status, headers: headers.bytes, body: body.bytes)
    }
}
