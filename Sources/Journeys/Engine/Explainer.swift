import Foundations
import Payload

/// Works an explanation out.
struct Explainer {
    let rules: Rulebook
    let rule: Rulebook.Rule
    let person: Person
    let history: any History
    let since: Timestamp?
    let trace: [Explanation.Line]
    let now: Timestamp

    /// Of the journey that is asked for.
    var mine: [Enrolment] { person.enrolments.filter { $0.journey == rule.journey.name } }

    func explanation(most: Int) -> Explanation {
        var notes: [String] = []
        switch rule.state {
        case _ where !rule.isCurrent:
            notes.append("the journey is removed: nobody enters, and who is in it goes on to the end")
        case .draft: notes.append("the journey is a draft: nothing happens")
        case .paused: notes.append("the journey is paused: nobody enters, and timers wait")
        case .draining: notes.append("the journey is draining: nobody enters")
        case .shadow: notes.append("the journey is in shadow: it decides and sends nothing")
        case .live: break
        }
        for parked in person.memory.parked where parked.journey == rule.journey.name {
            notes.append("something that was received \(parked.clock.iso8601) waits for a timer's decision")
        }
        let events = events(most: most)
        return Explanation(
            journey: rule.journey.name, version: rule.version,
            state: rule.isCurrent ? rule.state.rawValue : "removed", enrolments: mine,
            attempts: rule.trigger.isEmpty ? [entering] : events.map(attempt),
            looks: looks(events, most: most), notes: notes)
    }

    /// Those that could have started it, the latest first.
    private func events(most: Int) -> [Occurrence] {
        let activities = Set(rule.trigger.flatMap(\.activities)).sorted()
        let events = activities.flatMap {
            latest($0, after: nil, through: Timestamp(microseconds: .max), most)
        }
        return Array(events.sorted { $0.time > $1.time }.prefix(most))
    }

    func latest(_ activity: String, after: Timestamp?, through: Timestamp, _ most: Int) -> [Occurrence] {
        var events: [Occurrence] = []
        history.visit(activity, after: after, through: through) { event in
            events.append(event)
            return events.count < most
        }
        return events
    }

    /// To be kept for as long as its facts are asked.
    func stepping(_ event: Occurrence?, at time: Timestamp) -> Stepping {
        let step = Stepping(rules: rules, person: person, history: history)
        step.moment = Stepping.Moment(time: time, clock: max(time, event?.received ?? time))
        return step
    }

    private func attempt(_ event: Occurrence) -> Explanation.Attempt {
        let step = stepping(event, at: event.time)
        defer { withExtendedLifetime(step) {} }
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

    /// A score or a segment, as it is now.
    private var entering: Explanation.Attempt {
        let step = stepping(nil, at: now)
        defer { withExtendedLifetime(step) {} }
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

    // MARK: Conditions

    func parts(_ expression: Expression, _ facts: Facts) -> [Explanation.Condition] {
        let evaluator = Evaluator(facts: facts)
        return expression.conjuncts.map { text, node in
            facts.refill()
            let result = evaluator.evaluate(node, evaluator.outermost)
            var saw: [String] = []
            look(node, expression, evaluator, &saw)
            return Explanation.Condition(
                text: text, result: result.flag.map { "\($0)" } ?? "unknown", saw: saw,
                isAsOfNow: expression.looksAtTheProfile(in: node.range))
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

extension Expression {
    fileprivate func looksAtTheProfile(in range: Range<Int>) -> Bool {
        mentions.contains { mention in
            range.contains(mention.offset) && [.attribute, .segment, .score].contains(mention.kind)
        }
    }
}
