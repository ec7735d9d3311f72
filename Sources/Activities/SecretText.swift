import Foundations

/// Texts that open doors: tokens, keys, whatever looks as if a machine had drawn it at random.
enum SecretText {
    /// A byte of base64, base64url, or hexadecimal digits.
    @inline(__always) static func isPart(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 32) &- 97 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    private static let beginnings: [StaticString] = [
        "Bearer ", "bearer ", "Basic ", "sk_live_", "sk_test_", "rk_live_", "pk_live_", "ghp_", "gho_",
        "ghs_",
        "github_pat_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "AKIA", "ASIA", "AIza", "ya29.", "eyJ", "SG.",
        "shpat_",
        "-----BEGIN ",
    ]

    static func isSecret(_ text: Bytes, longestRun: Int) -> Bool {
        let text = text.trimmed
        guard let first = text.first else { return false }
        for beginning in beginnings
        where beginning.utf8Start.pointee == first && hasBeginning(text, beginning) {
            if text.count >= 16, longestRun >= 12 || text[0] == UInt8(ascii: "-") { return isDrawn(text) }
        }
        if text.count >= 32, text.count <= 512, isBase64(text), isRandom(text) { return true }
        guard longestRun >= 20 else { return false }
        var at = 0
        while at < text.count {
            let start = at
            while at < text.count, isPart(text[at]) { at += 1 }
            if at - start >= 20, isRandom(text.slice(start..<at)) { return true }
            at += 1
        }
        return false
    }

    /// The shortest value that is taken for a secret by the name before it.
    private static let shortest = 6
    private static let longestUserInfo = 256

    /// A password in a URL (`https://user:hunter2@host/`), or behind a name that says so (`aws_secret=…`).
    static func hasPassword(_ text: Bytes, mayHaveAddress: Bool) -> Bool {
        for i in 0..<text.count {
            if text[i] == UInt8(ascii: "="), isSecretNamed(text, before: i) { return true }
            if mayHaveAddress, text[i] == UInt8(ascii: "@"), isUserInfo(text, before: i) { return true }
        }
        return false
    }

    private static func isSecretNamed(_ text: Bytes, before equals: Int) -> Bool {
        var (start, end) = (equals, equals + 1)
        while start > 0, equals - start < 64, isPart(text[start - 1]) { start -= 1 }
        while end < text.count, end - equals <= shortest, text[end] > 32, text[end] != UInt8(ascii: "&") {
            end += 1
        }
        return end - equals > shortest
            && PersonalNames.kinds(of: text.slice(start..<equals)).contains(.token)
    }

    /// RFC 3986, 3.2.1: `//user:password` stands before the first `@`, without a slash in it.
    private static func isUserInfo(_ text: Bytes, before at: Int) -> Bool {
        var start = at
        var colon: Int?
        while start > 0, at - start < longestUserInfo, text[start - 1] > 32,
            text[start - 1] != UInt8(ascii: "/")
        {
            start -= 1
            if text[start] == UInt8(ascii: ":") { colon = start }
        }
        guard let colon, colon < at - 1, start >= 2 else { return false }
        return text[start - 1] == UInt8(ascii: "/") && text[start - 2] == UInt8(ascii: "/")
    }

    /// Nothing but base64's own letters, of which `/` and `+` stand in other texts as well.
    private static func isBase64(_ text: Bytes) -> Bool {
        text.allSatisfy {
            isPart($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "=")
        }
    }

    /// With a known beginning, one digit or a mixture of cases is enough.
    private static func isDrawn(_ text: Bytes) -> Bool {
        text.contains { $0 &- 48 < 10 } || text.contains { $0 &- 65 < 26 } && text.contains { $0 &- 97 < 26 }
    }

    private static func hasBeginning(_ text: Bytes, _ beginning: StaticString) -> Bool {
        let length = beginning.utf8CodeUnitCount
        return text.count > length && text.slice(0..<length).equals(beginning)
    }

    /// Hexadecimal from 32 digits on; otherwise capitals, small letters and digits that change places all the time.
    static func isRandom(_ text: Bytes) -> Bool {
        var (digits, capitals, small, others, changes, neighbours) = (0, 0, 0, 0, 0, 0)
        var before = 0
        for byte in text {
            var kind = 0
            switch byte {
            case 48...57: (digits, kind) = (digits + 1, 1)
            case 65...90: (capitals, kind) = (capitals + 1, 2)
            case 97...122: (small, kind) = (small + 1, 3)
            default: others += 1
            }
            let isLetterPastF = kind >= 2 && byte | 32 > UInt8(ascii: "f")
            if isLetterPastF { others += 1 }
            if kind != 0, before != 0 {
                neighbours += 1
                if kind != before { changes += 1 }
            }
            before = kind
        }
        if others == 0, text.count >= 32, digits > 0, capitals + small > 0 { return true }
        return digits > 0 && capitals > 0 && small > 0 && changes * 5 >= neighbours * 2
    }
}
