/// What a journey depends on: the segments and scores that it asks for, directly or through others, and how far it looks
/// back.
package struct JourneyReach {
    package private(set) var segments: [SegmentDefinition] = []
    package private(set) var scores: [ScoreDefinition] = []
    /// In microseconds, of all windows the longest; nil: some condition looks at all that there is.
    package private(set) var lookback: Int64? = 0
    /// Something is asked of the profile's attributes.
    package private(set) var readsAttributes = false
    /// How long a run may take from its entry to its last step.
    package let span: Int64

    private let allSegments: [SegmentDefinition]
    private let allScores: [ScoreDefinition]

    package init(_ journey: JourneyDefinition, segments: [SegmentDefinition], scores: [ScoreDefinition]) {
        (allSegments, allScores) = (segments, scores)
        span = Self.span(journey)
        switch journey.trigger {
        case .segment(let name): take(segment: name)
        case .score(let name, _): take(score: name)
        case .all(_, let within), .sequence(_, let within): look(back: within)
        case .event: break
        }
        for expression in journey.expressions { take(expression) }
        look(back: journey.unless?.lookback ?? 0)
        look(back: journey.reentry.every ?? 0)
        look(back: journey.cap?.per ?? 0)
        if case .profile? = journey.hours?.zone { readsAttributes = true }
    }

    private static func span(_ journey: JourneyDefinition) -> Int64 {
        var span = (journey.unless?.within ?? 0) + (journey.unless?.grace ?? 0)
        for step in journey.allSteps {
            switch step {
            case .wait(let time, _, _): span += time
            // Its hours open at least once a week.
            case .webhook: span += journey.hours == nil ? 0 : 7 * JourneyDefinition.day
            default: break
            }
        }
        return span
    }

    private mutating func look(back time: Int64) { lookback = lookback.map { max($0, time) } }

    private mutating func take(_ expression: Expression) {
        if expression.readsAttributes { readsAttributes = true }
        for name in expression.segments { take(segment: name) }
        for name in expression.scores { take(score: name) }
        take(expression.root)
    }

    private mutating func take(_ node: Node) {
        switch node.kind {
        case .did(_, _, let window?): look(back: window)
        case .did, .last: lookback = nil
        default: break
        }
        for child in node.kind.children { take(child) }
    }

    private mutating func take(segment name: String) {
        guard !segments.contains(where: { $0.name == name }),
            let segment = allSegments.first(where: { $0.name == name })
        else { return }
        segments.append(segment)
        take(segment.condition)
    }

    private mutating func take(score name: String) {
        guard !scores.contains(where: { $0.name == name }),
            let score = allScores.first(where: { $0.name == name })
        else { return }
        scores.append(score)
        look(back: score.window)
        for rule in score.rules {
            switch rule {
            case .event(let pattern, _, _): if let condition = pattern.condition { take(condition) }
            case .profile(let condition, _): take(condition)
            }
        }
    }
}
