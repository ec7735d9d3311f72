import Foundations

/// What enrolments looked at behind their start: near misses, and branches.
extension Explainer {
    /// So many of the latest enrolments are gone through.
    private static let mostEnrolments = 10

    /// - Parameter events: Those that could have started something: what is no entry any more may be among them.
    func looks(_ events: [Occurrence], most: Int) -> [Explanation.Look] {
        mine.sorted { $0.startedAt > $1.startedAt }.prefix(min(most, Self.mostEnrolments)).flatMap { one in
            guard let rule = rules.rule(one.journey, one.version) else { return [Explanation.Look]() }
            let entry = one.entry ?? entry(of: one, among: events)
            return followed(one, rule.journey, entry, most) + branches(one, rule.journey, entry)
        }
    }

    private func entry(of one: Enrolment, among events: [Occurrence]) -> Occurrence? {
        let lines = trace.filter { $0.enrolment == one.id && ["enrolled", "restarted"].contains($0.kind) }
        let ids = Set(lines.compactMap(\.event))
        return events.first { ids.contains($0.id) && $0.time == one.startedAt }
    }

    // MARK: Events

    private func followed(
        _ one: Enrolment, _ journey: JourneyDefinition, _ entry: Occurrence?, _ most: Int
    ) -> [Explanation.Look] {
        var looks: [Explanation.Look] = []
        func look(
            _ what: String, _ patterns: [JourneyDefinition.EventPattern], back: Int64 = 0, through: Timestamp
        ) {
            let after = one.startedAt.adding(microseconds: -back - 1)
            for pattern in patterns {
                for activity in pattern.activities {
                    for event in latest(activity, after: after, through: through, most)
                    where event.id != entry?.id {
                        let attempt = attempt(event, what, pattern, one, entry)
                        looks.append(Explanation.Look(enrolment: one.id, what: what, attempt: attempt))
                    }
                }
            }
        }
        let end = one.endedAt ?? now
        if let unless = journey.unless {
            let through = one.startedAt.adding(microseconds: unless.within)
            look("unless", unless.patterns, back: unless.lookback, through: through)
        }
        look("exit", journey.exit, through: end)
        // Its steps have begun.
        if journey.unless == nil || one.firedUntil != nil {
            for case .wait(_, let until, _) in journey.allSteps { look("until", until, through: end) }
        }
        if let goal = journey.goal {
            let through = one.startedAt.adding(microseconds: goal.within)
            look("goal", [goal.pattern], back: goal.lookback, through: through)
        }
        return looks
    }

    private func attempt(
        _ event: Occurrence, _ what: String, _ pattern: JourneyDefinition.EventPattern, _ one: Enrolment,
        _ entry: Occurrence?
    ) -> Explanation.Attempt {
        let step = stepping(event, at: event.time)
        defer { withExtendedLifetime(step) {} }
        let facts = step.facts(event: event, entry: entry)
        let conditions = pattern.condition.map { parts($0, facts) } ?? []
        return Explanation.Attempt(
            event: event.id, activity: event.label, at: event.time, conditions: conditions,
            verdict: effect(of: event, as: what, conditions, on: one))
    }

    private func effect(
        of event: Occurrence, as what: String, _ conditions: [Explanation.Condition], on one: Enrolment
    ) -> String {
        if let refused = Self.refusal(conditions) { return refused }
        for line in trace where line.event == event.id && line.enrolment == one.id {
            switch (what, line.kind) {
            case ("goal", "goal"): return "reached the goal"
            case ("unless", "disproved_late"): return line.detail
            case ("unless", "left"), ("exit", "left"), ("until", "left"): return "ended it: \(line.detail)"
            default: continue
            }
        }
        if let end = one.endedAt, event.known > end { return "it came behind the end" }
        return conditions.isEmpty ? "it has no condition" : "its conditions are true"
    }

    // MARK: Branches

    private func branches(
        _ one: Enrolment, _ journey: JourneyDefinition, _ entry: Occurrence?
    ) -> [Explanation.Look] {
        var looks: [Explanation.Look] = []
        /// The branch that the enrolment is in, if it is in one of that step.
        func inside(_ place: [Int]) -> Int? {
            one.path.count > place.count && one.path.starts(with: place) ? one.path[place.count] : nil
        }
        func walk(_ steps: [JourneyDefinition.Step], _ path: [Int]) {
            for (i, step) in steps.enumerated() {
                let place = path + [i]
                // Nobody stays before a branch: who was there is in one, or behind.
                guard place.lexicographicallyPrecedes(one.path) else { return }
                switch step {
                case .split(let branches):
                    let (attempt, branch) = choice(branches, place, in: inside(place), one, entry)
                    looks.append(Explanation.Look(enrolment: one.id, what: "split", attempt: attempt))
                    if let branch { walk(branches[branch].steps, place + [branch]) }
                case .ab(let shares):
                    if let branch = inside(place), branch < shares.count {
                        walk(shares[branch].steps, place + [branch])
                    }
                default: continue
                }
            }
        }
        walk(journey.steps, [])
        return looks
    }

    /// Which branch was taken: certain only while the enrolment is in it.
    private func choice(
        _ branches: [JourneyDefinition.Branch], _ place: [Int], in known: Int?, _ one: Enrolment,
        _ entry: Occurrence?
    ) -> (Explanation.Attempt, Int?) {
        let time = one.endedAt ?? one.base ?? now
        let step = stepping(nil, at: time)
        defer { withExtendedLifetime(step) {} }
        let facts = step.facts(event: entry, entry: entry)
        var (conditions, taken) = ([Explanation.Condition](), known)
        for (i, branch) in branches.enumerated() where known.map({ i <= $0 }) ?? (taken == nil) {
            let asked = branch.condition.map { parts($0, facts) } ?? []
            conditions += asked
            if known == nil, asked.allSatisfy({ $0.result == "true" }) { taken = i }
        }
        let branch = taken.flatMap { $0 < branches.count ? $0 : nil }
        let name = branch.map { branches[$0].condition?.source ?? "else" } ?? "none"
        let attempt = Explanation.Attempt(
            event: nil, activity: "step \(place.map(String.init).joined(separator: "."))", at: time,
            conditions: conditions,
            verdict: known == nil ? "as things are now, the branch: \(name)" : "took the branch: \(name)")
        return (attempt, branch)
    }
}
