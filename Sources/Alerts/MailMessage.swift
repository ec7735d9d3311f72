import Foundations
import Outbound

/// A mail with a plain and an HTML part, as bytes for the wire (RFC 5322, RFC 2045–2047).
struct MailMessage {
    var from: String
    var to: [String]
    var subject: String
    var plain: String
    var html: String
    var date: Timestamp
    /// Left of the `@` of its id, and in the boundary between its parts: letters and digits.
    var token: String

    var bytes: [UInt8] {
        let host = from.split(separator: "@").last.map(String.init) ?? "localhost"
        let boundary = "waymark-\(token)"
        let head = [
            "From: Waymark <\(from)>", "To: \(to.joined(separator: ",\r\n "))",
            "Subject: \(Self.header(subject))",
            "Date: \(Self.date(date))", "Message-ID: <\(token)@\(host)>", "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
        ]
        let parts = [("text/plain", plain), ("text/html", html)].map { type, text in
            "--\(boundary)\r\nContent-Type: \(type); charset=utf-8\r\n"
                + "Content-Transfer-Encoding: quoted-printable\r\n\r\n\(Self.quotedPrintable(text))\r\n"
        }
        return Array(
            (head.joined(separator: "\r\n") + "\r\n\r\n" + parts.joined() + "--\(boundary)--\r\n").utf8)
    }

    /// As it is where it is plain ASCII, else as encoded words, each whole characters of at most 45 bytes.
    static func header(_ text: String) -> String {
        let line = String(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : Character($0) })
        if line.utf8.allSatisfy({ $0 < 127 }), line.utf8.count <= 200, !line.contains("=?") { return line }
        var words: [[UInt8]] = [[]]
        for character in line {
            let bytes = Array(String(character).utf8)
            if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
            words[words.count - 1] += bytes
        }
        return words.map { "=?utf-8?B?\(base64($0))?=" }.joined(separator: "\r\n ")
    }

    /// RFC 2045, 6.7: lines of at most 76 characters that end in CRLF.
    static func quotedPrintable(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var out = ""
            var width = 0
            let bytes = Array(line.utf8)
            for (i, byte) in bytes.enumerated() {
                let isSpace = byte == 32 || byte == 9
                let isPlain = (33...126).contains(byte) && byte != UInt8(ascii: "=")
                let piece =
                    isPlain || isSpace && i < bytes.count - 1
                    ? String(UnicodeScalar(byte)) : "=\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
                if width + piece.count > 75 {
                    out += "=\r\n"
                    width = 0
                }
                out += piece
                width += piece.count
            }
            return out
        }.joined(separator: "\r\n")
    }

    /// `Sun, 22 Nov 2026 06:00:00 +0000`
    static func date(_ time: Timestamp) -> String {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let date = CivilDate(daysSince1970: Int(time.day))
        let clock = time.iso8601.dropFirst(11).prefix(8)
        let weekday = days[Int((time.day % 7 + 7) % 7)]
        return "\(weekday), \(date.day) \(months[date.month - 1]) \(date.year) \(clock) +0000"
    }
}
