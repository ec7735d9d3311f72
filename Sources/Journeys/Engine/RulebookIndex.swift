/// Works out who listens to what, once for each set of definitions.
struct RulebookIndex {
    let rules: [Rulebook.Rule]
    let segments: [String: SegmentDefinition]
    let scores: [String: (definition: ScoreDefinition, version: String)]
    private(set) var listeners: [String: Rulebook.Listeners] = [:]
    private(set) var scoreWatchers: [String: [Int]] = [:]
    private(set) var segmentWatchers: [String: [Int]] = [:]
    private(set) var trackedScores: Set<String> = []
    private(set) var watchesAttributes = false

    init(
        rules: [Rulebook.Rule], segments: [String: SegmentDefinition],
        scores: [String: (definition: ScoreDefinition, version: String)]
    ) {
        (self.rules, self.segments, self.scores) = (rules, segments, scores)
    }

    mutating func run() {
        for (i, rule) in rules.enumerated() where rule.state != .draft {
            let starts = rule.isCurrent && (rule.state == .live || rule.state == .shadow)
            if starts { listenForStart(i, rule) }
            for activity in rule.journey.followed.flatMap(\.activities) {
                note(activity, rule.journey.name) { if !$0.follow.contains(i) { $0.follow.append(i) } }
            }
            for expression in rule.journey.expressions { track(expression) }
        }
        for name in scoreWatchers.keys.sorted() { watchScore(name, 0) }
        for name in segmentWatchers.keys.sorted() { watchSegment(name, 0) }
        for name in trackedScores.sorted() {
            for activity in activities(ofScore: name) {
                listeners[activity, default: .init()].scores.append(name)
            }
        }
    }

    private mutating func listenForStart(_ i: Int, _ rule: Rulebook.Rule) {
        for activity in rule.trigger.flatMap(\.activities) {
            let conditions = rule.trigger.filter { $0.activities.contains(activity) }.map(\.condition)
            let tests = conditions.compactMap { $0 }.filter(\.looksOnlyAtTheEvent)
            note(activity, rule.journey.name) {
                $0.start = i
                $0.tests = tests.count == conditions.count ? tests : nil
            }
        }
        switch rule.journey.trigger {
        case .score(let name, _): scoreWatchers[name, default: []].append(i)
        case .segment(let name): segmentWatchers[name, default: []].append(i)
        default: break
        }
    }

    private mutating func note(
        _ activity: String, _ journey: String, _ change: (inout Rulebook.Interest) -> Void
    ) {
        var entry = listeners[activity, default: .init()]
        if let i = entry.interests.firstIndex(where: { $0.journey == journey }) {
            change(&entry.interests[i])
        } else {
            var interest = Rulebook.Interest(journey: journey)
            change(&interest)
            entry.interests.append(interest)
            entry.interests.sort { $0.journey < $1.journey }
        }
        listeners[activity] = entry
    }

    private func activities(ofScore name: String) -> [String] {
        var all: Set<String> = []
        for rule in scores[name]?.definition.rules ?? [] {
            if case .event(let pattern, _, _) = rule { all.formUnion(pattern.activities) }
        }
        return all.sorted()
    }

    /// The scores that an expression asks for, also through segments.
    private mutating func track(_ expression: Expression) {
        for score in expression.scores where trackedScores.insert(score).inserted {
            for rule in scores[score]?.definition.rules ?? [] {
                if case .profile(let condition, _) = rule { track(condition) }
            }
        }
        for name in expression.segments { if let segment = segments[name] { track(segment.condition) } }
    }

    private mutating func watchScore(_ name: String, _ depth: Int) {
        guard depth < 16, let score = scores[name]?.definition else { return }
        trackedScores.insert(name)
        for activity in activities(ofScore: name) { listeners[activity, default: .init()].isReviewed = true }
        for rule in score.rules {
            if case .profile(let condition, _) = rule { watch(condition, depth) }
        }
    }

    private mutating func watchSegment(_ name: String, _ depth: Int) {
        guard depth < 16, let segment = segments[name] else { return }
        watch(segment.condition, depth)
    }

    /// Whatever an expression looks at may change what is waited for.
    private mutating func watch(_ expression: Expression, _ depth: Int) {
        track(expression)
        if expression.readsAttributes { watchesAttributes = true }
        for activity in expression.activities { listeners[activity, default: .init()].isReviewed = true }
        for name in expression.segments { watchSegment(name, depth + 1) }
        for name in expression.scores { watchScore(name, depth + 1) }
    }
}
