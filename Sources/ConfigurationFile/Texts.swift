import Foundations
import Glibc

/// Checks of single texts: each returns the value as the server wants it, or says what is wrong.
package enum Check {
    /// Not blank, no control characters, no white space at the ends, at most 256 bytes.
    package static func name(_ text: String) throws(Refusal) -> String {
        try printable(text)
        if text.utf8.count > 256 {
            throw Refusal("is too long", expected: "at most 256 bytes of UTF-8, not \(text.utf8.count)")
        }
        if text.first?.isWhitespace == true || text.last?.isWhitespace == true {
            throw Refusal("has white space at an end", expected: "a text without it")
        }
        return text
    }

    @discardableResult
    package static func printable(_ text: String) throws(Refusal) -> String {
        if text.allSatisfy(\.isWhitespace) { throw Refusal("is blank", expected: "a text") }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw Refusal("has control characters", expected: "a text of one line")
        }
        return text
    }

    /// What a source is called in requests. `@…` is ours.
    package static func sourceID(_ text: String) throws(Refusal) -> String {
        let id = try name(text)
        if id.first == "@" {
            throw Refusal("is reserved", expected: "an id that does not start with @")
        }
        return id
    }

    /// A secret that has to fit into an `Authorization` header.
    package static func secret(_ text: String) throws(Refusal) -> String {
        guard !text.isEmpty, text.utf8.count <= 512, text.utf8.allSatisfy({ (33...126).contains($0) }) else {
            throw Refusal(
                "cannot be sent in a header", expected: "1 to 512 visible ASCII characters, no spaces")
        }
        return text
    }

    /// A pattern of activity keys, brought into the form of the keys: lower case, inner white space as one `-`.
    package static func pattern(_ text: String) throws(Refusal) -> String {
        try printable(text)
        let key = text.lowercased().split(whereSeparator: \.isWhitespace).joined(separator: "-")
        return try name(key)
    }

    package static func choice<T: RawRepresentable & CaseIterable>(
        _ text: String, of type: T.Type
    ) throws(Refusal) -> T where T.RawValue == String {
        if let value = T(rawValue: text) { return value }
        let names = T.allCases.map(\.rawValue)
        throw Refusal(
            "is not known", expected: names.joined(separator: " or "),
            suggestion: nearest(to: text, among: names))
    }

    package static func logLevel(_ text: String) throws(Refusal) -> String {
        let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
        if levels.contains(text) { return text }
        throw Refusal(
            "is not a level", expected: "one of \(levels.joined(separator: ", "))",
            suggestion: nearest(to: text, among: levels))
    }

    package static func deduplicate(_ text: String) throws(Refusal) -> Configuration.Deduplicate {
        if text == "forever" { return .forever }
        let day: Int64 = 86_400_000_000
        guard let time = Quantity.duration(text), time % day == 0, (day...3650 * day).contains(time) else {
            throw Refusal("is not a number of days", expected: "whole days from 1d to 3650d, or forever")
        }
        return .days(Int(time / day))
    }

    /// libpq reads it when it connects; what can be said before: its form, and that it is not another system's.
    package static func database(_ text: String) throws(Refusal) -> String {
        let uri = text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
        let pairs = !text.contains("://") && text.contains("=")
        try printable(text)
        if uri || pairs { return text }
        throw Refusal(
            "is not a connection string",
            expected: "postgres://user@host/name or host=… dbname=…, as libpq takes it")
    }

    /// A path as the system will see it: relative ones start at the working directory.
    package static func path(_ text: String, from directory: String) throws(Refusal) -> String {
        try printable(text)
        if text.hasPrefix("~") {
            throw Refusal("starts with ~, which only shells know", expected: "a path, or ${HOME}/…")
        }
        if text.hasPrefix("/") { return text }
        return "\(directory)/\(text.hasPrefix("./") ? text.dropFirst(2) : text[...])"
    }
}
