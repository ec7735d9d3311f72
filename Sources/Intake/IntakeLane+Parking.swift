import Dispatch
import Foundations
import HTTP
import Identity
import Payload

/// Requests whose profile the database has to be asked for.
extension IntakeLane {
    /// As many may wait on a lane; the next ones are answered from the certificate, and the loader settles them.
    private static var mostParked: Int { 2048 }

    /// The number of a parking place, or nil when all are taken.
    func freePlace() -> Int? {
        if let place = freeParking.popLast() { return place }
        guard parking.count < Self.mostParked else { return nil }
        parking.append(Parked())
        return parking.count - 1
    }

    func park(
        _ found: Examiner.Case, _ sent: Identification.Sent, _ call: Call, _ exchange: Exchange,
        at place: Int, asking session: Bool, _ profile: UUID?
    ) {
        guard let lookups else { return }
        let parked = parking[place]
        let composed = compose(found, call, exchange, nil, &parked.submission, &parked.arena)
        parked.park(
            sent, composed.reply, idAt: composed.idAt, source: found.source,
            savesSession: found.envelope.savesSession, received: examiner.judge.verdicts.received,
            ids: examiner.judge.ids)
        intake.metrics.inFlight.add(parked.size)
        intake.parts.lookup.ask(
            session: session ? sent.session ?? .empty : .empty, profile: profile, ticket: place, for: lookups)
    }

    /// The database has spoken, or did not in time.
    func settle(_ answers: [LookupAnswer]) {
        dispatchPrecondition(condition: .onQueue(lane.queue))
        lane.answering {
            for answer in answers { settle(answer) }
            endSweep()
        }
    }

    private func settle(_ answer: LookupAnswer) {
        guard parking.indices.contains(answer.ticket), parking[answer.ticket].isWaiting else { return }
        let parked = parking[answer.ticket]
        guard let issuer = intake.parts.installation.issuer, let source = parked.source else { return }
        intake.metrics.inFlight.add(-parked.size)
        if !answer.settled { intake.metrics.unsettled.add() }
        // Another request of the session may have been answered in the meantime: then that holds.
        var session = answer.sessionProfile
        if session == nil, !parked.sent.isNewSession, let id = parked.sent.session {
            session = intake.parts.sessions.profile(ofSession: id, now: lane.now)
        }
        let decision = Identification(sent: parked.sent).decide(
            sessionProfile: session, profile: answer.profile, settled: answer.settled, issuer: issuer)
        if parked.savesSession { remember(parked.sent.session, decision) }
        unpark(parked, decision, source)
        freeParking.append(answer.ticket)
    }

    /// Moves the request into the open batch, with its profile.
    private func unpark(_ parked: Parked, _ decision: Identification.Decision, _ source: SourceEntry) {
        guard var reply = parked.reply else { return }
        let batch = self.batch
        let begin = batch.frame.body.count
        batch.frame.body.append(parked.submission.bytes)
        SubmissionWriter.patch(
            &batch.frame.body, at: begin, profile: decision.profile, basis: decision.basis,
            settled: decision.settled)
        let arenaAt = batch.arena.count
        batch.arena.append(parked.arena.bytes)
        if let idAt = parked.idAt, let profile = decision.profile {
            batch.arena.replace(id: profile, at: arenaAt + idAt)
        }
        if let task = reply.waiter { waiters[task]?.profile = decision.profile }
        reply.move(by: arenaAt)
        batch.add(reply, from: source, received: parked.received, ids: parked.ids)
        parked.release()
        submitIfLarge()
    }
}
