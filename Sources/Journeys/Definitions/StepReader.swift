import ConfigurationFile
import Foundations
import Payload

/// Reads the steps of a journey.
struct StepReader {
    private static let kinds = ["webhook", "wait", "split", "ab", "set", "exit"]
    private static let beside = [
        "webhook": ["params"], "wait": ["until", "then"], "split": [], "ab": [], "set": [], "exit": [],
    ]
    /// Branches inside branches.
    private static let deepest = 8

    let findings: Findings
    let references: References
    let parts: PartReader
    let entries: [String]

    func steps(_ value: Value, _ path: String, depth: Int = 0) -> [JourneyDefinition.Step] {
        guard case .list(let items, _) = value else {
            findings.add(
                Mistake(
                    value.place, "\(path) is not a list", expected: "a list of steps",
                    found: value.described()))
            return []
        }
        guard depth <= Self.deepest else {
            findings.add(
                Mistake(
                    value.place, "\(path) is nested too deeply", expected: "at most \(Self.deepest) levels"))
            return []
        }
        if items.isEmpty {
            findings.add(Mistake(value.place, "\(path) is empty", expected: "at least one step"))
        }
        return items.enumerated().compactMap { step($1, "\(path)[\($0)]", depth) }
    }

    private func step(_ value: Value, _ path: String, _ depth: Int) -> JourneyDefinition.Step? {
        let keys = Self.kinds + ["params", "until", "then"]
        guard let section = Section(value, path: path, keys: keys, findings: findings) else { return nil }
        let kinds = Self.kinds.filter(section.has)
        guard kinds.count == 1, let kind = kinds.first else {
            let problem = kinds.isEmpty ? "does nothing" : "does \(kinds.joined(separator: " and "))"
            findings.add(
                Mistake(
                    section.place, "\(path) \(problem)",
                    expected: "one of \(Self.kinds.joined(separator: ", "))"))
            return nil
        }
        for key in ["params", "until", "then"]
        where section.has(key) && Self.beside[kind]?.contains(key) != true {
            findings.add(
                Mistake(section.place(of: key), "\(section.name(key)) has no meaning beside \(kind)"))
        }
        switch kind {
        case "webhook": return webhook(section)
        case "wait": return wait(section)
        case "split": return split(section, depth)
        case "ab": return ab(section, depth)
        case "set": return set(section)
        default: return section.text("exit", Check.printable).map(JourneyDefinition.Step.exit)
        }
    }

    private func webhook(_ section: Section) -> JourneyDefinition.Step? {
        let name = section.text("webhook", Check.name)
        var params: [JourneyDefinition.Param] = []
        if let value = section.value("params") {
            for entry in parts.named(value, section.name("params")) {
                let path = "\(section.name("params")).\(entry.key)"
                guard let template = parts.template(entry.value, path, entries: entries) else { continue }
                params.append(JourneyDefinition.Param(name: entry.key, template: template))
            }
        }
        guard let name else { return nil }
        references.add(.webhook, name, at: section.value("webhook")?.place ?? section.place, findings)
        return .webhook(name, params: params)
    }

    private func wait(_ section: Section) -> JourneyDefinition.Step? {
        let time = parts.duration(section, "wait")
        let until = section.value("until").map {
            parts.patterns($0, section.name("until"), entries: entries)
        }
        let then = section.text("then") { text throws(Refusal) in
            try Check.choice(text, of: JourneyDefinition.Then.self)
        }
        if then != nil, until == nil {
            findings.add(
                Mistake(
                    section.place(of: "then"), "\(section.name("then")) has nothing to follow",
                    expected: "until"))
        }
        return time.map { .wait($0, until: until ?? [], then: then ?? .continue) }
    }

    private func list(_ section: Section, _ key: String) -> [Value] {
        guard let value = section.value(key) else { return [] }
        guard case .list(let items, _) = value else {
            section.refuse(value, section.name(key), Refusal("is no list of branches", expected: "a list"))
            return []
        }
        if items.isEmpty {
            findings.add(
                Mistake(value.place, "\(section.name(key)) is empty", expected: "at least one branch"))
        }
        return items
    }

    private func split(_ section: Section, _ depth: Int) -> JourneyDefinition.Step {
        var branches: [JourneyDefinition.Branch] = []
        let items = list(section, "split")
        for (i, item) in items.enumerated() {
            let path = "\(section.name("split"))[\(i)]"
            guard let branch = Section(item, path: path, keys: ["if", "else", "do"], findings: findings)
            else {
                continue
            }
            branch.require("do", "its steps")
            if branch.has("if") == branch.has("else") {
                findings.add(Mistake(branch.place, "\(path) has no condition", expected: "if, or else: true"))
            }
            if branch.has("else"), branch.flag("else") == false || i + 1 < items.count {
                findings.add(
                    Mistake(
                        branch.place(of: "else"), "\(branch.name("else")) cannot be",
                        expected: "else: true, as the last branch"))
            }
            let condition = parts.expression(branch, "if", of: entries, entries: entries)
            let steps = branch.value("do").map { self.steps($0, branch.name("do"), depth: depth + 1) }
            branches.append(JourneyDefinition.Branch(condition: condition, steps: steps ?? []))
        }
        return .split(branches)
    }

    private func ab(_ section: Section, _ depth: Int) -> JourneyDefinition.Step {
        var shares: [JourneyDefinition.Share] = []
        for (i, item) in list(section, "ab").enumerated() {
            let path = "\(section.name("ab"))[\(i)]"
            guard let branch = Section(item, path: path, keys: ["share", "do"], findings: findings) else {
                continue
            }
            branch.require("share", "a percentage")
            branch.require("do", "its steps")
            let steps = branch.value("do").map { self.steps($0, branch.name("do"), depth: depth + 1) }
            shares.append(
                JourneyDefinition.Share(share: parts.percentage(branch, "share") ?? 0, steps: steps ?? []))
        }
        let total = shares.reduce(0) { $0 + $1.share }
        if total > 10_000 {
            findings.add(
                Mistake(
                    section.place(of: "ab"), "\(section.name("ab")) has \(percent(total)) in all",
                    expected: "at most 100%"))
        }
        return .ab(shares)
    }

    private func set(_ section: Section) -> JourneyDefinition.Step? {
        guard let value = section.value("set") else { return nil }
        return .set(
            parts.named(value, section.name("set")).compactMap { entry in
                let path = "\(section.name("set")).\(entry.key)"
                return parts.expression(entry.value, path, .value, of: entries, entries: entries)
                    .map { JourneyDefinition.Assignment(name: entry.key, value: $0) }
            })
    }
}
