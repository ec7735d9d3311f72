import Foundations
@_spi(_Unicode) import Swift

/// Brings what people type into the one form under which identities are compared and kept.
///
/// Pure and idempotent: the form of a form is itself.
package enum IdentityForm {
    /// No identity is longer, in bytes of UTF-8.
    package static let longest = 256

    /// Nil: it is none (empty, too long, with control characters, or not of this kind's shape).
    package static func normalize(
        _ text: String, _ form: IdentityKind.Form, country: String? = nil
    ) -> String? {
        guard text.utf8.count <= 4 * longest else { return nil }
        let composed = composed(trimmed(text))
        guard !composed.isEmpty, isPrintable(composed) else { return nil }
        let result: String?
        switch form {
        case .text: result = composed
        case .lower: result = lower(composed)
        case .email: result = isAddress(composed) ? lower(composed) : nil
        case .phone: result = PhoneNumber.normalize(composed, country: country)
        }
        guard let result, !result.isEmpty, result.utf8.count <= longest else { return nil }
        return result
    }

    private static func trimmed(_ text: String) -> Substring {
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return text[first..<scalars.index(after: last)]
    }

    /// Unicode's form C: an accent that comes behind its letter and the letter with the accent are the same.
    private static func composed(_ text: Substring) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return String(text) }
        var scalars = String.UnicodeScalarView()
        for scalar in String(text)._nfc { scalars.append(scalar) }
        return String(scalars)
    }

    /// Lower-casing can take a text out of form C; it is put back.
    private static func lower(_ text: String) -> String { composed(text.lowercased()[...]) }

    private static func isPrintable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: false
            default: true
            }
        }
    }

    /// Something, one `@`, something, and no white space: what is more can only be known by sending a mail.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.unicodeScalars.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return false }
        return !text.unicodeScalars.contains { $0.properties.isWhitespace }
    }
}
