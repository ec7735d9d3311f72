import Foundations

extension Check {
    /// Two letters of ISO 3166 whose telephone numbers we can complete.
    static func country(_ text: String) throws(Refusal) -> String {
        let country = text.uppercased()
        if NumberingPlan.of(country) != nil { return country }
        throw Refusal(
            "is no country that is known", expected: "two letters such as IN, DE or US",
            suggestion: nearest(to: country, among: NumberingPlan.countries))
    }

    /// What a person is known by.
    static func kind(_ text: String) throws(Refusal) -> String {
        let kind = try name(text)
        if kind == IdentityKind.reserved {
            throw Refusal("is reserved", expected: "another name: profile ids of sources are kept under it")
        }
        if kind.utf8.count > 64 || kind.contains(":") {
            throw Refusal(
                "is no name of a kind", expected: "at most 64 bytes without a colon, such as loyalty_id")
        }
        return kind
    }

    /// A trait's name; the private ones stand under `private.`.
    static func trait(_ text: String) throws(Refusal) -> String {
        let trait = try name(text)
        let parts = trait.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = parts.count == 1 && trait != "private"
        let isPrivate = parts.count == 2 && parts[0] == "private" && !parts[1].isEmpty
        guard isPlain || isPrivate, trait.utf8.count <= 128 else {
            throw Refusal(
                "is no trait's name", expected: "a name without dots, or private. and such a name")
        }
        return trait
    }

    /// `properties.customer.email`, `context.…`, and where it makes sense `traits.…`.
    static func path(_ text: String, _ roots: [ValuePath.Root]) throws(Refusal) -> ValuePath {
        let expected = roots.map { "\($0.rawValue).…" }.joined(separator: " or ")
        guard let path = ValuePath(text), roots.contains(path.root) else {
            let first = String(text.prefix { $0 != "." })
            throw Refusal(
                "is no place in an event", expected: expected,
                suggestion: nearest(to: first, among: roots.map(\.rawValue)).map {
                    $0 + text.dropFirst(first.count)
                })
        }
        return path
    }
}

extension Section {
    /// A mapping below this one; nil when it is left out or wrong.
    func part(_ key: String, _ keys: [String]) -> Section? {
        value(key).flatMap { Section($0, path: name(key), keys: keys, findings: findings) }
    }

    /// A mapping or a list of mappings.
    func entries(_ key: String, _ keys: [String]) -> [Section] {
        guard let value = value(key) else { return [] }
        guard case .list(let items, _) = value else {
            return Section(value, path: name(key), keys: keys, findings: findings).map { [$0] } ?? []
        }
        return items.enumerated().compactMap { i, item in
            Section(item, path: "\(name(key))[\(i)]", keys: keys, findings: findings)
        }
    }

    func activities(_ key: String) -> [String] { texts(key, Check.pattern)?.map(\.value) ?? [] }
}

extension IdentityKind {
    static let keys = ["kind", "form", "several"]
}

extension TraitRule {
    static let keys = ["name", "merge", "type"]

    fileprivate init?(_ section: Section) {
        section.require("name", "a trait's name, such as company")
        guard let name = section.text("name", Check.trait) else { return nil }
        self.init(name)
        merge = section.text("merge") { text throws(Refusal) in try Check.choice(text, of: Merge.self) }
        let content = section.text("type") { text throws(Refusal) in try Check.choice(text, of: Content.self)
        }
        self.content = content ?? .any
    }
}

extension IdentityConfiguration {
    init(_ section: Section, primaryKey: String?) {
        self.init()
        country = section.text("country", Check.country)
        for entry in section.entries("identities", IdentityKind.keys) {
            entry.require("kind", "a kind of identity, such as loyalty_id")
            guard let name = entry.text("kind", Check.kind) else { continue }
            var kind = IdentityKind(name, primaryKey: primaryKey)
            let form = entry.text("form") { text throws(Refusal) in
                try Check.choice(text, of: IdentityKind.Form.self)
            }
            kind.form = form ?? kind.form
            kind.several = entry.flag("several") ?? kind.several
            Self.refuseTwice(kinds.contains { $0.name == name }, entry, "kind", name)
            kinds.append(kind)
        }
        for entry in section.entries("traits", TraitRule.keys) {
            guard let rule = TraitRule(entry) else { continue }
            Self.refuseTwice(traits.contains { $0.name == rule.name }, entry, "name", rule.name)
            traits.append(rule)
        }
    }

    private static func refuseTwice(_ isThere: Bool, _ section: Section, _ key: String, _ name: String) {
        if !isThere { return }
        section.findings.add(
            Mistake(
                section.place(of: key), "\(section.name(key)) \(quoted(name)) is there already",
                expected: "each once"))
    }

    /// What is configured and used by nobody is most likely misspelt.
    func check(_ sources: [Source], _ section: Section) {
        let used = sources.flatMap(\.identify).map(\.kind)
        for kind in kinds where !used.contains(kind.name) {
            let near = nearest(to: kind.name, among: used).map { "; did you mean \(quoted($0))?" } ?? ""
            section.findings.warn(
                section.place(of: "identities"),
                "identities names \(quoted(kind.name)), which no source identifies by\(near)")
        }
    }
}

extension IdentityPoint {
    static let keys = ["by", "from", "activity", "within", "trait", "country"]

    init?(_ section: Section) {
        section.require("by", "what it identifies by: email, phone, or another kind")
        section.require("from", "where it stands, such as properties.email")
        let kind = section.text("by", Check.kind)
        let from = section.text("from") { text throws(Refusal) in
            try Check.path(text, ValuePath.Root.allCases)
        }
        let day: Int64 = 86_400_000_000
        let within = section.duration("within", in: 1_000_000...3650 * day)
        let country = section.text("country", Check.country)
        let activities = section.activities("activity")
        var trait = kind
        if case .scalar(let scalar) = section.value("trait"), scalar.flag == false {
            trait = nil
        } else if section.has("trait") {
            trait = section.text("trait", Check.trait)
        }
        guard let kind, let from else { return nil }
        self.init(kind: kind, from: from)
        self.within = within ?? self.within
        (self.country, self.activities, self.trait) = (country, activities, trait)
    }
}

extension TraitMapping {
    static let keys = Operation.allCases.map(\.rawValue) + ["from", "value", "by", "activity"]

    init?(_ section: Section) {
        let named = Operation.allCases.filter { section.has($0.rawValue) }
        guard let operation = named.first, named.count == 1 else {
            let expected =
                "one of " + Operation.allCases.map { "\($0.rawValue): NAME" }.joined(separator: ", ")
            let found = named.isEmpty ? "none" : named.map(\.rawValue).joined(separator: " and ")
            section.findings.add(
                Mistake(
                    section.place, "\(section.path) does not say what it does", expected: expected,
                    found: found))
            return nil
        }
        let trait = section.text(operation.rawValue, Check.trait)
        let value = Self.value(section, operation)
        let activities = section.activities("activity")
        guard let trait, let value else { return nil }
        self.init(operation, trait, value)
        self.activities = activities
    }

    /// `from` or a constant; an increment is by 1 where nothing is said, an unset has none.
    private static func value(_ section: Section, _ operation: Operation) -> Value? {
        let sources = ["from", "value", "by"].filter { section.has($0) }
        let allowed =
            operation == .unset ? [] : operation == .increment ? ["from", "by"] : ["from", "value"]
        if let wrong = sources.first(where: { !allowed.contains($0) }) {
            let expected = allowed.isEmpty ? "nothing besides activity" : allowed.joined(separator: " or ")
            let problem = "\(section.name(wrong)) means nothing to \(operation.rawValue)"
            section.findings.add(Mistake(section.place(of: wrong), problem, expected: expected))
            return nil
        }
        if sources.count > 1 || sources.isEmpty && (operation != .unset && operation != .increment) {
            let problem = "\(section.path) has " + (sources.isEmpty ? "no value" : "two values")
            section.findings.add(Mistake(section.place, problem, expected: allowed.joined(separator: " or ")))
            return nil
        }
        switch sources.first {
        case "from":
            return section.text("from") { text throws(Refusal) in
                try Check.path(text, [.properties, .context])
            }.map(Value.from)
        case .some(let key): return constant(section, key, isNumber: operation == .increment)
        case nil: return operation == .unset ? .nothing : .constant("1")
        }
    }

    private static func constant(_ section: Section, _ key: String, isNumber: Bool) -> Value? {
        guard let value = section.value(key), case .scalar(let scalar) = value, !scalar.isNull else {
            section.value(key).map {
                section.refuse(
                    $0, section.name(key), Refusal("is no single value", expected: "a text or a number"))
            }
            return nil
        }
        if scalar.isBroken { return nil }
        if scalar.isPlain, isJSONNumber(scalar.text) { return .constant(scalar.text) }
        if isNumber {
            section.refuse(
                value, section.name(key), Refusal("is no number", expected: "a number such as 1 or 0.5"))
            return nil
        }
        if let flag = scalar.flag { return .constant(flag ? "true" : "false") }
        return .constant(jsonString(scalar.text))
    }

    private static func isJSONNumber(_ text: String) -> Bool {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), digits.utf8.count <= 100 else { return false }
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }) else {
            return false
        }
        return parts[0] == "0" || parts[0].first != "0"
    }

    private static func jsonString(_ text: String) -> String {
        var json = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": json += "\\\(scalar)"
            case "\u{0}": json += "\u{fffd}"
            case "\u{1}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: json.unicodeScalars.append(scalar)
            }
        }
        return json + "\""
    }
}

extension OutsideLookup {
    static let keys = ["url", "basic", "timeout", "cache", "activity", "allow_networks"]
    private static let basicKeys = ["user", "password"]

    init?(_ section: Section) {
        section.require("url", "whom to ask, such as https://crm.example/who?voucher={properties.voucher_id}")
        let url = section.text("url", Self.url)
        self.init(url: url ?? "")
        let second: Int64 = 1_000_000
        timeout = section.duration("timeout", in: 100_000...60 * second) ?? timeout
        cache = section.duration("cache", in: 0...86_400 * second) ?? cache
        activities = section.activities("activity")
        allowNetworks = section.texts("allow_networks", Check.network)?.map(\.value) ?? []
        if case .map = section.value("basic") {
            let basic = section.part("basic", Self.basicKeys)
            user = basic?.text("user", secret: true, Check.secret)
            password = basic?.text("password", secret: true, Check.secret)
        } else if let pair = section.text("basic", secret: true, Self.basic) {
            (user, password) = (pair.user, pair.password)
        }
        if url == nil { return nil }
    }

    private static func basic(_ text: String) throws(Refusal) -> (user: String, password: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw Refusal(
                "is no user with a password", expected: "${USER}:${PASSWORD}, or {user: …, password: …}")
        }
        return (String(parts[0]), String(parts[1]))
    }

    private static func url(_ text: String) throws(Refusal) -> String {
        try Check.printable(text)
        guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
            throw Refusal("is no URL", expected: "https://… or http://…")
        }
        if text.contains(where: \.isWhitespace) {
            throw Refusal("has white space in it", expected: "a URL without it (write %20)")
        }
        let template = URLTemplate(text)
        let opened = text.count { $0 == "{" }
        guard opened == template.places.count, opened == text.count(where: { $0 == "}" }),
            template.places.allSatisfy({ $0.root != .traits })
        else {
            throw Refusal("has a place that cannot be filled in", expected: "{properties.…} or {context.…}")
        }
        return text
    }
}
