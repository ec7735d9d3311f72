import ConfigurationFile
import Foundations
import Payload

// The canonical JSON is what the database keeps and what the version is a hash of. It has the keys of the files,
// sorted (but for `params` and `set`, whose order has a meaning), durations in one form, activities as keys, and no
// key that only repeats a default. Read by the reader of the files, it gives the same definition again.

extension JourneyDefinition {
    package var canonicalJSON: [UInt8] { canonical.bytes }
    /// The SHA-256 of the canonical JSON, in hexadecimal digits.
    package var version: String { Canonical.hash(canonicalJSON) }

    private var canonical: Canonical {
        var map: [String: Canonical] = ["on": trigger.canonical, "do": .list(steps.map(\.canonical))]
        map["who"] = who.map { .text($0.source) }
        map["key"] = key.map { .text($0.source) }
        map["reentry"] = reentry == Reentry() ? nil : reentry.canonical
        map["unless"] = unless?.canonical
        map["exit"] = exit.isEmpty ? nil : .list(exit.map { .map($0.canonical) })
        map["goal"] = goal?.canonical
        map["hours"] = hours?.canonical
        map["cap"] = cap.map { .map(["max": .number($0.most), "per": .text($0.per.durationText)]) }
        map["control"] = control == 0 ? nil : .text(percent(control))
        map["start_within"] = startWithin == Self.day ? nil : .text(startWithin.durationText)
        return .map(map)
    }
}

/// `12.5%` of 1250.
func percent(_ hundredths: Int) -> String { "\(Decimal(Int64(hundredths), exponent: -2))%" }

extension JourneyDefinition.EventPattern {
    var canonical: [String: Canonical] {
        var map: [String: Canonical] = [:]
        map["did"] =
            activities.count == 1 ? .text(activities[0]) : .list(activities.sorted().map(Canonical.text))
        map["where"] = condition.map { .text($0.source) }
        return map
    }
}

extension JourneyDefinition.Trigger {
    fileprivate var canonical: Canonical {
        switch self {
        case .event(let pattern): .map(pattern.canonical)
        case .all(let patterns, let within):
            .map([
                "all": .list(patterns.map { .map($0.canonical) }), "within": .text(within.durationText),
            ])
        case .sequence(let patterns, let within):
            .map([
                "seq": .list(patterns.map { .map($0.canonical) }), "within": .text(within.durationText),
            ])
        case .segment(let name): .map(["segment": .text(name), "enters": .flag(true)])
        case .score(let name, let bands):
            .map(["score": .text(name), "enters": .list(bands.map(Canonical.text))])
        }
    }
}

extension JourneyDefinition.Reentry {
    fileprivate var canonical: Canonical {
        if every == nil, most == nil { return .text(mode.rawValue) }
        var map: [String: Canonical] = ["mode": .text(mode.rawValue)]
        map["every"] = every.map { .text($0.durationText) }
        map["max"] = most.map(Canonical.number)
        return .map(map)
    }
}

extension JourneyDefinition.Unless {
    fileprivate var canonical: Canonical {
        var map = patterns.count == 1 ? patterns[0].canonical : [:]
        if patterns.count > 1 { map["any"] = .list(patterns.map { .map($0.canonical) }) }
        map["within"] = .text(within.durationText)
        if grace > 0 { map["grace"] = .text(grace.durationText) }
        if lookback > 0 { map["lookback"] = .text(lookback.durationText) }
        if restarts { map["restart"] = .flag(true) }
        return .map(map)
    }
}

extension JourneyDefinition.Goal {
    fileprivate var canonical: Canonical {
        var map = pattern.canonical
        map["within"] = .text(within.durationText)
        if lookback > 0 { map["lookback"] = .text(lookback.durationText) }
        return .map(map)
    }
}

extension JourneyDefinition.Hours {
    static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    fileprivate var canonical: Canonical {
        var map: [String: Canonical] = [
            "from": .text(Self.clock(from)), "to": .text(Self.clock(to)), "else": .text(otherwise.rawValue),
        ]
        switch zone {
        case .profile: map["tz"] = .text("profile")
        case .named(let name): map["tz"] = .text(name)
        }
        if !days.isEmpty { map["days"] = .list(days.sorted().map { .text(Self.dayNames[$0]) }) }
        return .map(map)
    }

    /// `09:00`
    private static func clock(_ second: Int) -> String {
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        let rest = second % 60 == 0 ? "" : ":\(two(second % 60))"
        return "\(two(second / 3600)):\(two(second / 60 % 60))\(rest)"
    }
}

extension JourneyDefinition.Step {
    fileprivate var canonical: Canonical {
        switch self {
        case .webhook(let name, let params):
            var map: [String: Canonical] = ["webhook": .text(name)]
            if !params.isEmpty {
                map["params"] = .ordered(params.map { ($0.name, .text($0.template.source)) })
            }
            return .map(map)
        case .wait(let time, let until, let then):
            var map: [String: Canonical] = ["wait": .text(time.durationText)]
            if until.count == 1 { map["until"] = .map(until[0].canonical) }
            if until.count > 1 { map["until"] = .list(until.map { .map($0.canonical) }) }
            if then != .continue { map["then"] = .text(then.rawValue) }
            return .map(map)
        case .split(let branches):
            return .map(["split": .list(branches.map(\.canonical))])
        case .ab(let shares):
            return .map([
                "ab": .list(
                    shares.map {
                        .map(["share": .text(percent($0.share)), "do": .list($0.steps.map(\.canonical))])
                    })
            ])
        case .set(let assignments):
            return .map(["set": .ordered(assignments.map { ($0.name, .text($0.value.source)) })])
        case .exit(let why): return .map(["exit": .text(why)])
        }
    }
}

extension JourneyDefinition.Branch {
    fileprivate var canonical: Canonical {
        var map: [String: Canonical] = ["do": .list(steps.map(\.canonical))]
        if let condition { map["if"] = .text(condition.source) } else { map["else"] = .flag(true) }
        return .map(map)
    }
}

extension SegmentDefinition {
    package var canonicalJSON: [UInt8] { Canonical.map(["where": .text(condition.source)]).bytes }
    package var version: String { Canonical.hash(canonicalJSON) }
}

extension ScoreDefinition {
    package var canonicalJSON: [UInt8] {
        let rules = rules.map { rule -> Canonical in
            switch rule {
            case .event(let pattern, let points, let cap):
                var map = pattern.canonical
                map["points"] = .text(points.description)
                map["cap"] = cap.map { .text($0.description) }
                return .map(map)
            case .profile(let condition, let points):
                return .map(["who": .text(condition.source), "points": .text(points.description)])
            }
        }
        let bands = bands.map { ($0.name, Canonical.text($0.from.description)) }
        return Canonical.map([
            "window": .text(window.durationText), "rules": .list(rules),
            "bands": .map(Dictionary(uniqueKeysWithValues: bands)),
        ]).bytes
    }
    package var version: String { Canonical.hash(canonicalJSON) }
}

/// Why a stored definition cannot be read: it was written by a later version, or by hand.
package struct StoredDefinitionError: Error, CustomStringConvertible {
    package let description: String
}

extension JourneyDefinition {
    /// From canonical JSON, as the database keeps it.
    package init(name: String, canonicalJSON: [UInt8], state: State) throws(StoredDefinitionError) {
        var found: JourneyDefinition?
        try Self.read("journey \(name)", canonicalJSON) { value, findings in
            found = JourneyReader(name, value, findings: findings, references: References()).journey
        }
        guard var journey = found else {
            throw StoredDefinitionError(description: "journey \(name) is empty")
        }
        journey.state = state
        self = journey
    }

    fileprivate static func read(
        _ what: String, _ json: [UInt8], _ body: (Value, Findings) -> Void
    ) throws(StoredDefinitionError) {
        let findings = Findings()
        // JSON is YAML: one reader for both.
        let document = Document(String(decoding: json, as: UTF8.self), environment: nil, findings: findings)
        if let root = document.root { body(root, findings) }
        if let mistake = findings.mistakes.first {
            throw StoredDefinitionError(description: mistake.text(in: what))
        }
    }
}

extension SegmentDefinition {
    package init(name: String, canonicalJSON: [UInt8]) throws(StoredDefinitionError) {
        var found: SegmentDefinition?
        try JourneyDefinition.read("segment \(name)", canonicalJSON) { value, findings in
            found = SegmentReader.segment(name, value, findings: findings, references: References())
        }
        guard let found else { throw StoredDefinitionError(description: "segment \(name) is empty") }
        self = found
    }
}

extension ScoreDefinition {
    package init(name: String, canonicalJSON: [UInt8]) throws(StoredDefinitionError) {
        var found: ScoreDefinition?
        try JourneyDefinition.read("score \(name)", canonicalJSON) { value, findings in
            found = SegmentReader.score(name, value, findings: findings, references: References())
        }
        guard let found else { throw StoredDefinitionError(description: "score \(name) is empty") }
        self = found
    }
}
