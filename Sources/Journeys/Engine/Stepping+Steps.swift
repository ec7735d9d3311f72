import ConfigurationFile
import Foundations
import Payload

extension Stepping {
    /// The step at a path; nil behind the last one.
    func step(_ i: Int, _ rule: Rulebook.Rule) -> JourneyDefinition.Step? {
        list(person.enrolments[i].path, rule).flatMap { steps in
            guard let at = person.enrolments[i].path.last, at < steps.count else { return nil }
            return steps[at]
        }
    }

    /// The steps among which a path ends.
    private func list(_ path: [Int], _ rule: Rulebook.Rule) -> [JourneyDefinition.Step]? {
        var steps = rule.journey.steps
        var at = 0
        while at + 2 < path.count {
            guard path[at] < steps.count else { return nil }
            switch steps[path[at]] {
            case .split(let branches) where path[at + 1] < branches.count:
                steps = branches[path[at + 1]].steps
            case .ab(let shares) where path[at + 1] < shares.count: steps = shares[path[at + 1]].steps
            default: return nil
            }
            at += 2
        }
        return steps
    }

    /// On to the next step; behind a branch's last one, to the one behind the branches.
    func advance(_ i: Int, _ rule: Rulebook.Rule) {
        var path = person.enrolments[i].path
        path[path.count - 1] += 1
        while path.count > 2, let steps = list(path, rule), path[path.count - 1] >= steps.count {
            path.removeLast(2)
            path[path.count - 1] += 1
        }
        person.enrolments[i].path = path
    }

    /// Takes steps until one has to be waited for, or none is left. Without loops there are few.
    func run(_ i: Int, _ rule: Rulebook.Rule) {
        while let step = step(i, rule) {
            switch step {
            case .webhook(let webhook, let params):
                guard deliver(i, rule, webhook, params) else { return }
                advance(i, rule)
            case .wait(let time, let until, let then):
                guard wait(i, rule, time, until, then) else { return }
                advance(i, rule)
            case .split(let branches):
                let entry = person.enrolments[i].entry
                let facts = facts(event: entry, entry: entry)
                let branch = branches.firstIndex { branch in
                    branch.condition.map { Evaluator(facts: facts).flag($0) == true } ?? true
                }
                enter(i, branch, rule)
            case .ab(let shares): enter(i, pick(i, shares), rule)
            case .set(let assignments):
                for assignment in assignments { set(i, rule, assignment) }
                advance(i, rule)
            case .exit(let why): return leave(i, why)
            }
        }
        leave(i, "done")
    }

    private func enter(_ i: Int, _ branch: Int?, _ rule: Rulebook.Rule) {
        if let branch {
            person.enrolments[i].path += [branch, 0]
            if step(i, rule) != nil { return }
            person.enrolments[i].path.removeLast(2)
        }
        advance(i, rule)
    }

    /// By a hash of journey, step and profile: the same person always takes the same branch.
    private func pick(_ i: Int, _ shares: [JourneyDefinition.Share]) -> Int? {
        let enrolment = person.enrolments[i]
        var draw = NameBasedID.share("ab", enrolment.journey, enrolment.step, "\(enrolment.subject.id)")
        for (branch, share) in shares.enumerated() {
            if draw < share.share { return branch }
            draw -= share.share
        }
        return nil
    }

    // MARK: Webhooks

    /// False: it is held, and waits for the hours.
    private func deliver(
        _ i: Int, _ rule: Rulebook.Rule, _ webhook: String, _ params: [JourneyDefinition.Param]
    ) -> Bool {
        let enrolment = person.enrolments[i]
        if enrolment.isControl {
            decide(.skipped, enrolment, "\(webhook): control")
            return true
        }
        if let hours = rule.journey.hours, let opening = hours.opening(at: callTime, zone: zone(hours)) {
            if hours.otherwise == .skip {
                decide(.skipped, enrolment, "\(webhook): outside of the hours")
                return true
            }
            person.enrolments[i].phase = .held
            person.enrolments[i].due = opening
            decide(.held, enrolment, "\(webhook): until \(opening.iso8601)")
            return false
        }
        let isSilent = isSilent(enrolment, rule)
        if let cap = rule.journey.cap, !take(cap, enrolment.journey, isSilent: isSilent) {
            decide(.skipped, enrolment, "\(webhook): more than \(cap.most) in \(cap.per.durationText)")
            return true
        }
        let facts = facts(event: enrolment.entry, entry: enrolment.entry)
        let delivery = Delivery(
            id: NameBasedID.delivery(enrolment.id, step: enrolment.step, visit: 1), webhook: webhook,
            enrolment: enrolment.id, journey: enrolment.journey, version: enrolment.version,
            subject: enrolment.subject, step: enrolment.step, visit: 1,
            params: params.map { ($0.name, $0.template.render(facts)) }, entry: enrolment.entry,
            at: moment.clock)
        if !isSilent { emit(.deliver(delivery)) }
        decide(.fired, enrolment, isSilent ? "\(webhook), shadow" : webhook, event: enrolment.entry?.id)
        return true
    }

    /// Who gets a call gets it now: what is decided long after its time, behind an outage or a pause, asks the hours of
    /// the present. A minute is no delay, so that live runs and backtests agree.
    private var callTime: Timestamp {
        guard let now, now.microseconds - moment.clock.microseconds > Self.delay else { return moment.clock }
        return now
    }

    private static let delay: Int64 = 60_000_000

    private func zone(_ hours: JourneyDefinition.Hours) -> Zone {
        switch hours.zone {
        case .named(let name): return rules.zone(name) ?? rules.zone
        case .profile:
            let facts = facts(event: nil, entry: nil)
            let name = facts.attribute(Name("timezone")).withText { $0.text }
            return name.flatMap { rules.zone($0) } ?? rules.zone
        }
    }

    /// In shadow, or begun in it: it decides, and nothing of it is seen outside.
    private func isSilent(_ enrolment: Enrolment, _ rule: Rulebook.Rule) -> Bool {
        enrolment.isShadow || rule.state == .shadow
    }

    /// Counts a delivery; false: it would be one too many. What was not sent is counted apart.
    private func take(_ cap: JourneyDefinition.Cap, _ name: String, isSilent: Bool) -> Bool {
        let journey = isSilent ? "\(name) in shadow" : name
        let after = moment.clock.adding(microseconds: -cap.per)
        var sent = (person.memory.sent[journey] ?? []).filter { $0 > after }
        guard sent.count < cap.most else { return false }
        sent.append(moment.clock)
        person.memory.sent[journey] = sent
        return true
    }

    // MARK: Waiting and setting

    /// True: what it waits for is known already, and the journey goes on; false: it waits, or has ended.
    private func wait(
        _ i: Int, _ rule: Rulebook.Rule, _ time: Int64, _ until: [JourneyDefinition.EventPattern],
        _ then: JourneyDefinition.Then
    ) -> Bool {
        let end = moment.time.adding(microseconds: time)
        // Begun by a late event: what it waits for may have come.
        if !until.isEmpty,
            let found = find(
                until, from: moment.time, back: 0, until: end, person.enrolments[i].entry,
                receivedBy: max(end, moment.clock))
        {
            if then == .continue { return true }
            leave(i, "\(found.label) came while waiting", event: found.id)
            return false
        }
        person.enrolments[i].phase = .waiting
        person.enrolments[i].base = moment.time
        person.enrolments[i].until = end
        person.enrolments[i].due = max(end, moment.clock)
        return false
    }

    /// What is unknown changes nothing.
    private func set(_ i: Int, _ rule: Rulebook.Rule, _ assignment: JourneyDefinition.Assignment) {
        let enrolment = person.enrolments[i]
        if enrolment.isControl || isSilent(enrolment, rule) { return }
        let facts = facts(event: enrolment.entry, entry: enrolment.entry)
        defer { withExtendedLifetime(facts) {} }
        let value = Evaluator(facts: facts).value(assignment.value)
        guard !value.isUnknown, person.subject.profile != nil else { return }
        var json = ByteBuffer(capacity: 64)
        value.appendJSON(to: &json)
        let changed = Attributes.setting(
            trait: assignment.name, to: Array(json.bytes), in: person.attributes)
        guard changed != person.attributes else { return }
        if changedAttributes == nil { changedAttributes = person.attributes }
        person.attributes = changed
        emit(.set(name: assignment.name, json: Array(json.bytes)))
    }
}
