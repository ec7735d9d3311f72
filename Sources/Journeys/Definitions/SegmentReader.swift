import ConfigurationFile
import Foundations
import Payload

/// Reads segments and scores.
enum SegmentReader {
    static func segment(
        _ name: String, _ value: Value, findings: Findings, references: References
    ) -> SegmentDefinition? {
        references.inside = "segment \(name)"
        defer { references.inside = nil }
        let parts = PartReader(findings: findings, references: references)
        guard let section = Section(value, path: "segments.\(name)", keys: ["where"], findings: findings)
        else {
            return nil
        }
        section.require("where", "a condition on the profile")
        return parts.expression(section, "where", .segment)
            .map { SegmentDefinition(name: name, condition: $0) }
    }

    static func score(
        _ name: String, _ value: Value, findings: Findings, references: References
    ) -> ScoreDefinition? {
        references.inside = "score \(name)"
        defer { references.inside = nil }
        let parts = PartReader(findings: findings, references: references)
        let before = findings.mistakes.count
        let keys = ["window", "rules", "bands"]
        guard let section = Section(value, path: "scores.\(name)", keys: keys, findings: findings) else {
            return nil
        }
        section.require("window", "how long an event counts")
        section.require("rules", "what gives points")
        section.require("bands", "the bands with their points, such as {hot: 80, warm: 50}")
        let window = parts.duration(section, "window")
        var rules: [ScoreDefinition.Rule] = []
        if let list = section.value("rules") {
            if case .list(let items, _) = list {
                rules = items.enumerated().compactMap { rule($1, "\(section.path).rules[\($0)]", parts) }
            } else {
                section.refuse(
                    list, section.name("rules"), Refusal("is not a list", expected: "a list of rules"))
            }
        }
        let bands = bands(section, parts)
        guard findings.mistakes.count == before, let window else { return nil }
        return ScoreDefinition(name: name, window: window, rules: rules, bands: bands)
    }

    private static func rule(_ value: Value, _ path: String, _ parts: PartReader) -> ScoreDefinition.Rule? {
        let keys = ["did", "where", "who", "points", "cap"]
        guard let section = Section(value, path: path, keys: keys, findings: parts.findings) else {
            return nil
        }
        section.require("points", "a number")
        let points = parts.decimal(section, "points") ?? .zero
        let cap = parts.decimal(section, "cap")
        if section.has("who") {
            for key in ["did", "where", "cap"] where section.has(key) {
                parts.findings.add(
                    Mistake(section.place(of: key), "\(section.name(key)) has no meaning beside who"))
            }
            return parts.expression(section, "who", .segment).map { .profile($0, points: points) }
        }
        section.require("did", "an activity, or who and a condition on the profile")
        return parts.pattern(section).map { .event($0, points: points, cap: cap) }
    }

    private static func bands(_ section: Section, _ parts: PartReader) -> [ScoreDefinition.Band] {
        guard let value = section.value("bands") else { return [] }
        var bands: [ScoreDefinition.Band] = []
        for entry in parts.named(value, section.name("bands")) {
            guard case .scalar(let scalar) = entry.value, let from = Decimal(scalar.text) else {
                section.refuse(
                    entry.value, "\(section.name("bands")).\(entry.key)",
                    Refusal("is no number", expected: "the points from which it begins"))
                continue
            }
            bands.append(ScoreDefinition.Band(name: entry.key, from: from))
        }
        return bands.sorted { $0.from > $1.from || $0.from == $1.from && $0.name < $1.name }
    }
}
