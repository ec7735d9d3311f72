import ConfigurationFile
import Foundations
import Glibc

/// All that the files of a folder say: `panel`, `webhooks`, `segments`, `scores`, `journeys`, `scenarios`.
///
/// Any number of files, in any order; a name is defined once. Nothing is connected to and no secret is needed:
/// `${NAME}` stays a reference. The webhooks are only names here; their room reads them from `webhookSections`.
package struct DefinitionFolder {
    static let keys = [
        "panel", "timezone", "primary_key", "webhooks", "segments", "scores", "journeys", "scenarios",
    ]

    /// `webhooks` of one file, to be read by the room that sends. Mistakes go to `findings`.
    package struct WebhookSection {
        package let file: String
        package let value: Value
        package let findings: Findings
    }

    /// Settings of `waymark.yaml` that may stand in the folder as well.
    package struct Panel: Sendable, Equatable {
        package var name: String?
        package var timezone: String?
        package var primaryKey: String?
    }

    package private(set) var panel = Panel()
    package private(set) var webhookSections: [WebhookSection] = []
    package private(set) var webhooks: [String] = []
    package private(set) var segments: [SegmentDefinition] = []
    package private(set) var scores: [ScoreDefinition] = []
    package private(set) var journeys: [JourneyDefinition] = []
    package private(set) var scenarios: [Scenario] = []
    package private(set) var files: [String] = []
    private var findings: [(file: String, findings: Findings)] = []
    private let references = References()
    /// Where each name was defined: (kind, name) → file and line.
    private var places: [String: (file: String, line: Int)] = [:]

    /// Reads folders, or single files. What cannot be read is a mistake as well.
    package init(_ paths: [String]) {
        for path in paths {
            let inside = Self.files(in: path)
            if inside.isEmpty {
                note(
                    path,
                    access(path, R_OK) == 0 ? "there are no .yaml files in it" : "there is no such folder")
            }
            for file in inside where !files.contains(file) { read(file) }
        }
        check()
    }

    /// For texts that are in no file, by name.
    package init(texts: [(name: String, text: String)]) {
        for (name, text) in texts { read(text, file: name) }
        check()
    }

    /// Sorted by name, so that mistakes come in the same order everywhere.
    private static func files(in path: String) -> [String] {
        guard let directory = opendir(path) else { return access(path, R_OK) == 0 ? [path] : [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.first != ".", name.hasSuffix(".yaml") || name.hasSuffix(".yml") { names.append(name) }
        }
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        return names.sorted().map { base == "." ? $0 : "\(base)/\($0)" }
    }

    private mutating func read(_ path: String) {
        do {
            let bytes = try readFile(path, atMost: 4 << 20)
            if let text = String(validating: bytes, as: UTF8.self) { return read(text, file: path) }
            note(path, "is not UTF-8 text")
        } catch {
            note(path, error.code == EFBIG ? "too large: at most 4MiB" : "cannot be read: \(error)")
        }
    }

    private mutating func note(_ path: String, _ problem: String) {
        let one = Findings()
        one.add(Mistake(nil, problem))
        findings.append((path, one))
    }

    private mutating func read(_ text: String, file: String) {
        let found = Findings()
        findings.append((file, found))
        files.append(file)
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        guard let root = Document(text, environment: nil, findings: found).root,
            let section = Section(root, path: "", keys: Self.keys, findings: found)
        else { return }
        readPanel(section, file)
        let parts = PartReader(findings: found, references: references)
        if let value = section.value("webhooks") {
            webhookSections.append(WebhookSection(file: file, value: value, findings: found))
            for entry in define("webhook", value, parts, file) { webhooks.append(entry.key) }
        }
        if let value = section.value("segments") {
            segments += define("segment", value, parts, file).compactMap {
                SegmentReader.segment($0.key, $0.value, findings: found, references: references)
            }
        }
        if let value = section.value("scores") {
            scores += define("score", value, parts, file).compactMap {
                SegmentReader.score($0.key, $0.value, findings: found, references: references)
            }
        }
        if let value = section.value("journeys") {
            journeys += define("journey", value, parts, file).compactMap {
                JourneyReader($0.key, $0.value, findings: found, references: references).journey
            }
        }
        if let value = section.value("scenarios") {
            for entry in define("scenario", value, parts, file) {
                let reader = ScenarioReader(entry.key, entry.value, findings: found, references: references)
                guard var scenario = reader.scenario else { continue }
                (scenario.file, scenario.line) = (file, entry.place.line)
                scenarios.append(scenario)
            }
        }
    }

    /// The entries whose names no file has defined yet.
    private mutating func define(_ kind: String, _ value: Value, _ parts: PartReader, _ file: String)
        -> [Entry]
    {
        var new: [Entry] = []
        // Within one file, `named` has said it.
        for entry in parts.named(value, "\(kind)s") {
            if let earlier = places["\(kind) \(entry.key)"] {
                let problem =
                    "\(kind) \(quoted(entry.key)) is there already, in \(earlier.file):\(earlier.line)"
                parts.findings.add(Mistake(entry.place, problem, expected: "each name once"))
            } else {
                places["\(kind) \(entry.key)"] = (file, entry.place.line)
                new.append(entry)
            }
        }
        return new
    }

    private mutating func readPanel(_ section: Section, _ file: String) {
        if let name = section.text("panel", Check.name) { set(\.name, name, "panel", section, file) }
        let zone = section.text("timezone") { text throws(Refusal) in try Check.timeZone(text) }
        if let zone { set(\.timezone, zone, "timezone", section, file) }
        if let key = section.text("primary_key", Check.name) {
            set(\.primaryKey, key, "primary_key", section, file)
        }
    }

    /// Two different values of a setting are an error.
    private mutating func set(
        _ path: WritableKeyPath<Panel, String?>, _ value: String, _ key: String, _ section: Section,
        _ file: String
    ) {
        let earlier = places["setting \(key)"]
        if let before = panel[keyPath: path], before != value, let earlier {
            section.findings.add(
                Mistake(
                    section.place(of: key), "\(key) is another one in \(earlier.file):\(earlier.line)",
                    expected: quoted(before), found: quoted(value)))
        } else {
            panel[keyPath: path] = value
            places["setting \(key)"] = (file, section.place(of: key).line)
        }
    }

    /// A setting that `waymark.yaml` gives another value is a mistake too: only one of the two could hold.
    ///
    /// - Parameter file: What that file is called.
    package func compare(with settings: PanelSettings, of file: String) {
        let both: [(key: String, here: String?, there: String?)] = [
            ("panel", panel.name, settings.panel), ("timezone", panel.timezone, settings.timezone),
            ("primary_key", panel.primaryKey, settings.primaryKey),
        ]
        for (key, here, there) in both {
            guard let here, let there, here != there, let place = places["setting \(key)"],
                let found = findings.first(where: { $0.file == place.file })
            else { continue }
            found.findings.add(
                Mistake(
                    Place(place.line, 1), "\(key) is another one in \(file)", expected: quoted(there),
                    found: quoted(here)))
        }
    }

    // MARK: What only all files together can say

    /// Also names that are wrong in their own definition count as known: one mistake is said once.
    private func names(_ kind: String) -> [String] {
        places.keys.filter { $0.hasPrefix("\(kind) ") }.map { String($0.dropFirst(kind.count + 1)) }
    }

    private func check() {
        let bands = Dictionary(scores.map { ($0.name, $0.bands.map(\.name)) }) { a, _ in a }
        references.check(
            [
                .webhook: names("webhook"), .segment: names("segment"), .score: names("score"),
                .journey: names("journey"),
            ], bands: bands)
        references.checkCycles()
    }

    // MARK: What came of it

    /// All mistakes, a line each, by file and place; with those that others noted in a section's findings.
    package var mistakes: [String] {
        findings.flatMap { file, found in Findings.sorted(found.mistakes).map { $0.text(in: file) } }
    }

    package var warnings: [String] {
        findings.flatMap { file, found in Findings.sorted(found.warnings).map { $0.text(in: file) } }
    }

    package func journey(_ name: String) -> JourneyDefinition? { journeys.first { $0.name == name } }

    /// The attributes of profiles that are asked for, sorted.
    package var attributes: [String] {
        let mentions = references.expressions.flatMap(\.expression.mentions)
        let names = mentions.filter { $0.kind == .attribute }.map(\.name)
        return Set(names + sentAttributes.map(\.name)).sorted()
    }

    /// The attributes that webhooks send along, with where they stand.
    private var sentAttributes: [(name: String, place: Place, findings: Findings)] {
        webhookSections.flatMap { section -> [(name: String, place: Place, findings: Findings)] in
            guard case .map(let webhooks, _) = section.value else { return [] }
            return webhooks.flatMap { Self.texts("attributes", in: $0.value) }
                .map { ($0.text, $0.place, section.findings) }
        }
    }

    /// A key's list of texts, or its only one.
    private static func texts(_ key: String, in value: Value) -> [Scalar] {
        guard case .map(let entries, _) = value, let found = entries.first(where: { $0.key == key }) else {
            return []
        }
        let items = if case .list(let items, _) = found.value { items } else { [found.value] }
        return items.compactMap { if case .scalar(let scalar) = $0 { scalar } else { nil } }
    }

    /// Warns of activities, properties and attributes that nobody has sent yet, of each name once.
    package func compare(with vocabulary: Vocabulary) {
        var told: Set<String> = []
        for (key, place, found) in references.activities
        where vocabulary.activities[key] == nil && told.insert(key).inserted {
            warn(
                "no event of activity \(quoted(key)) was seen yet", key, Array(vocabulary.activities.keys),
                place, found)
        }
        func look(forAttribute name: String, _ place: Place, _ found: Findings) {
            guard !vocabulary.attributes.contains(name), told.insert("attr.\(name)").inserted else { return }
            let problem = "no profile has the attribute \(quoted(name)) yet"
            warn(problem, name, vocabulary.attributes, place, found)
        }
        // Private ones are not in the catalogue's list.
        for sent in sentAttributes where !sent.name.hasPrefix("private.") {
            look(forAttribute: sent.name, sent.place, sent.findings)
        }
        for placed in references.expressions {
            for mention in placed.expression.mentions {
                let place = placed.place(of: mention.offset)
                switch mention.kind {
                case .attribute: look(forAttribute: mention.name, place, placed.findings)
                case .propertyOf(let activity):
                    compare(mention.name, [activity], vocabulary, place, placed.findings)
                case .property: compare(mention.name, placed.activities, vocabulary, place, placed.findings)
                case .entryProperty: compare(mention.name, placed.entries, vocabulary, place, placed.findings)
                default: break
                }
            }
        }
    }

    private func compare(
        _ name: String, _ activities: [String], _ vocabulary: Vocabulary, _ place: Place, _ found: Findings
    ) {
        let seen = activities.compactMap { vocabulary.activities[$0] }
        let known = Set(seen.flatMap { $0 })
        guard seen.count == activities.count, !seen.isEmpty, !known.contains(name) else { return }
        // The names of a map are not told apart.
        guard !known.contains("{*}") else { return }
        let what = activities.joined(separator: ", ")
        warn("no event of \(what) had the property \(quoted(name)) yet", name, known.sorted(), place, found)
    }

    private func warn(_ problem: String, _ name: String, _ known: [String], _ place: Place, _ found: Findings)
    {
        let near = nearest(to: name, among: known.sorted())
        found.warn(place, problem + (near.map { " (did you mean \(quoted($0))?)" } ?? ""))
    }
}

/// What the catalogue has seen: activities by key with their properties, and the attributes of profiles.
package struct Vocabulary: Sendable {
    package var activities: [String: [String]]
    package var attributes: [String]

    package init(activities: [String: [String]], attributes: [String]) {
        self.activities = activities
        self.attributes = attributes
    }
}
