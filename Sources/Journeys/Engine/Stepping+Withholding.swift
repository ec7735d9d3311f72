import Foundations

extension Stepping {
    /// Keeps a journey from something, and hands over what is needed to let it do so later.
    func withhold(_ journey: String, _ cause: Withheld.Cause) {
        emit(.withheld(Withheld(journey: journey, cause: cause, clock: moment.clock)))
    }

    /// A timer is due that must not be decided: the enrolment ends, so that it stands in nobody's way, and can be
    /// taken up again. What waited for the decision is withheld as well.
    func withholdTimer(_ i: Int) {
        let (before, now) = (person.enrolments[i], moment)
        withhold(before.journey, .timer(before))
        leave(i, "what it did was refused, and is in the quarantine")
        for parked in person.memory.parked where parked.journey == before.journey {
            moment.clock = parked.clock
            switch parked.cause {
            case .event(let occurrence): withhold(parked.journey, .event(occurrence))
            case .entered(let time, _): withhold(parked.journey, .entered(time))
            }
        }
        person.memory.parked.removeAll { $0.journey == before.journey }
        moment = now
    }

    /// Lets a journey do what it was kept from: at the moment of then, or, if the journey was mended since, with the
    /// version of now at the moment of now. Whether it is too old to start something is judged as of then.
    func resume(_ withheld: Withheld, at later: Timestamp?) {
        let clock = later ?? withheld.clock
        withholding.remove(withheld.journey)
        switch withheld.cause {
        case .event(let occurrence):
            moment = Moment(time: occurrence.time, clock: clock, arrived: occurrence.received)
            if withheld.journey.isEmpty { return event(occurrence, nil) }
            resume(withheld.journey, occurrence, isLater: later != nil)
        case .entered(let time):
            moment = Moment(time: time, clock: clock, arrived: withheld.clock)
            if let rule = rules.current(withheld.journey) { enter(rule) }
        case .timer(let before):
            moment = Moment(time: before.due ?? clock, clock: clock, arrived: withheld.clock)
            resume(before, isLater: later != nil)
        }
    }

    private func resume(_ journey: String, _ occurrence: Occurrence, isLater: Bool) {
        current = occurrence
        let listeners = rules.listeners(to: occurrence.activity)
        guard let interest = listeners?.interests.first(where: { $0.journey == journey }) else { return }
        if parksUndecided(journey, occurrence) { return }
        if isLater {
            for i in person.enrolments.indices where person.enrolments[i].journey == journey { renew(i) }
        }
        react(interest, occurrence)
    }

    private func resume(_ before: Enrolment, isLater: Bool) {
        guard let due = before.due,
            let i = person.enrolments.firstIndex(where: { $0.id == before.id && !$0.isRunning })
        else { return }
        let ended = person.enrolments[i]
        person.enrolments[i] = before
        person.enrolments[i].subject = person.subject
        if ended.goalReachedAt != nil {
            (person.enrolments[i].goalUntil, person.enrolments[i].goalReachedAt) = (nil, ended.goalReachedAt)
        }
        if isLater { renew(i) }
        guard let rule = rules.rule(before.journey, person.enrolments[i].version) else { return }
        decideTimer(i, rule, due: due)
    }

    /// A running enrolment goes on with the version of now, if that has the step at which it stands.
    private func renew(_ i: Int) {
        let before = person.enrolments[i].version
        guard person.enrolments[i].isRunning, let rule = rules.current(person.enrolments[i].journey),
            rule.version != before, step(i, rule) != nil
        else { return }
        person.enrolments[i].version = rule.version
    }
}
