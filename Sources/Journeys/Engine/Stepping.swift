import Foundations
import Payload

/// One step of one person while it is worked out.
final class Stepping {
    /// In event time and in server time.
    struct Moment {
        var time: Timestamp
        var clock: Timestamp
    }

    let rules: Rulebook
    private(set) var history: any History { didSet { lately = nil } }
    var person: Person
    var moment = Moment(time: Timestamp(microseconds: 0), clock: Timestamp(microseconds: 0))
    /// The event of the input: `did` sees it, a baseline must not.
    var current: Occurrence?
    /// Journeys that must do nothing.
    var withholding: Set<String>
    /// When that came which is let through only now; nil: now.
    var arrived: Timestamp?
    private var before: Person
    private var effects: [Effect] = []
    /// Texts that were scanned already: conditions of many journeys look at one event.
    private var readings: [UUID: Reading] = [:]
    private var attributes: (text: [UInt8], reading: Reading)?
    /// What conditions looked at lately.
    private var lately: (event: UUID?, entry: UUID?, facts: Facts)?

    init(rules: Rulebook, person: Person, history: any History, withholding: Set<String> = []) {
        (self.rules, self.person, self.history) = (rules, person, history)
        self.withholding = withholding
        before = person
    }

    func take(_ input: Input) {
        switch input {
        case .event(let occurrence, let attributesBefore, let seen):
            moment = Moment(
                time: occurrence.time, clock: max(occurrence.received, seen ?? occurrence.received))
            event(occurrence, attributesBefore)
        case .attributes(let attributesBefore, let at):
            moment = Moment(time: at, clock: at)
            reviewDue(before: at)
            if rules.watchesAttributes {
                prepareBaselines(attributesBefore, nil)
                review()
            }
        case .timer(let id, let due): timer(id, due)
        case .review(let due): if person.memory.review == due { reviewNow(due) }
        case .resumed(let withheld, let later): resume(withheld, at: later)
        }
        // What a `set` step changed may start something in turn; a circle ends after some rounds.
        var rounds = 0
        while let attributes = changedAttributes, rounds < 8 {
            changedAttributes = nil
            rounds += 1
            prepareBaselines(attributes, nil)
            review()
        }
    }

    /// The attributes before the first `set` that is not reviewed yet.
    var changedAttributes: [UInt8]?

    // MARK: Inputs

    func event(_ occurrence: Occurrence, _ attributesBefore: [UInt8]?) {
        reviewDue(before: moment.clock)
        current = occurrence
        let listeners = rules.listeners(to: occurrence.activity)
        for interest in listeners?.interests ?? [] {
            if withholding.contains(interest.journey) {
                withhold(interest.journey, .event(occurrence))
            } else if isUndecided(interest.journey) {
                park(interest.journey, .event(occurrence))
            } else {
                react(interest, occurrence)
            }
        }
        let isReviewed = listeners?.isReviewed == true || attributesBefore != nil && rules.watchesAttributes
        if isReviewed { prepareBaselines(attributesBefore, occurrence) }
        for score in listeners?.scores ?? [] { count(occurrence, score) }
        if isReviewed { review() }
    }

    func react(_ interest: Rulebook.Interest, _ occurrence: Occurrence) {
        for i in person.enrolments.indices
        where person.enrolments[i].journey == interest.journey {
            let enrolment = person.enrolments[i]
            guard enrolment.isOpen(at: moment.clock),
                let rule = rules.rule(enrolment.journey, enrolment.version)
            else { continue }
            follow(i, rule, occurrence)
        }
        if let start = interest.start, mayStart(interest, occurrence) {
            self.start(rules.rules[start], occurrence)
        }
    }

    private func mayStart(_ interest: Rulebook.Interest, _ occurrence: Occurrence) -> Bool {
        guard let tests = interest.tests else { return true }
        return tests.contains { isTrue($0, event: occurrence, entry: occurrence) }
    }

    private func timer(_ id: UUID, _ due: Timestamp) {
        guard let i = person.enrolments.firstIndex(where: { $0.id == id }), person.enrolments[i].due == due,
            let rule = rules.rule(person.enrolments[i].journey, person.enrolments[i].version),
            rule.state != .paused, rule.state != .draft
        else { return }
        reviewDue(before: due)
        moment = Moment(time: due, clock: due)
        if withholding.contains(rule.journey.name) { return withholdTimer(i) }
        decideTimer(i, rule, due: due)
    }

    /// Whenever it is looked at, it knows what was known when it was due.
    func decideTimer(_ i: Int, _ rule: Rulebook.Rule, due: Timestamp) {
        let whole = history
        history = Horizon(history: whole, received: due)
        person.enrolments[i].due = nil
        switch person.enrolments[i].phase {
        case .awaiting:
            person.enrolments[i].firedUntil = person.enrolments[i].until
            person.enrolments[i].until = nil
            run(i, rule)
        case .waiting:
            person.enrolments[i].until = nil
            advance(i, rule)
            run(i, rule)
        case .held: run(i, rule)
        case .ended: break
        }
        history = whole
        unpark(rule.journey.name)
    }

    // MARK: What came while a timer was undecided

    /// Is a timer of the journey due before now, and not decided? A paused journey's timers wait for the journey.
    func isUndecided(_ journey: String) -> Bool {
        person.enrolments.contains { enrolment in
            guard enrolment.journey == journey, let due = enrolment.due, due < moment.clock else {
                return false
            }
            let state = rules.rule(journey, enrolment.version)?.state
            return state != .paused && state != .draft
        }
    }

    func park(_ journey: String, _ cause: Memory.Parked.Cause) {
        guard person.memory.parked.count < Memory.mostParked else { return passBy(journey) }
        person.memory.parked.append(
            Memory.Parked(journey: journey, cause: cause, clock: moment.clock, step: current?.step ?? 0))
    }

    /// So many events in the time that a server lags are no person's; but whoever asks is told.
    private func passBy(_ journey: String) {
        let waiting = person.enrolments.first {
            $0.journey == journey && $0.due.map { $0 < moment.clock } ?? false
        }
        guard let waiting else { return }
        decide(
            .passedBy, waiting, "\(Memory.mostParked) wait for a timer's decision already", event: current?.id
        )
    }

    private func unpark(_ journey: String) {
        let (now, whole) = (moment, history)
        let waiting = person.memory.parked.filter { $0.journey == journey }
        person.memory.parked.removeAll { $0.journey == journey }
        for parked in waiting {
            moment.clock = parked.clock
            // As it was when it came.
            history = parked.step > 0 ? Horizon(history: whole, step: parked.step) : whole
            switch parked.cause {
            case .event(let occurrence):
                moment.time = occurrence.time
                current = occurrence
                guard !isUndecided(journey) else { park(journey, parked.cause); continue }
                let listeners = rules.listeners(to: occurrence.activity)
                if let interest = listeners?.interests.first(where: { $0.journey == journey }) {
                    react(interest, occurrence)
                }
            case .entered(let time, _):
                moment.time = time
                guard !isUndecided(journey) else { park(journey, parked.cause); continue }
                if let rule = rules.current(journey) { begin(rule, entry: nil) }
            }
        }
        (moment, history) = (now, whole)
    }

    // MARK: Facts

    /// For conditions on an event, with the entry of an enrolment.
    func facts(event: Occurrence?, entry: Occurrence?) -> Facts {
        Facts(
            event: event.map(reading), entry: entry.map(reading), attributes: attributesReading,
            now: moment.clock,
            time: moment.time, zone: rules.zone, history: history,
            segments: { [rules] in rules.segments[$0]?.condition },
            score: { [unowned self] name in self.scoreValue(name) })
    }

    private func reading(_ occurrence: Occurrence) -> Reading {
        if let reading = readings[occurrence.id] { return reading }
        let reading = Reading(occurrence)
        readings[occurrence.id] = reading
        return reading
    }

    private var attributesReading: Reading? {
        if person.attributes.isEmpty { return nil }
        if let attributes, attributes.text == person.attributes { return attributes.reading }
        let reading = Reading(person.attributes)
        attributes = (person.attributes, reading)
        return reading
    }

    func isTrue(_ condition: Expression?, event: Occurrence?, entry: Occurrence?) -> Bool {
        guard let condition else { return true }
        return Evaluator(facts: sharedFacts(event, entry)).flag(condition) == true
    }

    /// Conditions of many journeys look at the same event, person and moment.
    private func sharedFacts(_ event: Occurrence?, _ entry: Occurrence?) -> Facts {
        if let lately, lately.event == event?.id, lately.entry == entry?.id,
            lately.facts.now == moment.clock, lately.facts.time == moment.time,
            lately.facts.attributes === attributesReading
        {
            return lately.facts
        }
        let facts = facts(event: event, entry: entry)
        lately = (event?.id, entry?.id, facts)
        return facts
    }

    func matches(
        _ patterns: [JourneyDefinition.EventPattern], _ event: Occurrence, entry: Occurrence?
    ) -> Bool {
        patterns.contains {
            $0.activities.contains(event.activity) && isTrue($0.condition, event: event, entry: entry)
        }
    }

    /// An enrolment that the person was not loaded with: it counts from now on, and has not changed.
    func learn(_ enrolment: Enrolment) {
        guard !person.enrolments.contains(where: { $0.id == enrolment.id }) else { return }
        person.enrolments.append(enrolment)
        before.enrolments.append(enrolment)
    }

    // MARK: Effects

    func emit(_ effect: Effect) { effects.append(effect) }

    func decide(_ kind: Decision.Kind, _ enrolment: Enrolment, _ detail: String, event: UUID? = nil) {
        emit(
            .decided(
                Decision(
                    kind: kind, journey: enrolment.journey, version: enrolment.version,
                    enrolment: enrolment.id,
                    subject: enrolment.subject, at: moment.clock, detail: detail, event: event)))
    }

    /// Rows first, so that what refers to them finds them.
    func finish() -> [Effect] {
        let known = Dictionary(before.enrolments.map { ($0.id, $0) }) { a, _ in a }
        var rows: [Effect] = []
        for enrolment in person.enrolments {
            guard let old = known[enrolment.id] else {
                rows.append(.enrol(enrolment))
                continue
            }
            if old != enrolment { rows.append(.update(enrolment)) }
        }
        if person.memory != before.memory { rows.append(.remember(person.memory)) }
        return rows + effects
    }
}
