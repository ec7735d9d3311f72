import ConfigurationFile
import Foundations
import Payload

/// Reads a scenario.
struct ScenarioReader {
    private static let keys = ["journey", "start", "profiles", "events", "expect"]
    private static let eventKeys = ["at", "arrives", "profile", "did", "with", "source"]
    private static let expectKeys = ["at", "webhook", "profile", "params"]

    private(set) var scenario: Scenario?
    private let parts: PartReader
    private let findings: Findings

    init(_ name: String, _ value: Value, findings: Findings, references: References) {
        self.findings = findings
        parts = PartReader(findings: findings, references: references)
        let before = findings.mistakes.count
        let path = "scenarios.\(name)"
        guard let section = Section(value, path: path, keys: Self.keys, findings: findings) else { return }
        section.require("journey", "the journey that it is about")
        section.require("events", "what happens")
        section.require("expect", "what is delivered; [] for nothing")
        let journey = section.text("journey", Check.name)
        if let journey {
            references.add(.journey, journey, at: section.value("journey")?.place ?? section.place, findings)
        }
        let start = section.text("start") { text throws(Refusal) -> Timestamp in
            var text = text
            if let time = text.withUTF8({ EventTime.parse(Bytes($0)) }) { return time }
            throw Refusal("is no moment", expected: "one such as 2026-03-02T22:30:00+05:30")
        }
        var profiles: [String: [UInt8]] = [:]
        if let value = section.value("profiles") {
            for entry in parts.named(value, section.name("profiles")) {
                profiles[entry.key] = json(entry.value)
            }
        }
        var read = Scenario(
            name: name, journey: journey ?? "", start: start, profiles: profiles, events: [], expect: [])
        read.events = list(section, "events").compactMap { event($0, $1) }
        read.expect = list(section, "expect").compactMap { expectation($0, $1, references) }
        read.line = value.place.line
        if findings.mistakes.count == before { scenario = read }
    }

    private func list(_ section: Section, _ key: String) -> [(Value, String)] {
        guard let value = section.value(key) else { return [] }
        guard case .list(let items, _) = value else {
            section.refuse(value, section.name(key), Refusal("is not a list", expected: "a list"))
            return []
        }
        return items.enumerated().map { ($1, "\(section.name(key))[\($0)]") }
    }

    private func event(_ value: Value, _ path: String) -> Scenario.Event? {
        guard let section = Section(value, path: path, keys: Self.eventKeys, findings: findings) else {
            return nil
        }
        section.require("at", "when, counted from the start")
        section.require("did", "the name of an activity")
        let at = parts.duration(section, "at", from: 0) ?? 0
        let arrives = parts.duration(section, "arrives", from: 0) ?? at
        let label = section.text("did", Check.printable)
        let profile = section.text("profile", Check.name)
        let source = section.text("source", Check.name)
        let properties = section.value("with").map(json) ?? Array("{}".utf8)
        guard let label else { return nil }
        return Scenario.Event(
            at: at, arrives: arrives, profile: profile, label: label, properties: properties,
            source: source ?? "scenario")
    }

    private func expectation(
        _ value: Value, _ path: String, _ references: References
    ) -> Scenario.Expectation? {
        guard let section = Section(value, path: path, keys: Self.expectKeys, findings: findings) else {
            return nil
        }
        section.require("at", "when the delivery is queued, counted from the start")
        section.require("webhook", "where it goes")
        let at = parts.duration(section, "at", from: 0) ?? 0
        let webhook = section.text("webhook", Check.name)
        let profile = section.text("profile", Check.name)
        var params: [(name: String, value: String)] = []
        if let value = section.value("params") {
            for entry in parts.named(value, section.name("params")) {
                if case .scalar(let scalar) = entry.value { params.append((entry.key, scalar.text)) }
            }
        }
        guard let webhook else { return nil }
        references.add(.webhook, webhook, at: section.value("webhook")?.place ?? section.place, findings)
        return Scenario.Expectation(at: at, webhook: webhook, profile: profile, params: params)
    }

    // MARK: YAML as JSON

    private func json(_ value: Value) -> [UInt8] {
        guard case .map = value else {
            findings.add(
                Mistake(
                    value.place, "this is not a mapping", expected: "names and values",
                    found: value.described()))
            return Array("{}".utf8)
        }
        var buffer = ByteBuffer(capacity: 256)
        append(value, to: &buffer)
        return Array(buffer.bytes)
    }

    private func append(_ value: Value, to buffer: inout ByteBuffer) {
        switch value {
        case .scalar(let scalar): append(scalar, to: &buffer)
        case .list(let items, _):
            buffer.append(UInt8(ascii: "["))
            for (i, item) in items.enumerated() {
                if i > 0 { buffer.append(UInt8(ascii: ",")) }
                append(item, to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .map(let entries, _):
            buffer.append(UInt8(ascii: "{"))
            for (i, entry) in entries.enumerated() {
                if i > 0 { buffer.append(UInt8(ascii: ",")) }
                appendJSONString(entry.key, to: &buffer)
                buffer.append(UInt8(ascii: ":"))
                append(entry.value, to: &buffer)
            }
            buffer.append(UInt8(ascii: "}"))
        }
    }

    /// What is plain and looks like a number is one, with every digit.
    private func append(_ scalar: Scalar, to buffer: inout ByteBuffer) {
        if scalar.isNull { return buffer.append("null" as StaticString) }
        if let flag = scalar.flag { return buffer.append(flag ? "true" as StaticString : "false") }
        if scalar.isPlain, Decimal(scalar.text) != nil { return buffer.append(scalar.text) }
        appendJSONString(scalar.text, to: &buffer)
    }
}
