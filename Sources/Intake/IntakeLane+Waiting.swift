import Foundations
import HTTP
import Identity
import Payload

/// Answers that wait until the events are in the database.
extension IntakeLane {
    /// How long, in milliseconds; then the answer is a 200 all the same, with the warning `pending`.
    private static var patience: Int { 2000 }

    func wait(
        _ found: Examiner.Case, _ task: UUID, _ decision: Identification.Decision?, _ exchange: Exchange,
        headers: Bytes, _ submission: Bytes
    ) {
        let waiter = Waiter(
            exchange: exchange, headers: Array(headers), task: task, session: found.session.map { Array($0) },
            errors: Array(examiner.judge.errors.bytes), warnings: Array(examiner.warnings.list.bytes),
            repeats: examiner.judge.repeats, submission: Array(submission),
            isDebugged: found.isDebugged, returnsProfile: found.returnsProfile,
            sentProfile: decision?.basis == .fixed ? Array(found.envelope.profile) : nil,
            profile: decision?.profile)
        waiters[task] = waiter
        intake.metrics.inFlight.add(waiter.size)
        intake.parts.receipts.expect(task: task) { [weak self] receipt in
            guard let self else { return }
            lane.queue.async { self.advance(task) { $0.receipt = receipt } }
        }
        lane.after(milliseconds: Self.patience) { [weak self] in
            self?.advance(task) { $0.isLate = true }
        }
    }

    /// Something happened to a waiting answer; when nothing is missing any more, it goes out.
    func advance(_ task: UUID, _ change: (inout Waiter) -> Void) {
        guard var waiter = waiters[task] else { return }
        change(&waiter)
        guard waiter.isReady else {
            waiters[task] = waiter
            return
        }
        if waiter.receipt == nil { intake.metrics.pending.add() }
        forget(task)
        var body = ByteBuffer(capacity: 2048)
        waiter.append(to: &body)
        waiter.headers.withUnsafeBytes {
            lane.respond(waiter.exchange, status: 200, headers: $0, body: body.bytes)
        }
    }

    func forget(_ task: UUID) {
        guard let waiter = waiters.removeValue(forKey: task) else { return }
        intake.metrics.inFlight.add(-waiter.size)
        intake.parts.receipts.forget(task: task)
    }
}
