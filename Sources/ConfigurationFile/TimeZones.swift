import Foundations
import Glibc

extension Check {
    /// An IANA name, looked up where the system keeps its time zones; without such a folder only its form is checked.
    package static func timeZone(_ text: String, folder: String = "/usr/share/zoneinfo") throws(Refusal)
        -> String
    {
        let expected = "an IANA time zone such as UTC or Europe/Berlin"
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let wellFormed = parts.allSatisfy { part in
            !part.isEmpty && part != "." && part != ".."
                && part.utf8.allSatisfy { byte in
                    (97...122).contains(byte | 32) || (48...57).contains(byte) || [43, 45, 95].contains(byte)
                }
        }
        guard wellFormed else { throw Refusal("is not a time zone", expected: expected) }
        if access(folder, X_OK) != 0 || isTimeZoneFile("\(folder)/\(text)") { return text }
        let suggestion = nearest(to: text, among: timeZones(folder))
        throw Refusal("is not a time zone of this system", expected: expected, suggestion: suggestion)
    }

    private static func isTimeZoneFile(_ path: String) -> Bool {
        (try? readFile(path, atMost: 1 << 20))?.starts(with: Array("TZif".utf8)) ?? false
    }

    /// All names: `Z name …` and `L target name` of the compact source that stands beside the compiled zones.
    private static func timeZones(_ folder: String) -> [String] {
        guard let bytes = try? readFile("\(folder)/tzdata.zi", atMost: 1 << 20) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            switch words.first {
            case "Z" where words.count > 1: return String(words[1])
            case "L" where words.count > 2: return String(words[2])
            default: return nil
            }
        }
    }
}
