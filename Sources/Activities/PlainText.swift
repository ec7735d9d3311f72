import Foundations
import Payload

/// Texts with the spaces, hyphens and characters that were meant, where they are written otherwise: no-break and other
/// spaces, tabs, typographic hyphens and dashes, and the percent-encoding of URLs.
///
/// What is looked for in texts (card numbers, telephone numbers, IBANs) is so found in each of its spellings.
enum PlainText {
    /// Nil: the text is plain.
    static func of(_ text: Bytes) -> [UInt8]? {
        guard text.contains(where: { $0 >= 0xc2 || $0 == 9 || $0 == UInt8(ascii: "%") }) else { return nil }
        var plain: [UInt8] = []
        plain.reserveCapacity(text.count)
        var at = 0
        while at < text.count {
            let (byte, length) = character(of: text, at: at)
            plain.append(byte)
            at += length
        }
        return plain
    }

    /// What stands there, and in how many bytes; of any other character, its first byte.
    private static func character(of text: Bytes, at: Int) -> (byte: UInt8, length: Int) {
        let byte = text[at]
        let next = at + 1 < text.count ? text[at + 1] : 0
        let third = at + 2 < text.count ? text[at + 2] : 0
        switch (byte, next, third) {
        case (9, _, _): return (32, 1)
        case (UInt8(ascii: "%"), _, _):
            guard let high = PercentDecoding.digit(next), let low = PercentDecoding.digit(third) else {
                return (byte, 1)
            }
            return (high << 4 | low, 3)
        case (0xc2, 0xa0, _): return (32, 2)
        case (0xc2, 0xad, _): return (UInt8(ascii: "-"), 2)
        case (0xe2, 0x80, 0x80...0x8b), (0xe2, 0x80, 0xaf), (0xe2, 0x81, 0x9f), (0xe3, 0x80, 0x80):
            return (32, 3)
        case (0xe2, 0x80, 0x90...0x95), (0xe2, 0x88, 0x92): return (UInt8(ascii: "-"), 3)
        default: return (byte, 1)
        }
    }
}
