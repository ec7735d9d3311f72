import Foundations
import Payload

/// All definitions that are in force, ready to be asked; immutable. Besides the current version of each journey it
/// holds the older ones that still have running enrolments.
package final class Rulebook: Sendable {
    /// A version of a journey.
    final class Rule: Sendable {
        let journey: JourneyDefinition
        let version: String
        /// New enrolments start with it.
        let isCurrent: Bool
        /// Of the journey as it is now: an old version is paused with it.
        let state: JourneyDefinition.State
        let trigger: [JourneyDefinition.EventPattern]

        init(_ journey: JourneyDefinition, isCurrent: Bool, state: JourneyDefinition.State) {
            (self.journey, self.isCurrent, self.state) = (journey, isCurrent, state)
            version = journey.version
            trigger = journey.trigger.patterns
        }

        /// Nobody enters, and timers wait. What comes meanwhile is evidence.
        var isResting: Bool { state == .paused || state == .draft }
    }

    /// What an activity means to a journey.
    struct Interest: Sendable {
        let journey: String
        /// It may start it, or be a part of what does …
        var start: Int?
        /// … if one of these is true, which look only at the event; nil: the person decides.
        var tests: [Expression]?
        /// Versions that it may mean something to while they run.
        var follow: [Int] = []
    }

    /// Scores and segments that start something when they are entered, by name.
    struct Watched: Sendable {
        var scores: [String] = []
        var segments: [String] = []
        var isEmpty: Bool { scores.isEmpty && segments.isEmpty }

        /// Each once, in the order of their names.
        func union(_ other: Watched) -> Watched {
            Watched(
                scores: Set(scores + other.scores).sorted(), segments: Set(segments + other.segments).sorted()
            )
        }
    }

    struct Listeners: Sendable {
        var interests: [Interest] = []
        /// Scores that it feeds, and segments that look for it.
        var scores: [String] = []
        /// What is worked out anew behind such an event.
        var reviewed = Watched()
    }

    /// All that an activity means.
    final class Audience: Sendable {
        let listeners: Listeners
        let test: Sieve.Test

        init(_ listeners: Listeners) {
            self.listeners = listeners
            test = Sieve.Test(listeners)
        }

        var interests: [Interest] { listeners.interests }
        var scores: [String] { listeners.scores }
        var reviewed: Watched { listeners.reviewed }
    }

    let rules: [Rule]
    package let segments: [String: SegmentDefinition]
    let scores: [String: (definition: ScoreDefinition, version: String)]
    package let zone: Zone
    /// Journeys that start when a score or a segment is entered, by its name.
    let scoreWatchers: [String: [Int]]
    let segmentWatchers: [String: [Int]]
    /// Those whose points are kept, sorted.
    let trackedScores: [String]
    /// A change of the profile alone can start something.
    package var watchesAttributes: Bool { !watchedByAttributes.isEmpty }
    /// What a change of the profile may change.
    let watchedByAttributes: Watched
    /// By name and version.
    private let byVersion: [String: [String: Int]]
    private let table: ListenerTable
    private let listeners: [Audience]
    /// Activities that nobody listens to, and some condition looks back at.
    private let lookedBackAt: ListenerTable
    private let zones = Locked<[String: Zone]>([:])

    /// A journey's older version that still has enrolments.
    package struct Old: Sendable {
        package let journey: JourneyDefinition
        /// What the journey is now; of one that was removed: `draining`.
        package let state: JourneyDefinition.State

        package init(journey: JourneyDefinition, state: JourneyDefinition.State) {
            (self.journey, self.state) = (journey, state)
        }
    }

    package init(
        journeys: [JourneyDefinition], old: [Old] = [], segments: [SegmentDefinition] = [],
        scores: [ScoreDefinition] = [], zone: Zone = .utc
    ) {
        self.zone = zone
        self.segments = Dictionary(segments.map { ($0.name, $0) }) { a, _ in a }
        self.scores = Dictionary(scores.map { ($0.name, ($0, $0.version)) }) { a, _ in a }
        var rules = journeys.sorted { $0.name < $1.name }
            .map { Rule($0, isCurrent: true, state: $0.state) }
        var byVersion: [String: [String: Int]] = [:]
        for (i, rule) in rules.enumerated() { byVersion[rule.journey.name, default: [:]][rule.version] = i }
        for one in old {
            let rule = Rule(one.journey, isCurrent: false, state: one.state)
            guard byVersion[rule.journey.name]?[rule.version] == nil else { continue }
            byVersion[rule.journey.name, default: [:]][rule.version] = rules.count
            rules.append(rule)
        }
        self.rules = rules
        self.byVersion = byVersion
        var build = RulebookIndex(rules: rules, segments: self.segments, scores: self.scores)
        build.run()
        (scoreWatchers, segmentWatchers) = (build.scoreWatchers, build.segmentWatchers)
        trackedScores = build.trackedScores.sorted()
        watchedByAttributes = build.watchedByAttributes
        let keys = build.listeners.keys.sorted()
        table = ListenerTable(keys)
        listeners = keys.compactMap { build.listeners[$0].map(Audience.init) }
        let others = Set(Self.activities(rules, segments, scores)).subtracting(keys)
        lookedBackAt = ListenerTable(others.sorted())
    }

    /// The same segments and scores, and nothing but a journey that was removed.
    package func of(removed journey: JourneyDefinition) -> Rulebook {
        Rulebook(
            journeys: [], old: [Old(journey: journey, state: .draining)], segments: Array(segments.values),
            scores: scores.values.map(\.definition), zone: zone)
    }

    /// Of all journeys, sorted.
    package var names: [String] { Set(rules.map(\.journey.name)).sorted() }

    /// As the journey is now, or a version of it that was removed; nil: there is none.
    package func state(of journey: String, version: String? = nil) -> JourneyDefinition.State? {
        current(journey)?.state ?? version.flatMap { rule(journey, $0)?.state }
    }

    /// Nil: nobody listens.
    func listeners(to activity: Bytes) -> Audience? { table.find(activity).map { listeners[$0] } }

    func listeners(to activity: String) -> Audience? {
        var activity = activity
        return activity.withUTF8 { listeners(to: Bytes($0)) }
    }

    /// Does anybody listen to events of this activity? To be asked for every event.
    package func listens(to activity: Bytes) -> Bool { table.find(activity) != nil }

    /// Does somebody look back at events of this activity, though nobody listens to them?
    package func looksBack(at activity: Bytes) -> Bool { lookedBackAt.find(activity) != nil }

    func rule(_ journey: String, _ version: String) -> Rule? {
        byVersion[journey]?[version].map { rules[$0] }
    }

    /// Names of journeys whose timers wait for the journey.
    package var resting: [String] {
        rules.filter(\.isResting).map(\.journey.name)
    }

    func current(_ journey: String) -> Rule? { rules.first { $0.isCurrent && $0.journey.name == journey } }

    /// A zone by name, read once; nil: there is none.
    func zone(_ name: String) -> Zone? {
        zones.withLock { zones in
            if let zone = zones[name] { return zone }
            // What profiles say may be anything: only real zones are kept.
            guard let zone = Zone(name) else { return nil }
            zones[name] = zone
            return zone
        }
    }
}

extension JourneyDefinition.Trigger {
    var patterns: [JourneyDefinition.EventPattern] {
        switch self {
        case .event(let pattern): [pattern]
        case .all(let patterns, _), .sequence(let patterns, _): patterns
        case .segment, .score: []
        }
    }
}

extension JourneyDefinition {
    /// Events that can mean something to one who is in it.
    var followed: [EventPattern] {
        var patterns = exit + (unless?.patterns ?? []) + (goal.map { [$0.pattern] } ?? [])
        for step in allSteps {
            if case .wait(_, let until, _) = step { patterns += until }
        }
        if unless?.restarts == true { patterns += trigger.patterns }
        return patterns
    }

    /// All its expressions.
    var expressions: [Expression] {
        var all = [who, key].compactMap { $0 } + (trigger.patterns + followed).compactMap(\.condition)
        for step in allSteps {
            switch step {
            case .webhook(_, let params): all += params.flatMap(\.template.expressions)
            case .split(let branches): all += branches.compactMap(\.condition)
            case .set(let assignments): all += assignments.map(\.value)
            default: break
            }
        }
        return all
    }
}
