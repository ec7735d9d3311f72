import Foundations
import Payload

/// Why a journey did what it did for a person, or why not: each condition with the value it saw, what is waited for,
/// and what ended it. Worked out when it is asked.
package struct Explanation: Sendable, Equatable {
    package struct Condition: Sendable, Equatable {
        /// As it is written.
        package var text: String
        /// `true`, `false` or `unknown`.
        package var result: String
        /// What its parts came to: `price` → `9990.91`.
        package var saw: [String]
    }

    /// One event that could have started the journey, or a part of what does.
    package struct Attempt: Sendable, Equatable {
        package var event: UUID?
        package var activity: String
        package var at: Timestamp
        package var conditions: [Condition]
        /// What follows from it, for people.
        package var verdict: String
    }

    package var journey: String
    package var version: String
    package var state: String
    package var enrolments: [Enrolment]
    /// The newest first.
    package var attempts: [Attempt]
    /// What stands in the way of everybody: a state, say.
    package var notes: [String]
}

extension Engine {
    /// Explains a journey for a person, as of a moment.
    ///
    /// - Parameter most: How many of the person's latest events are looked at.
    package func explain(
        _ journey: String, _ person: Person, history: any History, at now: Timestamp, most: Int = 20
    ) -> Explanation? {
        guard let rule = rules.current(journey) ?? rules.rules.last(where: { $0.journey.name == journey })
        else {
            return nil
        }
        let explainer = Explainer(rules: rules, rule: rule, person: person, history: history, now: now)
        return explainer.explanation(most: most)
    }
}

/// Works an explanation out.
struct Explainer {
    let rules: Rulebook
    let rule: Rulebook.Rule
    let person: Person
    let history: any History
    let now: Timestamp

    func explanation(most: Int) -> Explanation {
        var notes: [String] = []
        switch rule.state {
        case .draft: notes.append("the journey is a draft: nothing happens")
        case .paused: notes.append("the journey is paused: nobody enters, and timers wait")
        case .draining: notes.append("the journey is draining: nobody enters")
        case .shadow: notes.append("the journey is in shadow: it decides and sends nothing")
        case .live: break
        }
        let mine = person.enrolments.filter { $0.journey == rule.journey.name }
        for parked in person.memory.parked where parked.journey == rule.journey.name {
            notes.append("something that was received \(parked.clock.iso8601) waits for a timer's decision")
        }
        return Explanation(
            journey: rule.journey.name, version: rule.version, state: rule.state.rawValue, enrolments: mine,
            attempts: attempts(most: most), notes: notes)
    }

    private func attempts(most: Int) -> [Explanation.Attempt] {
        var events: [Occurrence] = []
        for activity in Set(rule.trigger.flatMap(\.activities)).sorted() {
            var count = 0
            history.visit(activity, after: nil, through: Timestamp(microseconds: .max)) { event in
                events.append(event)
                count += 1
                return count < most
            }
        }
        events.sort { $0.time > $1.time }
        if rule.trigger.isEmpty { return [entering] }
        return events.prefix(most).map(attempt)
    }

    private func facts(_ event: Occurrence?, _ entry: Occurrence?, at time: Timestamp) -> Stepping {
        let step = Stepping(rules: rules, person: person, history: history)
        step.moment = Stepping.Moment(time: time, clock: max(time, event?.received ?? time))
        return step
    }

    private func attempt(_ event: Occurrence) -> Explanation.Attempt {
        let step = facts(event, event, at: event.time)
        let facts = step.facts(event: event, entry: event)
        let patterns = rule.trigger.filter { $0.activities.contains(event.activity) }
        var conditions: [Explanation.Condition] = []
        for pattern in patterns {
            if let condition = pattern.condition { conditions += parts(condition, facts) }
        }
        if let who = rule.journey.who { conditions += parts(who, facts) }
        let key = step.key(rule.journey, facts)
        let verdict = verdict(event, conditions, key)
        return Explanation.Attempt(
            event: event.id, activity: event.label, at: event.time, conditions: conditions, verdict: verdict)
    }

    private func verdict(_ event: Occurrence, _ conditions: [Explanation.Condition], _ key: String?) -> String
    {
        let mine = person.enrolments.filter { $0.journey == rule.journey.name }
        // The entry is forgotten some time after the end; the moment stays.
        let began = { (one: Enrolment) in one.entry.map { $0.id == event.id } ?? (one.startedAt == event.time)
        }
        if let started = mine.first(where: began) {
            return "enrolled: \(Self.story(started))"
        }
        if let failed = conditions.first(where: { $0.result != "true" }) {
            return "\(failed.text) is \(failed.result)"
        }
        guard let key else { return "the key \(rule.journey.key?.source ?? "") is unknown" }
        if event.received.microseconds - event.time.microseconds > rule.journey.startWithin {
            return "it was older than \(rule.journey.startWithin / 3_600_000_000) h when it arrived"
        }
        if rule.trigger.count > 1 {
            return "a part; the others did not come within the time, or were used up"
        }
        if let other = mine.first(where: { $0.key == key && $0.isRunning }) {
            return "enrolment \(other.n) was running: \(Self.story(other))"
        }
        if let last = mine.filter({ $0.key == key }).max(by: { $0.n < $1.n }) {
            return
                "re-entry \(rule.journey.reentry.mode.rawValue) after enrolment \(last.n): \(Self.story(last))"
        }
        return rule.state == .live
            ? "it came before the journey was live" : "the journey is \(rule.state.rawValue)"
    }

    /// A score or a segment, as it is now.
    private var entering: Explanation.Attempt {
        let step = facts(nil, nil, at: now)
        let facts = step.facts(event: nil, entry: nil)
        var conditions: [Explanation.Condition] = []
        switch rule.journey.trigger {
        case .score(let name, let bands):
            let score = step.scoreValue(name)
            let result = score?.band.map(bands.contains) ?? false
            conditions.append(
                Explanation.Condition(
                    text: "score \(name) enters \(bands.joined(separator: ", "))", result: "\(result)",
                    saw: [
                        "score.\(name).points = \(score.map { "\($0.points)" } ?? "unknown")",
                        "score.\(name).band = \(score?.band ?? "unknown")",
                    ]))
        case .segment(let name):
            if let segment = rules.segments[name] { conditions += parts(segment.condition, facts) }
        default: break
        }
        if let who = rule.journey.who { conditions += parts(who, facts) }
        let failed = conditions.first { $0.result != "true" }
        let verdict =
            failed.map { "\($0.text) is \($0.result)" } ?? "it is so now; it starts when it becomes so"
        return Explanation.Attempt(
            event: nil, activity: "", at: now, conditions: conditions, verdict: verdict)
    }

    /// Where an enrolment stands, in a sentence.
    static func story(_ enrolment: Enrolment) -> String {
        switch enrolment.phase {
        case .awaiting: "waits until \(enrolment.due?.iso8601 ?? "its timer is decided")"
        case .waiting:
            "waits in step \(enrolment.step) until \(enrolment.due?.iso8601 ?? "its timer is decided")"
        case .held: "held until \(enrolment.due?.iso8601 ?? "its hours")"
        case .ended: "ended: \(enrolment.reason ?? "done")"
        }
    }

    // MARK: Conditions

    private func parts(_ expression: Expression, _ facts: Facts) -> [Explanation.Condition] {
        let evaluator = Evaluator(facts: facts)
        return expression.conjuncts.map { text, node in
            facts.refill()
            let result = evaluator.evaluate(node, evaluator.outermost)
            var saw: [String] = []
            look(node, expression, evaluator, &saw)
            return Explanation.Condition(
                text: text, result: result.flag.map { "\($0)" } ?? "unknown", saw: saw)
        }
    }

    /// The smallest parts that have a value of their own: names, functions, what is compared.
    private func look(_ node: Node, _ expression: Expression, _ evaluator: Evaluator, _ saw: inout [String]) {
        switch node.kind {
        case .number, .text, .flag, .list, .it: return
        case .not, .minus, .and, .or, .choice, .compare, .isIn, .matches, .contains, .arithmetic:
            for child in node.kind.children { look(child, expression, evaluator, &saw) }
        default:
            let value = evaluator.evaluate(node, evaluator.outermost)
            let line = "\(expression.text(node.range)) = \(value.described)"
            guard !saw.contains(line) else { return }
            saw.append(line)
            // Why somebody is in a segment, or is not, says its condition; none asks for itself.
            if case .inSegment(let name) = node.kind, let condition = evaluator.facts.segment(name) {
                look(condition.root, condition, evaluator, &saw)
            }
        }
    }
}
