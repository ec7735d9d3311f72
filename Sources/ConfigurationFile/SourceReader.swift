import Foundations

/// Reads `sources`.
struct SourceReader {
    static let keys = [
        "id", "name", "kind", "enabled", "key", "origins", "allow", "deny", "denied", "returns_profile",
        "static_profile_id", "country", "identify", "traits", "lookup", "rate",
    ]

    let findings: Findings
    private(set) var sources: [Source] = []
    /// By bytes: two ids that look alike may be different ids.
    private var places: [[UInt8]: Place] = [:]

    init(_ value: Value, findings: Findings) {
        self.findings = findings
        guard case .list(let items, let place) = value else {
            let expected = "a list: lines that start with \"- id: …\""
            findings.add(
                Mistake(value.place, "sources is not a list", expected: expected, found: value.described()))
            return
        }
        if items.isEmpty { findings.warn(place, "there are no sources: all events will be answered 401") }
        for (i, item) in items.enumerated() {
            let path = "sources[\(i)]"
            if let section = Section(item, path: path, keys: SourceReader.keys, findings: findings) {
                read(section)
            }
        }
    }

    private mutating func read(_ section: Section) {
        section.require("id", "the id that clients send")
        section.require("kind", "web, backend, or [web, backend]")
        let id = section.text("id", Check.sourceID)
        let kinds = section.texts("kind", emptyAllowed: false) { text throws(Refusal) in
            try Check.choice(text, of: Source.Kind.self)
        }
        var source = Source(id: id ?? "", kinds: Set((kinds ?? []).map(\.value)))
        if let name = section.text("name", Check.name) { source.name = name }
        source.enabled = section.flag("enabled") ?? source.enabled
        source.key = section.text("key", secret: true, Check.secret)
        source.origins = section.texts("origins", Check.origin)?.map(\.value) ?? []
        source.allow = section.texts("allow", Check.pattern)?.map(\.value) ?? []
        source.deny = section.texts("deny", Check.pattern)?.map(\.value) ?? []
        let denied = section.text("denied") { text throws(Refusal) in
            try Check.choice(text, of: Source.Denied.self)
        }
        source.denied = denied ?? source.denied
        source.returnsProfile = section.flag("returns_profile") ?? source.returnsProfile
        source.staticProfileID = section.flag("static_profile_id") ?? source.staticProfileID
        source.rate = section.rate("rate")
        source.country = section.text("country", Check.country)
        source.identify = section.entries("identify", IdentityPoint.keys).compactMap { IdentityPoint($0) }
        source.traits = section.entries("traits", TraitMapping.keys).compactMap { TraitMapping($0) }
        source.lookup = section.part("lookup", OutsideLookup.keys).flatMap { OutsideLookup($0) }
        advise(source, section)

        guard let id else { return }
        if let earlier = places.updateValue(section.place(of: "id"), forKey: Array(id.utf8)) {
            let problem = "\(section.name("id")) \(quoted(id)) is another source's, in line \(earlier.line)"
            findings.add(Mistake(section.place(of: "id"), problem, expected: "each id once"))
        }
        sources.append(source)
    }

    private func advise(_ source: Source, _ section: Section) {
        if source.key?.contains(":") == true {
            let text = "\(section.name("key")) holds a colon: it can be sent as Bearer, not as Basic"
            findings.warn(section.place(of: "key"), text)
        }
        if source.key != nil, source.kinds == [.web] {
            let text =
                "\(section.name("key")) has no effect: a page could not keep it secret, so /track asks for none"
            findings.warn(section.place(of: "key"), text)
        }
        if let key = source.key, key.utf8.count < 16 {
            findings.warn(
                section.place(of: "key"), "\(section.name("key")) is short: 16 characters or more are safe")
        }
    }
}
