import Foundations
import Payload

/// One step of one person while it is worked out.
final class Stepping {
    /// In event time and in server time.
    struct Moment {
        var time: Timestamp
        var clock: Timestamp
        /// When that came which is let through, or has got its person, only now; nil: now.
        var arrived: Timestamp?
    }

    /// A moment before the person's last step, by its time or by its number.
    enum Past {
        case known(Timestamp)
        case step(Int64)
    }

    let rules: Rulebook
    private(set) var history: any History { didSet { lately = nil } }
    var person: Person
    var moment = Moment(time: Timestamp(microseconds: 0), clock: Timestamp(microseconds: 0))
    /// The event of the input: `did` sees it, a baseline must not.
    var current: Occurrence?
    /// Journeys that must do nothing.
    var withholding: Set<String>
    /// The present of whoever steps; nil: that of the input.
    let now: Timestamp?
    /// What was known then is all that counts, though more may have come since.
    private(set) var past: Past?
    /// Journeys that the input may not start.
    var started: Set<String> = []
    /// It starts none at all, so that it means nothing to journeys that the person is not in.
    private var startsNothing = false
    private var before: Person
    private var effects: [Effect] = []
    /// Texts that were scanned already: conditions of many journeys look at one event.
    private var readings: [UUID: Reading] = [:]
    private var attributes: (text: [UInt8], reading: Reading)?
    /// What conditions looked at lately.
    private var lately: (event: UUID?, entry: UUID?, facts: Facts)?

    init(
        rules: Rulebook, person: Person, history: any History, withholding: Set<String> = [],
        now: Timestamp? = nil
    ) {
        (self.rules, self.person, self.history) = (rules, person, history)
        (self.withholding, self.now) = (withholding, now)
        before = person
    }

    func take(_ input: Input) {
        switch input {
        case .event(let occurrence, let attributesBefore, let started):
            moment = Moment(
                time: occurrence.time, clock: occurrence.known, arrived: occurrence.received)
            (self.started, startsNothing) = (started ?? [], started == nil)
            event(occurrence, attributesBefore)
        case .attributes(let attributesBefore, let at):
            moment = Moment(time: at, clock: at)
            reviewDue(before: at, of: rules.watchedByAttributes.segments)
            if rules.watchesAttributes {
                prepareBaselines(rules.watchedByAttributes, attributesBefore, nil)
                review(rules.watchedByAttributes)
            }
        case .timer(let id, let due): timer(id, due)
        case .review(let due): if person.memory.review == due { reviewNow(due) }
        case .merged(let union): merged(union)
        case .resumed(let withheld, let later): resume(withheld, at: later)
        }
        releaseParked()
        // What a `set` step changed may start something in turn; a circle ends after some rounds.
        var rounds = 0
        while let attributes = changedAttributes, rounds < 8 {
            changedAttributes = nil
            rounds += 1
            var whole: (any History)?
            if case .timer(_, let due) = input { whole = look(backTo: .known(due)) }
            prepareBaselines(rules.watchedByAttributes, attributes, nil)
            review(rules.watchedByAttributes)
            if let whole { lookAtAll(of: whole) }
        }
    }

    /// The attributes before the first `set` that is not reviewed yet.
    var changedAttributes: [UInt8]?

    // MARK: Inputs

    func event(_ occurrence: Occurrence, _ attributesBefore: [UInt8]?) {
        let listeners = rules.listeners(to: occurrence.activity)
        var reviewed = listeners?.reviewed ?? Rulebook.Watched()
        if attributesBefore != nil { reviewed = reviewed.union(rules.watchedByAttributes) }
        reviewDue(before: moment.clock, of: reviewed.segments)
        current = occurrence
        if !reviewed.isEmpty { prepareBaselines(reviewed, attributesBefore, occurrence) }
        // Before anybody reacts: whoever asks for points is told those with the event.
        for score in listeners?.scores ?? [] { count(occurrence, score) }
        // What a reaction sets is reviewed by itself, later.
        let attributes = person.attributes
        for interest in listeners?.interests ?? [] {
            if startsNothing, !person.enrolments.contains(where: { $0.journey == interest.journey }) {
                continue
            }
            if withholding.contains(interest.journey) {
                withhold(interest.journey, .event(occurrence))
            } else if !parksUndecided(interest.journey, occurrence) {
                react(interest, occurrence)
            }
        }
        if !reviewed.isEmpty { review(reviewed, attributes) }
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
        if let start = interest.start, !startsNothing, mayStart(interest, occurrence) {
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
            !rule.isResting
        else { return }
        decideEarlier(than: due, id, rule.journey.name)
        // What waited for those may have ended it.
        guard person.enrolments[i].due == due else { return }
        reviewDue(before: due)
        moment = Moment(time: due, clock: due)
        if withholding.contains(rule.journey.name) { return withholdTimer(i) }
        decideTimer(i, rule, due: due)
    }

    /// Whenever it is looked at, it knows what was known when it was due.
    func decideTimer(_ i: Int, _ rule: Rulebook.Rule, due: Timestamp) {
        let whole = look(backTo: .known(due))
        person.enrolments[i].due = nil
        // What follows begins where the time was up, however late that was certain.
        moment.time = person.enrolments[i].until ?? due
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
        lookAtAll(of: whole)
        unpark(rule.journey.name)
    }

    /// Returns the whole history, to be put back.
    func look(backTo past: Past) -> any History {
        let whole = history
        self.past = past
        switch past {
        case .known(let moment): history = Horizon(history: whole, known: moment)
        case .step(let step): history = Horizon(history: whole, step: step)
        }
        return whole
    }

    func lookAtAll(of history: any History) { (self.history, past) = (history, nil) }

    /// Timers of the journey that were due before, or at the same moment: they come first, whoever looks at them when.
    private func decideEarlier(than due: Timestamp, _ id: UUID, _ journey: String) {
        for _ in 0..<256 {
            let earlier = person.enrolments.filter { enrolment in
                guard enrolment.journey == journey, enrolment.id != id, let other = enrolment.due,
                    (other, enrolment.id) < (due, id)
                else { return false }
                return !isHalted(enrolment)
            }
            let next = earlier.min { ($0.due ?? due, $0.id) < ($1.due ?? due, $1.id) }
            guard let next, let when = next.due else { return }
            timer(next.id, when)
        }
    }

    /// Do its timers wait for the journey to go on?
    func isHalted(_ enrolment: Enrolment) -> Bool {
        rules.rule(enrolment.journey, enrolment.version)?.isResting ?? true
    }

    // MARK: What came while a timer was undecided

    /// Is a timer of the journey due before now, and not decided? A paused journey's timers wait for the journey.
    func isUndecided(_ journey: String) -> Bool {
        person.enrolments.contains { enrolment in
            guard enrolment.journey == journey, let due = enrolment.due, due < moment.clock else {
                return false
            }
            return !isHalted(enrolment)
        }
    }

    /// Parks an event that has to wait for a decision; false: it need not.
    func parksUndecided(_ journey: String, _ occurrence: Occurrence, again: Memory.Parked? = nil) -> Bool {
        let isUndecided = isUndecided(journey)
        let sees = isUndecided ? nil : decision(before: occurrence, journey)
        guard isUndecided || sees != nil else { return false }
        park(journey, .event(occurrence), again: again, sees: sees)
        return true
    }

    func park(
        _ journey: String, _ cause: Memory.Parked.Cause, again: Memory.Parked? = nil, sees: Timestamp? = nil
    ) {
        guard person.memory.parked.count < Memory.mostParked else { return passBy(journey) }
        person.memory.parked.append(
            Memory.Parked(
                journey: journey, cause: cause, clock: moment.clock, step: again?.step ?? current?.step ?? 0,
                startsNothing: again?.startsNothing ?? (startsNothing || started.contains(journey)),
                sees: [again?.sees, sees].compactMap { $0 }.max()))
    }

    /// So many events in the time that a server lags are no person's; but whoever asks is told.
    private func passBy(_ journey: String) {
        let timers = person.enrolments.filter { $0.journey == journey && $0.due != nil }
        let waiting = timers.first { $0.due.map { $0 < moment.clock } ?? false } ?? timers.first
        guard let waiting else { return }
        decide(
            .passedBy, waiting, "\(Memory.mostParked) wait for a timer's decision already", event: current?.id
        )
    }

    func unpark(_ journey: String) {
        let (now, before) = (moment, (started, startsNothing))
        startsNothing = false
        let waiting = person.memory.parked.filter { $0.journey == journey }
        person.memory.parked.removeAll { $0.journey == journey }
        for parked in waiting {
            moment.clock = parked.clock
            started = parked.startsNothing ? [journey] : []
            // As it was when it came.
            let past: Past = parked.step > 0 ? .step(parked.step) : .known(parked.clock)
            let whole = look(backTo: parked.sees.map { .known(max($0, parked.clock)) } ?? past)
            defer { lookAtAll(of: whole) }
            switch parked.cause {
            case .event(let occurrence):
                (moment.time, moment.arrived) = (occurrence.time, occurrence.received)
                current = occurrence
                guard !parksUndecided(journey, occurrence, again: parked) else { continue }
                let listeners = rules.listeners(to: occurrence.activity)
                if let interest = listeners?.interests.first(where: { $0.journey == journey }) {
                    react(interest, occurrence)
                }
            case .entered(let time, let arrived):
                (moment.time, moment.arrived) = (time, arrived)
                guard !isUndecided(journey) else { park(journey, parked.cause, again: parked); continue }
                if let rule = rules.current(journey) { begin(rule, entry: nil) }
            }
        }
        (moment, (started, startsNothing)) = (now, before)
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
