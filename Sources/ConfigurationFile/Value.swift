/// A value of the file with its place: all that the readers see of YAML.
package indirect enum Value {
    case scalar(Scalar)
    case list([Value], Place)
    case map([Entry], Place)

    package var place: Place {
        switch self {
        case .scalar(let scalar): scalar.place
        case .list(_, let place), .map(_, let place): place
        }
    }
}

/// `key: value` of a mapping.
package struct Entry {
    package var key: String
    package var place: Place
    package var value: Value

    package init(key: String, place: Place, value: Value) {
        (self.key, self.place, self.value) = (key, place, value)
    }
}

/// A single value: its text, and what YAML 1.2's core schema makes of it.
///
/// Only `true`, `false`, `null` and whole numbers are more than text, so `on`, `no` and `09:00` stay what they are.
package struct Scalar {
    /// With the variables filled in.
    package var text: String
    /// As it stands in the file.
    package var written: String
    /// Without quotes: only then it can be a number, true, false or null.
    package var isPlain: Bool
    package var usesVariable = false
    /// A variable was missing; that is reported, the value must not be.
    package var isBroken = false
    package var place: Place

    package init(text: String, written: String, isPlain: Bool, place: Place) {
        (self.text, self.written, self.isPlain, self.place) = (text, written, isPlain, place)
    }

    package var isNull: Bool { isPlain && ["", "~", "null", "Null", "NULL"].contains(text) }

    package var flag: Bool? {
        guard isPlain else { return nil }
        if ["true", "True", "TRUE"].contains(text) { return true }
        return ["false", "False", "FALSE"].contains(text) ? false : nil
    }

    /// A whole number, also `0x1F` and `0o17`.
    package var number: Int? {
        guard isPlain else { return nil }
        if text.hasPrefix("0x") { return digits(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return digits(text.dropFirst(2), radix: 8) }
        let sign = text.first == "-" || text.first == "+"
        guard digits(sign ? text.dropFirst() : text[...], radix: 10) != nil else { return nil }
        return Int(text)
    }

    /// `Int` alone would also take a second sign.
    private func digits(_ text: Substring, radix: Int) -> Int? {
        guard let first = text.first, first != "-", first != "+" else { return nil }
        return Int(text, radix: radix)
    }
}

extension Value {
    /// For "found …"; never the value of a secret or of a variable.
    package func described(secret: Bool = false) -> String {
        switch self {
        case .map: return "a mapping"
        case .list: return "a list"
        case .scalar(let scalar):
            if scalar.usesVariable {
                let what = scalar.text.isEmpty ? "nothing in what" : "what"
                return "\(what) \(quoted(scalar.written)) stands for"
            }
            if scalar.isNull { return "nothing" }
            if secret { return "a value that is not shown" }
            if scalar.flag != nil || scalar.number != nil { return scalar.text }
            return quoted(scalar.text)
        }
    }
}

/// In quotes, on one line, shortened: fit for a message.
package func quoted(_ text: String) -> String {
    var result = "\""
    for (i, scalar) in text.unicodeScalars.enumerated() {
        if i == 80 { return result + "…\"" }
        switch scalar {
        case "\n": result += "\\n"
        case "\"", "\\": result += "\\\(scalar)"
        case _ where scalar.properties.generalCategory == .control:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
