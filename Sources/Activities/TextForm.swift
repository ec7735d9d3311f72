import Foundations
import Payload

/// What a text looks like.
enum TextForm {
    static func kind(of text: Bytes) -> ValueKind {
        guard text.count >= 4 else { return .text }
        let first = text[0]
        if first &- 48 < 10, text.count >= 10, text[4] == UInt8(ascii: "-") {
            if text.count == 10 { return EventTime.parse(text) != nil ? .date : .text }
            if text.count >= 16, text.count <= 40, hasTime(text), EventTime.parse(text) != nil {
                return .datetime
            }
        }
        if text.count == 36, text[8] == UInt8(ascii: "-") { return UUID(text) != nil ? .uuid : .text }
        if isURL(text) { return .url }
        return text.count <= 254 && isAddress(text) ? .email : .text
    }

    /// Behind the date; a date alone with white space around it is none.
    private static func hasTime(_ text: Bytes) -> Bool {
        (text[10] | 32 == UInt8(ascii: "t") || text[10] == 32) && text[13] == UInt8(ascii: ":")
    }

    private static func isURL(_ text: Bytes) -> Bool {
        guard text[0] | 32 == UInt8(ascii: "h"), text.count > 10, text.count <= 4096 else { return false }
        let isSecure = text.slice(0..<8).equalsIgnoringCase("https://")
        guard isSecure || text.slice(0..<7).equalsIgnoringCase("http://") else { return false }
        return !text.contains { $0 <= 32 }
    }

    /// The whole text is an e-mail address.
    static func isAddress(_ text: Bytes) -> Bool {
        guard let at = text.firstIndex(of: UInt8(ascii: "@")) else { return false }
        return address(in: text, around: at) == 0..<text.count
    }

    /// The address around an `@`.
    static func address(in text: Bytes, around at: Int) -> Range<Int>? {
        var start = at
        while start > 0, isLocal(text[start - 1]) { start -= 1 }
        return domain(in: text, from: at + 1).flatMap { start < at ? start..<$0 : nil }
    }

    /// Where a domain ends that begins there: labels of letters, digits and hyphens, at least two of them.
    static func domain(in text: Bytes, from start: Int) -> Int? {
        var (at, end, labels) = (start, start, 0)
        while at < text.count {
            let label = at
            while at < text.count, isLetterOrDigit(text[at]) || text[at] == UInt8(ascii: "-") { at += 1 }
            guard at > label else { break }
            labels += 1
            end = at
            guard at < text.count, text[at] == UInt8(ascii: ".") else { break }
            at += 1
        }
        return labels >= 2 ? end : nil
    }

    private static func isLocal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "'"),
            UInt8(ascii: "%"), UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "~"):
            true
        default: isLetterOrDigit(byte)
        }
    }

    @inline(__always) static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 32) &- 97 < 26 || byte >= 0x80
    }
}
