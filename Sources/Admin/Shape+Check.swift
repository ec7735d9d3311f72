import Foundations
import Payload

/// Where a value is not what its shape says: the kind of fault, the place, and what was expected. It repeats
/// nothing of the value.
struct Misfit: Error, Equatable {
    var kind: String
    /// Names and indices, from the outside in.
    var path: [JSONValue] = []
    var expected: String

    /// The JSON pointer (RFC 6901).
    var pointer: String {
        path.map { step in
            switch step {
            case .text(let name):
                "/" + name.replacing("~", with: "~0").replacing("/", with: "~1")
            case .integer(let index): "/\(index)"
            default: ""
            }
        }.joined()
    }
}

extension Shape {
    /// The first place where the value does not fit; nil: it fits.
    func misfit(_ value: JSONValue) -> Misfit? {
        if value == .null {
            if isNullable { return nil }
            if case .anything = kind { return nil }
            return wrongType
        }
        switch kind {
        case .anything: return nil
        case .flag: if case .bool = value { return nil }
        case .integer(let range):
            if case .integer(let number) = value { return misfit(number, range) }
        case .number:
            switch value {
            case .integer, .decimal: return nil
            default: break
            }
        case .text(let rules): if case .text(let text) = value { return rules.misfit(text) }
        case .list(let element): if case .list(let values) = value { return misfit(values, element) }
        case .object(let fields, let least):
            if case .object(let members) = value { return misfit(members, fields, least) }
        case .map(let shape): if case .object(let members) = value { return misfit(members, shape) }
        case .either(let shapes): if shapes.contains(where: { $0.misfit(value) == nil }) { return nil }
        }
        return wrongType
    }

    private var wrongType: Misfit { Misfit(kind: "type_error", expected: expectation) }

    private func misfit(_ number: Int, _ range: ClosedRange<Int>?) -> Misfit? {
        guard let range, !range.contains(number) else { return nil }
        return Misfit(kind: "out_of_range", expected: expectation)
    }

    private func misfit(_ values: [JSONValue], _ element: Shape) -> Misfit? {
        for (i, value) in values.enumerated() {
            if let misfit = element.misfit(value) { return misfit.inside(.integer(i)) }
        }
        return nil
    }

    private func misfit(_ members: [JSONValue.Member], _ shape: Shape) -> Misfit? {
        for member in members {
            if let misfit = shape.misfit(member.value) { return misfit.inside(.text(member.name)) }
        }
        return nil
    }

    private func misfit(_ members: [JSONValue.Member], _ fields: [Field], _ least: Int) -> Misfit? {
        for member in members {
            guard let field = fields.first(where: { $0.name == member.name }) else {
                let names = fields.map(\.name).joined(separator: ", ")
                // The unknown name is the sender's and is not repeated.
                return Misfit(kind: "unknown", expected: "no members but \(names)")
            }
            if let misfit = field.shape.misfit(member.value) { return misfit.inside(.text(field.name)) }
        }
        for field in fields where field.isRequired && !members.contains(where: { $0.name == field.name }) {
            return Misfit(kind: "missing", path: [.text(field.name)], expected: field.shape.expectation)
        }
        if members.count < least {
            let names = fields.map(\.name).joined(separator: ", ")
            return Misfit(kind: "missing", expected: "at least \(least) of \(names)")
        }
        return nil
    }

    /// For sentences: "expected …".
    var expectation: String {
        let words =
            switch kind {
            case .anything: "any value"
            case .flag: "true or false"
            case .integer(nil): "a whole number"
            case .integer(.some(let range)):
                range.upperBound == .max
                    ? "a whole number from \(range.lowerBound) on"
                    : "a whole number from \(range.lowerBound) to \(range.upperBound)"
            case .number: "a number"
            case .text(let rules): rules.expectation
            case .list: "a list"
            case .object, .map: "an object"
            case .either(let shapes): shapes.map(\.expectation).joined(separator: " or ")
            }
        return isNullable ? "\(words) or null" : words
    }
}

extension Misfit {
    fileprivate func inside(_ step: JSONValue) -> Misfit {
        Misfit(kind: kind, path: [step] + path, expected: expected)
    }
}

extension Shape.Text {
    func misfit(_ text: String) -> Misfit? {
        if let length, !length.contains(text.unicodeScalars.count) {
            let kind =
                text.isEmpty
                ? "blank" : text.unicodeScalars.count < length.lowerBound ? "too_short" : "too_long"
            return Misfit(kind: kind, expected: expectation)
        }
        let fits =
            switch format {
            case .uuid: UUID(text) != nil
            case .moment: Shape.Text.moment(text) != nil
            case nil: choices.isEmpty || choices.contains { $0.utf8.elementsEqual(text.utf8) }
            }
        return fits && matchesPattern(text) ? nil : Misfit(kind: "value_error", expected: expectation)
    }

    private func matchesPattern(_ text: String) -> Bool {
        guard let pattern, let expression = try? Regex(pattern) else { return true }
        return text.wholeMatch(of: expression.matchingSemantics(.unicodeScalar)) != nil
    }

    var expectation: String {
        if !choices.isEmpty { return "one of \(choices.joined(separator: ", "))" }
        switch format {
        case .uuid: return "a UUID, 8-4-4-4-12 hexadecimal digits"
        case .moment: return "a time as RFC 3339 has it, such as 2026-01-31T12:00:00Z"
        case nil: break
        }
        if pattern != nil { return meaning }
        guard let length else { return "a text" }
        return "a text of \(length.lowerBound) to \(length.upperBound) characters"
    }

    /// Only what RFC 3339 calls a date-time: others of our readers are kinder, but the description says so.
    static func moment(_ text: String) -> Timestamp? {
        let form =
            /[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})/
        guard text.utf8.count <= 64, text.wholeMatch(of: form) != nil else { return nil }
        var text = text
        return text.withUTF8 { EventTime.parse(Bytes($0)) }
    }
}
