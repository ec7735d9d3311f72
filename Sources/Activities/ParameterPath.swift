/// Where a parameter stands in an event's properties: `product.name`, `items[].price`, `tags[]`, `prices.{*}`.
///
/// Two different places never have the same text. A name stands there as it is if nothing in it could be
/// taken for something else; otherwise in double quotes, with JSON's escapes:
///
///     name         address.city         plain
///     quoted       a."b.c"."{*}".""     has . [ ] { } " \ or control characters, white space at an end, or is empty
///     long         "The beginning"~0123456789abcdef0123456789abcdef
///                                       over 128 bytes: at most 64 of them, and 128 bits of its SHA-256
///     elements     tags[]   grid[][]    what is in an array
///     any key      prices.{*}           members of a map, whose keys are ids rather than names
///
/// It is compared byte by byte: Swift's `String` holds `é` and `e` with an accent to be equal, we do not.
package struct ParameterPath: Hashable, Comparable, Sendable, CustomStringConvertible {
    package enum Segment: Sendable {
        case name(String)
        case long(beginning: String, digest: String)
        case element
        case anyKey
    }

    package let segments: [Segment]
    package let text: String

    package init(_ segments: [Segment]) {
        self.segments = segments
        var text = ""
        for segment in segments { segment.append(to: &text) }
        self.text = text
    }

    package var description: String { text }

    /// The path without its last segment; nil for a parameter at the top.
    package var parent: ParameterPath? {
        segments.count > 1 ? ParameterPath(Array(segments.dropLast())) : nil
    }

    package static func == (a: Self, b: Self) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
    package static func < (a: Self, b: Self) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
    package func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension ParameterPath.Segment {
    /// The name that was sent; nil if it is none, or isn't known whole.
    package var name: String? {
        if case .name(let name) = self { return name }
        return nil
    }

    package var isElement: Bool {
        if case .element = self { return true }
        return false
    }

    fileprivate func append(to text: inout String) {
        if case .element = self {
            text += "[]"
            return
        }
        if !text.isEmpty { text += "." }
        switch self {
        case .name(let name): text += Self.isPlain(name) ? name : Self.quoted(name)
        case .long(let beginning, let digest): text += Self.quoted(beginning) + "~" + digest
        case .anyKey: text += "{*}"
        case .element: break
        }
    }

    /// May it stand in a path as it is?
    private static func isPlain(_ name: String) -> Bool {
        guard let first = name.unicodeScalars.first, let last = name.unicodeScalars.last else { return false }
        guard !first.properties.isWhitespace, !last.properties.isWhitespace else { return false }
        return name.unicodeScalars.allSatisfy { !isSyntax($0) && !isInvisible($0) }
    }

    private static func isSyntax(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ".", "[", "]", "{", "}", "\"", "\\": true
        default: false
        }
    }

    /// Control characters, also those that turn the direction of writing: they would spoil a terminal.
    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
        default: false
        }
    }

    private static func quoted(_ name: String) -> String {
        var text = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                text += "\\"
                text.unicodeScalars.append(scalar)
            } else if isInvisible(scalar) {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
