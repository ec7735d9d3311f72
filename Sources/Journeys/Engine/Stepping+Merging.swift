import Foundations

/// Two profiles are one: looks for what one of them did that the other's journeys waited for.
extension Stepping {
    func merged(_ union: Union) {
        moment = Moment(time: union.at, clock: union.at)
        for i in person.enrolments.indices where person.enrolments[i].isOpen(at: union.at) {
            let enrolment = person.enrolments[i]
            guard !withholding.contains(enrolment.journey),
                let rule = rules.rule(enrolment.journey, enrolment.version)
            else { continue }
            lookAround(i, rule)
        }
        for journey in person.memory.evidence.keys.sorted() where !withholding.contains(journey) {
            if let rule = rules.current(journey) { complete(rule, union) }
        }
        enterTogether(union)
    }

    /// What would have meant something to an enrolment, had the person been one from the beginning. What was due before
    /// the two were one is decided as it was then.
    private func lookAround(_ i: Int, _ rule: Rulebook.Rule) {
        let (journey, enrolment) = (rule.journey, person.enrolments[i])
        let (start, entry) = (enrolment.startedAt, enrolment.entry)
        if let goal = journey.goal, let until = enrolment.goalUntil,
            let found = find([goal.pattern], from: start, back: goal.lookback, until: until, entry)
        {
            reachGoal(i, found)
        }
        if let unless = journey.unless, let until = enrolment.firedUntil, !enrolment.isDisprovedLate,
            let found = find(unless.patterns, from: start, back: unless.lookback, until: until, entry)
        {
            person.enrolments[i].isDisprovedLate = true
            decide(.disprovedLate, enrolment, "\(found.label) was somebody else's until now", event: found.id)
        }
        guard enrolment.isRunning else { return }
        if let due = enrolment.due, due < moment.clock, !rule.isResting { return }
        if enrolment.phase == .awaiting, let unless = journey.unless,
            let found = find(
                unless.patterns, from: start, back: unless.lookback, until: enrolment.until, entry,
                receivedBy: enrolment.due)
        {
            return leave(i, "disproved by \(found.label)", event: found.id)
        }
        if enrolment.phase == .waiting, case .wait(_, let until, let then)? = step(i, rule),
            let found = find(
                until, from: enrolment.base ?? start, back: 0, until: enrolment.until, entry,
                receivedBy: enrolment.due)
        {
            person.enrolments[i].due = nil
            person.enrolments[i].until = nil
            if then == .exit { return leave(i, "\(found.label) came while waiting", event: found.id) }
            advance(i, rule)
            return run(i, rule)
        }
        if !journey.exit.isEmpty, let found = find(journey.exit, from: start, back: 0, until: nil, entry) {
            leave(i, "exit by \(found.label)", event: found.id)
        }
    }

    /// Combinations of which each had a part.
    private func complete(_ rule: Rulebook.Rule, _ union: Union) {
        let (patterns, matcher): ([JourneyDefinition.EventPattern], EvidenceMatcher)
        switch rule.journey.trigger {
        case .all(let parts, let within):
            patterns = parts
            matcher = EvidenceMatcher(parts: parts.count, within: within, isSequence: false)
        case .sequence(let parts, let within):
            patterns = parts
            matcher = EvidenceMatcher(parts: parts.count, within: within, isSequence: true)
        default: return
        }
        let name = rule.journey.name
        var at = 0
        while let kept = person.memory.evidence[name], at < kept.count {
            defer { at += 1 }
            guard let chosen = matcher.match(kept, latest: at), chosen.max() == at,
                Set(chosen.map { union.parts.contains(kept[$0].id) }).count == 2,
                let entry = event(kept[at], patterns)
            else { continue }
            let now = moment
            (moment.time, current) = (entry.time, entry)
            if begin(rule, entry: entry) {
                let left = kept.indices.filter { !chosen.contains($0) }.map { kept[$0] }
                person.memory.evidence[name] = left.isEmpty ? nil : left
                at -= chosen.count
            }
            (moment, current) = (now, nil)
        }
    }

    /// As it is stored; nil: it was not to be saved, or is not kept any more.
    private func event(
        _ evidence: Memory.Evidence, _ patterns: [JourneyDefinition.EventPattern]
    ) -> Occurrence? {
        var found: Occurrence?
        for activity in Set(patterns.flatMap(\.activities)).sorted() where found == nil {
            history.visit(activity, after: evidence.time.adding(microseconds: -1), through: evidence.time) {
                if $0.id == evidence.id { found = $0 }
                return found == nil
            }
        }
        return found
    }

    /// A band, or a segment, in which neither was. What attributes have a part in is reviewed with their change.
    private func enterTogether(_ union: Union) {
        var entered: [Int] = []
        for name in union.bands.keys.sorted() {
            guard let band = band(name, at: moment.time) else { continue }
            person.memory.scores[name]?.band = band
            if union.bands[name]?.contains(band) == false { entered += watchers(name, entering: band) }
        }
        let segments = person.memory.segments.keys.filter {
            rules.segmentWatchers[$0] != nil && !rules.watchedByAttributes.segments.contains($0)
        }
        entered += review(segments: segments.sorted())
        for i in entered.sorted() { enter(rules.rules[i]) }
    }
}
