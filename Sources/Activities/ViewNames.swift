import Crypto

/// Gives names to columns or views so that no two are the same, whatever the clients call things.
///
/// A name that is free, not empty and fits into PostgreSQL's 63 bytes stays as it is. Any other is cut at a character,
/// if it must be, and ends in `~` and 8 hex digits of the SHA-256 of what it names.
struct ViewNames {
    static let most = 63
    private var taken: Set<String>

    init(taken: some Sequence<String> = []) { self.taken = Set(taken) }

    func isTaken(_ name: String) -> Bool { taken.contains(name) }

    /// `identity`: what tells things apart that would like the same name.
    mutating func take(_ wanted: String, for identity: String) -> String {
        var (name, salt) = (wanted, identity)
        while name.isEmpty || name.utf8.count > Self.most || taken.contains(name) {
            name = Self.cut(wanted, to: Self.most - 9) + "~" + Self.digits(of: salt)
            // Eight digits may meet by chance, or because somebody looked for it.
            salt += "~"
        }
        taken.insert(name)
        return name
    }

    private static func cut(_ text: String, to most: Int) -> String {
        var (result, used) = ("", 0)
        for character in text {
            used += character.utf8.count
            if used > most { break }
            result.append(character)
        }
        return result
    }

    private static func digits(of text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).prefix(4).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
