import Foundations

/// Why a text is refused: the problem, and what is expected instead.
package struct Refusal: Error {
    package var problem: String
    package var expected: String
    package var suggestion: String?

    package init(_ problem: String, expected: String, suggestion: String? = nil) {
        self.problem = problem
        self.expected = expected
        self.suggestion = suggestion
    }
}

/// One mapping of the file while it is read: knows its keys, and reports what does not fit.
///
/// Every reader returns nil both for a key that is left out and for a value that is wrong; the mistake is noted, the
/// default stays, and reading goes on.
package struct Section {
    /// `limits` or `sources[2]`; empty for the top.
    package let path: String
    package let place: Place
    package let findings: Findings
    private var entries: [String: Entry] = [:]

    /// Nil when the value is not a mapping.
    package init?(_ value: Value, path: String, keys: [String], findings: Findings) {
        (self.path, self.findings, place) = (path, findings, value.place)
        guard case .map(let all, _) = value else {
            let expected = "a mapping with keys such as \(keys.prefix(3).joined(separator: ", "))"
            let problem = (path.isEmpty ? "the file" : path) + " is not a mapping"
            findings.add(Mistake(place, problem, expected: expected, found: value.described()))
            return nil
        }
        for entry in all {
            if !keys.contains(entry.key) {
                let near = nearest(to: entry.key, among: keys)
                let expected = near == nil ? "one of \(keys.joined(separator: ", "))" : nil
                let problem = "unknown key \(quoted(entry.key))" + (path.isEmpty ? "" : " in \(path)")
                findings.add(Mistake(entry.place, problem, expected: expected, suggestion: near))
            } else if let earlier = entries[entry.key]?.place {
                let problem = "\(name(entry.key)) is there already, in line \(earlier.line)"
                findings.add(Mistake(entry.place, problem, expected: "each key once"))
            } else {
                entries[entry.key] = entry
            }
        }
    }

    /// The key with where it stands: `limits.body`.
    package func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    package func place(of key: String) -> Place { entries[key]?.place ?? place }
    package func has(_ key: String) -> Bool { entries[key] != nil }

    package func value(_ key: String) -> Value? { entries[key]?.value }

    /// A key that must be there.
    package func require(_ key: String, _ expected: String) {
        if !has(key) { findings.add(Mistake(place, "\(path) has no \(key)", expected: expected)) }
    }

    package func flag(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        if case .scalar(let scalar) = value {
            if scalar.isBroken { return nil }
            if let flag = scalar.flag { return flag }
        }
        let expected = "true or false, without quotes"
        refuse(value, name(key), Refusal("is neither true nor false", expected: expected))
        return nil
    }

    package func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        if case .scalar(let scalar) = value {
            if scalar.isBroken { return nil }
            if let number = scalar.number, range.contains(number) { return number }
        }
        let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
        refuse(value, name(key), Refusal("is no such number", expected: expected))
        return nil
    }

    /// A text, as it is or made into something.
    package func text<T>(_ key: String, secret: Bool = false, _ parse: (String) throws(Refusal) -> T) -> T? {
        value(key).flatMap { text($0, name(key), secret: secret, parse) }
    }

    /// A list of texts, or one text instead of a list of one. Items that are wrong are left out.
    package func texts<T>(
        _ key: String, emptyAllowed: Bool = true, _ parse: (String) throws(Refusal) -> T
    ) -> [(value: T, place: Place)]? {
        guard let value = value(key) else { return nil }
        guard case .list(let items, _) = value else {
            return text(value, name(key), secret: false, parse).map { [($0, value.place)] }
        }
        if items.isEmpty, !emptyAllowed {
            refuse(value, name(key), Refusal("is empty", expected: "at least one value"))
        }
        return items.enumerated().compactMap { i, item in
            text(item, "\(name(key))[\(i)]", secret: false, parse).map { ($0, item.place) }
        }
    }

    private func text<T>(
        _ value: Value, _ name: String, secret: Bool, _ parse: (String) throws(Refusal) -> T
    ) -> T? {
        guard case .scalar(let scalar) = value, !scalar.isNull, scalar.flag == nil || scalar.usesVariable
        else {
            let expected = "a text (in quotes if it looks otherwise)"
            refuse(value, name, Refusal("is not a text", expected: expected), secret)
            return nil
        }
        if scalar.isBroken { return nil }
        do {
            return try parse(scalar.text)
        } catch {
            refuse(value, name, error, secret)
            return nil
        }
    }

    package func refuse(_ value: Value, _ name: String, _ refusal: Refusal, _ secret: Bool = false) {
        var silent = secret
        if case .scalar(let scalar) = value {
            if scalar.isBroken { return }
            silent = silent || scalar.usesVariable
        }
        var found = value.described(secret: secret)
        if found == "nothing" { found = "nothing: leave the key out for its default" }
        findings.add(
            Mistake(
                value.place, "\(name) \(refusal.problem)", expected: refusal.expected, found: found,
                suggestion: silent ? nil : refusal.suggestion))
    }
}
