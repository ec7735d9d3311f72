/// Works out who listens to what, once for each set of definitions.
struct RulebookIndex {
    let rules: [Rulebook.Rule]
    let segments: [String: SegmentDefinition]
    let scores: [String: (definition: ScoreDefinition, version: String)]
    private(set) var listeners: [String: Rulebook.Listeners] = [:]
    private(set) var scoreWatchers: [String: [Int]] = [:]
    private(set) var segmentWatchers: [String: [Int]] = [:]
    private(set) var trackedScores: Set<String> = []
    private(set) var watchedByAttributes = Rulebook.Watched()

    init(
        rules: [Rulebook.Rule], segments: [String: SegmentDefinition],
        scores: [String: (definition: ScoreDefinition, version: String)]
    ) {
        (self.rules, self.segments, self.scores) = (rules, segments, scores)
    }

    mutating func run() {
        for (i, rule) in rules.enumerated() {
            // Who is in a journey that rests, paused or a draft again, goes on as if it had not.
            let starts = rule.isCurrent && (rule.state == .live || rule.state == .shadow)
            if starts { listenForStart(i, rule) }
            for activity in rule.journey.followed.flatMap(\.activities) {
                note(activity, rule.journey.name) { if !$0.follow.contains(i) { $0.follow.append(i) } }
            }
            for expression in rule.journey.expressions { track(expression) }
        }
        for name in scoreWatchers.keys.sorted() {
            var sources = Sources()
            look(atScore: name, &sources, 0)
            watch(sources) { $0.scores.append(name) }
        }
        for name in segmentWatchers.keys.sorted() {
            var sources = Sources()
            look(atSegment: name, &sources, 0)
            watch(sources) { $0.segments.append(name) }
        }
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

    // MARK: What is waited for

    /// Whatever a score or a segment looks at, itself or through others.
    private struct Sources {
        var activities: Set<String> = []
        var readsAttributes = false
    }

    private mutating func watch(_ sources: Sources, _ note: (inout Rulebook.Watched) -> Void) {
        for activity in sources.activities { note(&listeners[activity, default: .init()].reviewed) }
        if sources.readsAttributes { note(&watchedByAttributes) }
    }

    private mutating func look(atScore name: String, _ sources: inout Sources, _ depth: Int) {
        guard depth < 16, let score = scores[name]?.definition else { return }
        trackedScores.insert(name)
        sources.activities.formUnion(activities(ofScore: name))
        for rule in score.rules {
            if case .profile(let condition, _) = rule { look(at: condition, &sources, depth) }
        }
    }

    private mutating func look(atSegment name: String, _ sources: inout Sources, _ depth: Int) {
        guard depth < 16, let segment = segments[name] else { return }
        look(at: segment.condition, &sources, depth)
    }

    private mutating func look(at expression: Expression, _ sources: inout Sources, _ depth: Int) {
        track(expression)
        if expression.readsAttributes { sources.readsAttributes = true }
        sources.activities.formUnion(expression.activities)
        for name in expression.segments { look(atSegment: name, &sources, depth + 1) }
        for name in expression.scores { look(atScore: name, &sources, depth + 1) }
    }
}
