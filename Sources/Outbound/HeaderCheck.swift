/// What may stand in a header: nothing that could begin another one.
package enum HeaderCheck {
    /// A token (RFC 9110, 5.6.2).
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (97...122).contains(byte | 32)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
    }

    /// No control characters, CR and LF above all; no white space at the ends (RFC 9110, 5.5).
    package static func isValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 32 && $0 != 127 } && text.first != " " && text.last != " "
    }

    /// `name@host` without anything that SMTP or a header would read otherwise.
    package static func isMailAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>()[],;:\\\"".utf8.contains($0) }
    }
}
