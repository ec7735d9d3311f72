import Foundations

/// A text with `*` for any run of characters: what `allow`, `deny` and `origins` are made of.
package struct Pattern: Sendable {
    private let text: [UInt8]

    package init(_ text: String) { self.text = Array(text.utf8) }

    /// As it was written.
    package var name: String { String(decoding: text, as: UTF8.self) }

    /// Greedy with one step back to the last `*`: linear for one wildcard, and never worse than the product of
    /// both lengths.
    package func matches(_ subject: Bytes) -> Bool {
        var (p, s) = (0, 0)
        var star: (pattern: Int, subject: Int)?
        while s < subject.count {
            if p < text.count, text[p] == UInt8(ascii: "*") {
                star = (p, s)
                p += 1
            } else if p < text.count, text[p] == subject[s] {
                p += 1
                s += 1
            } else if let last = star {
                star = (last.pattern, last.subject + 1)
                p = last.pattern + 1
                s = last.subject + 1
            } else {
                return false
            }
        }
        while p < text.count, text[p] == UInt8(ascii: "*") { p += 1 }
        return p == text.count
    }
}

extension Pattern {
    /// A pattern of activities: it may be written as a label, `Add to cart*`.
    package init(activity pattern: String) {
        var key = ByteBuffer()
        Array(pattern.utf8).withUnsafeBytes { _ = ActivityKey.append(label: $0, to: &key) }
        self.init(key.bytes.text)
    }
}

extension [Pattern] {
    package func matches(_ subject: Bytes) -> Bool {
        for pattern in self where pattern.matches(subject) { return true }
        return false
    }
}
