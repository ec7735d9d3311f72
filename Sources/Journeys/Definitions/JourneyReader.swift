import ConfigurationFile
import Foundations
import Payload

/// Reads one journey.
struct JourneyReader {
    static let keys = [
        "state", "on", "who", "key", "reentry", "unless", "exit", "goal", "hours", "cap", "control",
        "start_within", "do",
    ]

    /// Nil when something in it is wrong; the mistakes are noted.
    private(set) var journey: JourneyDefinition?
    private let parts: PartReader
    private let findings: Findings
    private let references: References
    private let path: String

    init(_ name: String, _ value: Value, findings: Findings, references: References) {
        (self.findings, self.references) = (findings, references)
        parts = PartReader(findings: findings, references: references)
        path = "journeys.\(name)"
        let before = findings.mistakes.count
        guard let section = Section(value, path: path, keys: Self.keys, findings: findings) else { return }
        section.require("on", "what starts it, such as on: {did: Add to cart}")
        section.require("do", "its steps, such as do: [{webhook: NAME}]")
        let (trigger, entries) = trigger(section)
        var read = JourneyDefinition(name: name, trigger: trigger ?? .segment(""))
        read.state = choice(section, "state", JourneyDefinition.State.self) ?? read.state
        read.who = parts.expression(section, "who", of: entries)
        read.key = parts.expression(section, "key", .value, of: entries)
        read.reentry = reentry(section, hasKey: section.has("key")) ?? read.reentry
        read.unless = unless(section, entries)
        if let exit = section.value("exit") {
            read.exit = parts.patterns(exit, section.name("exit"), entries: entries)
        }
        read.goal = goal(section, entries)
        read.hours = hours(section)
        read.cap = cap(section)
        read.control = parts.percentage(section, "control") ?? 0
        read.startWithin = parts.duration(section, "start_within") ?? read.startWithin
        if let steps = section.value("do") { read.steps = self.steps(steps, section.name("do"), entries) }
        if findings.mistakes.count == before { journey = read }
    }

    private func choice<T: RawRepresentable & CaseIterable>(
        _ section: Section, _ key: String, _ type: T.Type
    ) -> T? where T.RawValue == String {
        section.text(key) { text throws(Refusal) in try Check.choice(text, of: type) }
    }

    // MARK: What starts it

    /// The trigger, and the activities that its entry event can have.
    private func trigger(_ section: Section) -> (JourneyDefinition.Trigger?, [String]) {
        let keys = ["did", "where", "all", "seq", "within", "segment", "score", "enters"]
        guard let value = section.value("on"),
            let on = Section(value, path: section.name("on"), keys: keys, findings: findings)
        else { return (nil, []) }
        let kinds = ["did", "all", "seq", "segment", "score"].filter(on.has)
        guard kinds.count == 1, let kind = kinds.first else {
            let problem =
                kinds.isEmpty ? "says nothing to wait for" : "says \(kinds.joined(separator: " and "))"
            findings.add(
                Mistake(on.place, "\(on.path) \(problem)", expected: "one of did, all, seq, segment or score")
            )
            return (nil, [])
        }
        let allowed: [String: [String]] = [
            "did": ["where"], "all": ["within"], "seq": ["within"], "segment": ["enters"],
            "score": ["enters"],
        ]
        for key in ["where", "within", "enters"] where on.has(key) && allowed[kind]?.contains(key) != true {
            findings.add(Mistake(on.place(of: key), "\(on.name(key)) has no meaning beside \(kind)"))
        }
        switch kind {
        case "did":
            let pattern = parts.pattern(on)
            return (pattern.map(JourneyDefinition.Trigger.event), pattern?.activities ?? [])
        case "segment": return (segment(on), [])
        case "score": return (score(on), [])
        default: return several(on, kind)
        }
    }

    private func several(_ on: Section, _ kind: String) -> (JourneyDefinition.Trigger?, [String]) {
        on.require("within", "how far apart the events may be")
        let within = parts.duration(on, "within")
        guard let value = on.value(kind) else { return (nil, []) }
        let patterns = parts.patterns(value, on.name(kind), entries: [])
        guard (2...16).contains(patterns.count) else {
            if case .list(let items, _) = value, !(2...16).contains(items.count) {
                findings.add(
                    Mistake(value.place, "\(on.name(kind)) has \(items.count)", expected: "2 to 16 events"))
            }
            return (nil, [])
        }
        guard let within else { return (nil, []) }
        let entries = Set(patterns.flatMap(\.activities)).sorted()
        let isSequence = kind == "seq"
        return (isSequence ? .sequence(patterns, within: within) : .all(patterns, within: within), entries)
    }

    private func segment(_ on: Section) -> JourneyDefinition.Trigger? {
        if on.has("enters"), on.flag("enters") == false {
            findings.add(Mistake(on.place(of: "enters"), "\(on.name("enters")) is false", expected: "true"))
        }
        guard let name = on.text("segment", Check.name) else { return nil }
        references.add(.segment, name, at: on.value("segment")?.place ?? on.place, findings)
        return .segment(name)
    }

    private func score(_ on: Section) -> JourneyDefinition.Trigger? {
        on.require("enters", "the bands that start it, such as enters: [s1]")
        let bands = on.texts("enters", emptyAllowed: false, Check.name)
        guard let name = on.text("score", Check.name) else { return nil }
        references.add(.score, name, at: on.value("score")?.place ?? on.place, findings)
        for band in bands ?? [] { references.add(.band, band.value, owner: name, at: band.place, findings) }
        return bands.map { .score(name, bands: $0.map(\.value)) }
    }

    private func reentry(_ section: Section, hasKey: Bool) -> JourneyDefinition.Reentry? {
        guard let value = section.value("reentry") else { return nil }
        var result = JourneyDefinition.Reentry()
        if case .map = value {
            let keys = ["mode", "every", "max"]
            guard let map = Section(value, path: section.name("reentry"), keys: keys, findings: findings)
            else {
                return nil
            }
            result.mode = choice(map, "mode", JourneyDefinition.Reentry.Mode.self) ?? .afterExit
            result.every = parts.duration(map, "every")
            result.most = map.number("max", in: 1...1_000_000)
        } else {
            result.mode = choice(section, "reentry", JourneyDefinition.Reentry.Mode.self) ?? .afterExit
        }
        if result.mode == .perKey, !hasKey {
            findings.add(
                Mistake(
                    value.place, "reentry per_key without a key", expected: "key: and an expression beside it"
                ))
        }
        if result.mode == .cooldown, result.every == nil {
            findings.add(
                Mistake(
                    value.place, "a cooldown without its length", expected: "{mode: cooldown, every: 7d}"))
        }
        return result
    }

    // MARK: What ends it, and what is counted

    private func unless(_ section: Section, _ entries: [String]) -> JourneyDefinition.Unless? {
        let keys = ["did", "where", "any", "within", "grace", "lookback", "restart"]
        guard let value = section.value("unless"),
            let map = Section(value, path: section.name("unless"), keys: keys, findings: findings)
        else { return nil }
        map.require("within", "how long to wait for it")
        var patterns: [JourneyDefinition.EventPattern] = []
        if let any = map.value("any") {
            patterns = parts.patterns(any, map.name("any"), entries: entries)
            if map.has("did") { findings.add(Mistake(map.place(of: "any"), "\(map.path) says did and any")) }
        } else {
            map.require("did", "the activity that must not follow")
            patterns = parts.pattern(map, entries: entries).map { [$0] } ?? []
        }
        var result = JourneyDefinition.Unless(patterns: patterns, within: 0)
        result.within = parts.duration(map, "within") ?? 0
        result.grace = parts.duration(map, "grace", from: 0) ?? 0
        result.lookback = parts.duration(map, "lookback", from: 0) ?? 0
        result.restarts = map.flag("restart") ?? false
        return result
    }

    private func goal(_ section: Section, _ entries: [String]) -> JourneyDefinition.Goal? {
        let keys = PartReader.patternKeys + ["within", "lookback"]
        guard let value = section.value("goal"),
            let map = Section(value, path: section.name("goal"), keys: keys, findings: findings)
        else { return nil }
        map.require("did", "the activity to be counted")
        let pattern = parts.pattern(map, entries: entries)
        let within = parts.duration(map, "within") ?? JourneyDefinition.goalWithin
        let lookback = parts.duration(map, "lookback", from: 0) ?? 0
        guard let pattern else { return nil }
        return JourneyDefinition.Goal(pattern: pattern, within: within, lookback: lookback)
    }

    private func hours(_ section: Section) -> JourneyDefinition.Hours? {
        guard let value = section.value("hours"),
            let map = Section(
                value, path: section.name("hours"), keys: ["from", "to", "tz", "days", "else"],
                findings: findings)
        else { return nil }
        map.require("from", "when they begin, such as \"09:00\"")
        map.require("to", "when they end, such as \"21:00\"")
        let (from, to) = (map.text("from", Self.clock), map.text("to", Self.clock))
        var result = JourneyDefinition.Hours(from: from ?? 0, to: to ?? 0)
        if from != nil, from == to {
            findings.add(
                Mistake(map.place(of: "to"), "\(map.path) end when they begin", expected: "another time"))
        }
        let zone = map.text("tz") { text throws(Refusal) -> JourneyDefinition.Hours.Zone in
            text == "profile" ? .profile : .named(try Check.timeZone(text))
        }
        result.zone = zone ?? .profile
        let names = JourneyDefinition.Hours.dayNames
        let days = map.texts("days", emptyAllowed: false) { text throws(Refusal) -> Int in
            if let day = names.firstIndex(of: text.lowercased()) { return day }
            throw Refusal(
                "is no day", expected: names.joined(separator: ", "),
                suggestion: nearest(to: String(text.prefix(3)), among: names))
        }
        result.days = Set((days ?? []).map(\.value))
        if result.days.count == 7 { result.days = [] }
        result.otherwise = choice(map, "else", JourneyDefinition.Hours.Otherwise.self) ?? .hold
        return result
    }

    /// `09:00`, `9:00`, `24:00`: in seconds.
    private static func clock(_ text: String) throws(Refusal) -> Int {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let isShaped =
            (2...3).contains(parts.count)
            && parts.allSatisfy { (1...2).contains($0.count) && $0.utf8.allSatisfy { $0 &- 48 < 10 } }
        let numbers = parts.compactMap { Int($0) }
        if isShaped, numbers[0] <= 24, numbers[1...].allSatisfy({ $0 < 60 }) {
            let seconds = numbers[0] * 3600 + numbers[1] * 60 + (numbers.count > 2 ? numbers[2] : 0)
            if seconds <= 86_400 { return seconds }
        }
        throw Refusal("is no time of day", expected: "hours and minutes from 00:00 to 24:00")
    }

    private func cap(_ section: Section) -> JourneyDefinition.Cap? {
        guard let value = section.value("cap"),
            let map = Section(value, path: section.name("cap"), keys: ["max", "per"], findings: findings)
        else { return nil }
        map.require("max", "how many deliveries")
        map.require("per", "in how long")
        let (most, per) = (map.number("max", in: 1...1000), parts.duration(map, "per"))
        guard let most, let per else { return nil }
        return JourneyDefinition.Cap(most: most, per: per)
    }

    // MARK: Steps

    private func steps(_ value: Value, _ path: String, _ entries: [String]) -> [JourneyDefinition.Step] {
        let reader = StepReader(findings: findings, references: references, parts: parts, entries: entries)
        return reader.steps(value, path)
    }
}
