import Foundations

extension Stepping {
    /// Late evidence is looked for so long after a journey has fired.
    private static let lateness = JourneyDefinition.day

    /// An event that may mean something to an enrolment: the goal first, then what ends it, then a repeated start.
    func follow(_ i: Int, _ rule: Rulebook.Rule, _ event: Occurrence) {
        let journey = rule.journey
        if let goal = journey.goal, let until = person.enrolments[i].goalUntil, event.time <= until,
            isBehind(i, event, back: goal.lookback),
            matches([goal.pattern], event, entry: person.enrolments[i].entry)
        {
            reachGoal(i, event)
        }
        noteLateEvidence(i, rule, event)
        guard person.enrolments[i].isRunning, isBehind(i, event, back: journey.unless?.lookback ?? 0) else {
            return
        }
        let entry = person.enrolments[i].entry
        switch person.enrolments[i].phase {
        case .awaiting:
            if let unless = journey.unless, isInTime(i, event, rule),
                matches(unless.patterns, event, entry: entry)
            {
                return leave(i, "disproved by \(event.label)", event: event.id)
            }
        case .waiting:
            if case .wait(_, let until, let then)? = step(i, rule), isBehind(i, event),
                isBehindWait(i, event), isInTime(i, event, rule),
                matches(until, event, entry: entry)
            {
                person.enrolments[i].due = nil
                person.enrolments[i].until = nil
                if then == .exit { return leave(i, "\(event.label) came while waiting", event: event.id) }
                advance(i, rule)
                return run(i, rule)
            }
        default: break
        }
        guard isBehind(i, event) else { return }
        if matches(journey.exit, event, entry: entry) {
            return leave(i, "exit by \(event.label)", event: event.id)
        }
        restart(i, rule, event)
    }

    /// Did it happen after the entry? Of the same instant, what arrived later is later.
    private func isBehind(_ i: Int, _ event: Occurrence, back: Int64 = 0) -> Bool {
        let start = person.enrolments[i].startedAt
        if event.id == person.enrolments[i].entry?.id { return false }
        return event.time >= start.adding(microseconds: -back)
    }

    /// Did it happen after the wait had begun? Of the same instant, what arrived later is later.
    private func isBehindWait(_ i: Int, _ event: Occurrence) -> Bool {
        event.time >= person.enrolments[i].base ?? person.enrolments[i].startedAt
    }

    /// Happened within the window, and received before it was decided. A journey that rests decides later.
    private func isInTime(_ i: Int, _ event: Occurrence, _ rule: Rulebook.Rule) -> Bool {
        guard let until = person.enrolments[i].until, let due = person.enrolments[i].due else { return false }
        return event.time <= until && (event.received <= due || rule.isResting)
    }

    /// Too late: it is recorded and counted, and nothing is unsent.
    private func noteLateEvidence(_ i: Int, _ rule: Rulebook.Rule, _ event: Occurrence) {
        let enrolment = person.enrolments[i]
        guard let unless = rule.journey.unless, let until = enrolment.firedUntil, !enrolment.isDisprovedLate,
            event.time <= until, isBehind(i, event, back: unless.lookback),
            matches(unless.patterns, event, entry: enrolment.entry)
        else { return }
        person.enrolments[i].isDisprovedLate = true
        decide(.disprovedLate, enrolment, "\(event.label) was told too late", event: event.id)
    }

    func reachGoal(_ i: Int, _ event: Occurrence) {
        person.enrolments[i].goalUntil = nil
        person.enrolments[i].goalReachedAt = event.time
        decide(.goal, person.enrolments[i], event.label, event: event.id)
    }

    /// A repeated start with the same key starts the time anew and replaces the entry; one that no longer meets the
    /// condition ends the wait.
    private func restart(_ i: Int, _ rule: Rulebook.Rule, _ event: Occurrence) {
        let journey = rule.journey
        guard person.enrolments[i].phase == .awaiting, let window = person.enrolments[i].until,
            event.time <= window, let unless = journey.unless, case .event(let pattern) = journey.trigger,
            isRepeat(event, of: person.enrolments[i], journey)
        else { return }
        guard matches([pattern], event, entry: event) else {
            return leave(i, "\(event.label) no longer meets the condition", event: event.id)
        }
        let until = event.time.adding(microseconds: unless.within)
        person.enrolments[i].entry = event
        person.enrolments[i].startedAt = event.time
        person.enrolments[i].until = until
        person.enrolments[i].due = max(until, moment.clock).adding(microseconds: unless.grace)
        if person.enrolments[i].goalReachedAt == nil {
            person.enrolments[i].goalUntil = journey.goal.map { event.time.adding(microseconds: $0.within) }
        }
        decide(.restarted, person.enrolments[i], "", event: event.id)
        lookBack(i, rule)
        // What ended it would end at once what the same event starts.
        if !person.enrolments[i].isRunning { started.insert(journey.name) }
    }

    private func isRepeat(_ event: Occurrence, of enrolment: Enrolment, _ journey: JourneyDefinition) -> Bool
    {
        guard journey.unless?.restarts == true, case .event(let pattern) = journey.trigger,
            pattern.activities.contains(event.activity)
        else { return false }
        return key(journey, facts(event: event, entry: event)) == enrolment.key
    }

    /// A repeat behind a window that is over waits for its decision: when that is due; nil: there is none to wait for.
    func decision(before event: Occurrence, _ journey: String) -> Timestamp? {
        person.enrolments.compactMap { enrolment -> Timestamp? in
            guard enrolment.journey == journey, enrolment.phase == .awaiting, let due = enrolment.due,
                let until = enrolment.until, until < event.time, !isHalted(enrolment),
                let rule = rules.rule(journey, enrolment.version)
            else { return nil }
            return isRepeat(event, of: enrolment, rule.journey) ? due : nil
        }.max()
    }

    /// The end of an enrolment. Its entry is kept as long as the goal or late evidence may ask for it.
    func leave(_ i: Int, _ reason: String, event: UUID? = nil) {
        person.enrolments[i].phase = .ended
        person.enrolments[i].due = nil
        person.enrolments[i].until = nil
        person.enrolments[i].base = nil
        person.enrolments[i].endedAt = moment.clock
        person.enrolments[i].reason = reason
        let late = person.enrolments[i].firedUntil
        let open = [person.enrolments[i].goalUntil, late].compactMap { $0 }.max()
        if let open, open.adding(microseconds: Self.lateness) > moment.clock {
            person.enrolments[i].openUntil = open.adding(microseconds: Self.lateness)
        } else {
            person.enrolments[i].entry = nil
        }
        decide(.left, person.enrolments[i], reason, event: event)
    }
}
