import Foundations

/// Questions about a person that change nothing.
extension Engine {
    /// Is the person in a segment now? Nil: that is unknown, or there is no such segment.
    package func isIn(
        _ segment: String, _ person: Person, history: any History, at now: Timestamp
    ) -> Bool? {
        guard let condition = rules.segments[segment]?.condition else { return nil }
        let step = Stepping(rules: rules, person: person, history: history)
        step.moment = Stepping.Moment(time: now, clock: now)
        return Evaluator(facts: step.facts(event: nil, entry: nil)).flag(condition)
    }

    /// Does a segment look at more than attributes, so that the person's events are needed?
    package func needsHistory(_ segment: String) -> Bool {
        guard let condition = rules.segments[segment]?.condition else { return false }
        return !condition.activities.isEmpty || !condition.scores.isEmpty
            || condition.segments.contains { $0 != segment && needsHistory($0) }
    }
}

extension Rulebook {
    /// Keys of all activities that any definition names: what a backtest has to read.
    package var activities: [String] {
        Self.activities(rules, Array(segments.values), scores.values.map(\.definition))
    }

    static func activities(
        _ rules: [Rule], _ segments: [SegmentDefinition], _ scores: [ScoreDefinition]
    ) -> [String] {
        var all: Set<String> = []
        for rule in rules {
            all.formUnion(rule.trigger.flatMap(\.activities) + rule.journey.followed.flatMap(\.activities))
            all.formUnion(rule.journey.expressions.flatMap(\.activities))
        }
        for segment in segments { all.formUnion(segment.condition.activities) }
        for score in scores {
            for rule in score.rules {
                switch rule {
                case .event(let pattern, _, _): all.formUnion(pattern.activities)
                case .profile(let condition, _): all.formUnion(condition.activities)
                }
            }
        }
        return all.sorted()
    }

    /// Keys of those whose events can start a journey; empty: it starts by a score or a segment.
    package func starting(_ journey: String) -> [String] {
        Set((current(journey)?.trigger ?? []).flatMap(\.activities)).sorted()
    }
}
