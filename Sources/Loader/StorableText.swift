import Foundations

extension Bytes {
    /// As a text that PostgreSQL takes, whatever the bytes are: U+FFFD for NUL and for what is not UTF-8.
    var storableText: String {
        let text = self.text
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{fffd}" : $0 }))
    }
}
