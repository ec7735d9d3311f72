import ConfigurationFile
import Foundations
import Payload

/// Reads what journeys, segments and scores have in common: expressions, patterns of events, numbers.
struct PartReader {
    let findings: Findings
    let references: References

    // MARK: Expressions

    func expression(
        _ section: Section, _ key: String, _ purpose: Expression.Purpose = .condition,
        of activities: [String] = [], entries: [String] = []
    ) -> Expression? {
        section.value(key).flatMap {
            expression($0, section.name(key), purpose, of: activities, entries: entries)
        }
    }

    func expression(
        _ value: Value, _ name: String, _ purpose: Expression.Purpose, of activities: [String] = [],
        entries: [String] = []
    ) -> Expression? {
        guard let scalar = scalar(value, name, "an expression") else { return nil }
        do {
            let expression = try Expression(scalar.text, purpose)
            note(expression, at: scalar, of: activities, entries: entries)
            return expression
        } catch {
            add(error, scalar, name)
            return nil
        }
    }

    func template(_ value: Value, _ name: String, entries: [String]) -> Template? {
        guard let scalar = scalar(value, name, "a text") else { return nil }
        do {
            let template = try Template(scalar.text)
            for expression in template.expressions {
                note(expression, at: scalar, of: entries, entries: entries, isWhole: false)
            }
            return template
        } catch {
            add(error, scalar, name)
            return nil
        }
    }

    /// A single value as a text, whatever it looks like.
    private func scalar(_ value: Value, _ name: String, _ expected: String) -> Scalar? {
        guard case .scalar(let scalar) = value, !scalar.isNull else {
            findings.add(Mistake(value.place, "\(name) is not \(expected)", found: value.described()))
            return nil
        }
        return scalar.isBroken ? nil : scalar
    }

    private func add(_ error: ExpressionError, _ scalar: Scalar, _ name: String) {
        let place = isInline(scalar) ? inside(scalar, error.offset) : scalar.place
        findings.add(
            Mistake(
                place, "\(name), character \(error.offset + 1): \(error.problem)", expected: error.expected,
                suggestion: error.suggestion))
    }

    private func isInline(_ scalar: Scalar) -> Bool {
        !scalar.text.unicodeScalars.contains { $0 == "\n" || $0 == "\\" }
            && !(!scalar.isPlain && scalar.text.contains("'"))
    }

    private func inside(_ scalar: Scalar, _ offset: Int) -> Place {
        Place(scalar.place.line, scalar.place.column + offset + (scalar.isPlain ? 0 : 1))
    }

    private func note(
        _ expression: Expression, at scalar: Scalar, of activities: [String], entries: [String],
        isWhole: Bool = true
    ) {
        let isInline = isWhole && isInline(scalar)
        let start = inside(scalar, 0)
        let placed = References.Placed(
            expression: expression, place: isInline ? start : scalar.place, activities: activities,
            entries: entries, findings: findings, isInline: isInline)
        references.expressions.append(placed)
        for mention in expression.mentions {
            let place = placed.place(of: mention.offset)
            switch mention.kind {
            case .segment: references.add(.segment, mention.name, at: place, findings)
            case .score: references.add(.score, mention.name, at: place, findings)
            case .activity: references.activities.append((mention.name, place, findings))
            default: break
            }
        }
    }

    // MARK: Events

    static let patternKeys = ["did", "where"]

    /// `did` and `where` of a section that may have more keys.
    func pattern(_ section: Section, entries: [String] = []) -> JourneyDefinition.EventPattern? {
        let activities = activities(section)
        let condition = expression(section, "where", of: activities ?? [], entries: entries)
        guard let activities, !section.has("where") || condition != nil else { return nil }
        return JourneyDefinition.EventPattern(activities: activities, condition: condition)
    }

    /// A mapping with `did` and `where`, or a list of them.
    func patterns(_ value: Value, _ name: String, entries: [String]) -> [JourneyDefinition.EventPattern] {
        guard case .list(let items, _) = value else {
            return pattern(value, name, entries: entries).map { [$0] } ?? []
        }
        if items.isEmpty {
            findings.add(Mistake(value.place, "\(name) is empty", expected: "at least one event"))
        }
        return items.enumerated().compactMap { pattern($1, "\(name)[\($0)]", entries: entries) }
    }

    private func pattern(
        _ value: Value, _ name: String, entries: [String]
    ) -> JourneyDefinition.EventPattern? {
        guard let section = Section(value, path: name, keys: Self.patternKeys, findings: findings) else {
            return nil
        }
        section.require("did", "the name of an activity")
        return pattern(section, entries: entries)
    }

    private func activities(_ section: Section) -> [String]? {
        let names = section.texts("did", emptyAllowed: false) { text throws(Refusal) -> String in
            guard let key = activityKey(try Check.printable(text)) else {
                throw Refusal("is blank", expected: "the name of an activity")
            }
            return key
        }
        guard let names, !names.isEmpty else { return nil }
        for (key, place) in names { references.activities.append((key, place, findings)) }
        var keys: [String] = []
        for (key, _) in names where !keys.contains(key) { keys.append(key) }
        return keys
    }

    // MARK: Numbers

    func decimal(_ section: Section, _ key: String) -> Decimal? {
        guard let value = section.value(key) else { return nil }
        if case .scalar(let scalar) = value, let number = Decimal(scalar.text) { return number }
        section.refuse(
            value, section.name(key), Refusal("is no number", expected: "a number such as 40 or 2.5"))
        return nil
    }

    /// In hundredths: `12.5%` is 1250.
    func percentage(_ section: Section, _ key: String) -> Int? {
        section.text(key) { text throws(Refusal) -> Int in
            let digits = text.last == "%" ? String(text.dropLast()) : ""
            if let number = Decimal(digits), let hundredths = Decimal.product(number, Decimal(100))?.integer,
                (0...10_000).contains(hundredths)
            {
                return hundredths
            }
            throw Refusal("is no share", expected: "a percentage such as 10% or 12.5%, from 0% to 100%")
        }
    }

    static let longest: Int64 = 3660 * JourneyDefinition.day

    func duration(_ section: Section, _ key: String, from least: Int64 = 1_000) -> Int64? {
        section.duration(key, in: least...Self.longest)
    }

    /// The entries of a mapping whose keys are names that people choose; a repeated one is a mistake.
    func named(_ value: Value, _ path: String) -> [Entry] {
        guard case .map(let entries, _) = value else {
            let expected = "a mapping: a name for each, and under it its keys"
            findings.add(
                Mistake(value.place, "\(path) is not a mapping", expected: expected, found: value.described())
            )
            return []
        }
        var seen: [String: Place] = [:]
        var good: [Entry] = []
        for entry in entries {
            if let earlier = seen[entry.key] {
                let problem = "\(path).\(entry.key) is there already, in line \(earlier.line)"
                findings.add(Mistake(entry.place, problem, expected: "each name once"))
                continue
            }
            seen[entry.key] = entry.place
            do throws(Refusal) {
                _ = try Check.name(entry.key)
                good.append(entry)
            } catch {
                let problem = "the name \(quoted(entry.key)) \(error.problem)"
                findings.add(Mistake(entry.place, problem, expected: error.expected))
            }
        }
        return good
    }
}
