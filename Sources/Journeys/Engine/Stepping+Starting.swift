import Foundations
import Payload
@_spi(_Unicode) import Swift

extension Stepping {
    /// An event that may start a journey, or complete what does.
    func start(_ rule: Rulebook.Rule, _ occurrence: Occurrence) {
        switch rule.journey.trigger {
        case .event(let pattern):
            if matches([pattern], occurrence, entry: occurrence) { begin(rule, entry: occurrence) }
        case .all(let patterns, let within):
            combine(
                rule, patterns, EvidenceMatcher(parts: patterns.count, within: within, isSequence: false),
                occurrence)
        case .sequence(let patterns, let within):
            combine(
                rule, patterns, EvidenceMatcher(parts: patterns.count, within: within, isSequence: true),
                occurrence)
        case .segment, .score: break
        }
    }

    /// Keeps a part of a combination, and starts the journey when it is whole: matched parts are used up.
    private func combine(
        _ rule: Rulebook.Rule, _ patterns: [JourneyDefinition.EventPattern], _ matcher: EvidenceMatcher,
        _ occurrence: Occurrence
    ) {
        let parts = patterns.indices.filter { matches([patterns[$0]], occurrence, entry: occurrence) }
        guard !parts.isEmpty else { return }
        let name = rule.journey.name
        var kept = person.memory.evidence[name] ?? []
        // Behind all of the same time: they arrived before it.
        let at = kept.firstIndex { $0.time > occurrence.time } ?? kept.count
        kept.insert(Memory.Evidence(parts: parts, time: occurrence.time, id: occurrence.id), at: at)
        if let chosen = matcher.match(kept, latest: at), begin(rule, entry: occurrence) {
            kept = kept.indices.filter { !chosen.contains($0) }.map { kept[$0] }
        }
        let trimmed = trim(kept, rule.journey, within: matcher.within)
        person.memory.evidence[name] = trimmed.isEmpty ? nil : trimmed
    }

    /// What is older than the window behind the newest can be completed only by events that come more than a day
    /// late, and later than what starts the journey; of each part the latest hundred are kept.
    private func trim(
        _ evidence: [Memory.Evidence], _ journey: JourneyDefinition, within: Int64
    ) -> [Memory.Evidence] {
        guard let newest = evidence.last?.time else { return [] }
        let oldest = newest.adding(microseconds: -within - max(JourneyDefinition.day, journey.startWithin))
        return Array(evidence.drop { $0.time < oldest }.suffix(1600))
    }

    /// Enrols the person if nothing forbids it.
    @discardableResult
    func begin(_ rule: Rulebook.Rule, entry: Occurrence?) -> Bool {
        let journey = rule.journey
        guard rule.state == .live || rule.state == .shadow, !started.contains(journey.name) else {
            return false
        }
        let arrived = moment.arrived ?? moment.clock
        guard arrived.microseconds - moment.time.microseconds <= journey.startWithin else {
            return false
        }
        let facts = facts(event: entry, entry: entry)
        if let who = journey.who, Evaluator(facts: facts).flag(who) != true { return false }
        guard let key = key(journey, facts), let n = nextNumber(journey, key) else { return false }
        var enrolment = Enrolment(
            id: NameBasedID.enrolment(journey.name, person.subject, key: key, n: n), journey: journey.name,
            version: rule.version, subject: person.subject, key: key, n: n, startedAt: moment.time,
            enrolledAt: moment.clock, entry: entry)
        let before = person.enrolments.filter { $0.journey == journey.name && $0.key == key }
            .map(\.latestStart).max()
        if let before, before > moment.time { enrolment.lastStart = before }
        enrolment.isControl =
            NameBasedID.share("control", journey.name, "\(person.subject.id)") < journey.control
        enrolment.isShadow = rule.state == .shadow
        enrolment.goalUntil = journey.goal.map { moment.time.adding(microseconds: $0.within) }
        let i = person.enrolments.count
        person.enrolments.append(enrolment)
        decide(.enrolled, enrolment, enrolment.isControl ? "held out as control" : "", event: entry?.id)
        lookBack(i, rule)
        if person.enrolments[i].isRunning { arm(i, rule) }
        return true
    }

    /// Nil: the expression is unknown, so that nobody can say which one it would be.
    func key(_ journey: JourneyDefinition, _ facts: Facts) -> String? {
        guard let expression = journey.key else { return "" }
        return Self.key(expression, facts)
    }

    static func key(_ expression: Expression, _ facts: Facts) -> String? {
        defer { withExtendedLifetime(facts) {} }
        let value = Evaluator(facts: facts).value(expression)
        if value.isUnknown { return nil }
        var buffer = ByteBuffer(capacity: 64)
        value.append(to: &buffer)
        // A column of an index: what is longer than any key is named by its hash.
        let text = composed(buffer.bytes.text)
        return text.utf8.count <= 256 ? text : Canonical.hash(Array(text.utf8))
    }

    /// Unicode's form C: the database compares bytes, and texts that look the same are one key.
    private static func composed(_ text: String) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text._nfc { scalars.append(scalar) }
        return String(scalars)
    }

    /// The next `n`, if the journey may be entered again now; nil: it may not.
    private func nextNumber(_ journey: JourneyDefinition, _ key: String) -> Int? {
        if let last = history.last(journey.name, key: key) { learn(last) }
        let earlier = person.enrolments.filter { $0.journey == journey.name && $0.key == key }
        guard let last = earlier.map(\.n).max() else { return 1 }
        let reentry = journey.reentry
        if reentry.mode == .once { return nil }
        if reentry.mode != .always, earlier.contains(where: \.isRunning) { return nil }
        if let most = reentry.most, last >= most { return nil }
        if let every = reentry.every, let start = earlier.map(\.latestStart).max(),
            abs(moment.time.microseconds - start.microseconds) < every
        {
            return nil
        }
        return last + 1
    }

    /// Begins the time of `unless`, or the steps.
    private func arm(_ i: Int, _ rule: Rulebook.Rule) {
        guard let unless = rule.journey.unless else { return run(i, rule) }
        let until = moment.time.adding(microseconds: unless.within)
        person.enrolments[i].phase = .awaiting
        person.enrolments[i].until = until
        person.enrolments[i].due = max(until, moment.clock).adding(microseconds: unless.grace)
    }

    /// What is known already of events that follow a late entry, and of those before it that `lookback` lets in.
    func lookBack(_ i: Int, _ rule: Rulebook.Rule) {
        let journey = rule.journey
        let start = person.enrolments[i].startedAt
        let entry = person.enrolments[i].entry
        if let goal = journey.goal, person.enrolments[i].goalReachedAt == nil {
            let found = find(
                [goal.pattern], from: start, back: goal.lookback,
                until: start.adding(microseconds: goal.within), entry)
            if let found { reachGoal(i, found) }
        }
        if let unless = journey.unless {
            let until = start.adding(microseconds: unless.within)
            let due = max(until, moment.clock).adding(microseconds: unless.grace)
            if let found = find(
                unless.patterns, from: start, back: unless.lookback, until: until, entry, receivedBy: due)
            {
                return leave(i, "disproved by \(found.label)", event: found.id)
            }
        }
        if !journey.exit.isEmpty, let found = find(journey.exit, from: start, back: 0, until: nil, entry) {
            leave(i, "exit by \(found.label)", event: found.id)
        }
    }

    /// A stepped event that matches in `(from − back, until]`; without looking back, later ones only.
    func find(
        _ patterns: [JourneyDefinition.EventPattern], from: Timestamp, back: Int64, until: Timestamp?,
        _ entry: Occurrence?, receivedBy: Timestamp? = nil
    ) -> Occurrence? {
        let after = back > 0 ? from.adding(microseconds: -back - 1) : from
        let through = until ?? Timestamp(microseconds: .max)
        for activity in Set(patterns.flatMap(\.activities)).sorted() {
            var found: Occurrence?
            history.visit(activity, after: after, through: through) { event in
                let isKnown = receivedBy.map { event.received <= $0 } ?? true
                if event.id == entry?.id || !isKnown || !matches(patterns, event, entry: entry) {
                    return true
                }
                found = event
                return false
            }
            if let found { return found }
        }
        return nil
    }
}
