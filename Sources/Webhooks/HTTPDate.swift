import Foundations

/// A date of HTTP in each of the forms that a receiver may send (RFC 9110, 5.6.7). Pure.
///
///     Sun, 22 Nov 2026 06:00:00 GMT      the usual form
///     Sunday, 22-Nov-26 06:00:00 GMT     of RFC 850
///     Sun Nov 22 06:00:00 2026           of asctime
enum HTTPDate {
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Since 1970; nil: it is none of these.
    ///
    /// - Parameter now: Tells the century of a year of two digits.
    static func seconds(_ text: String, now: Timestamp) -> Int64? {
        let words = text.split(separator: " ")
        if words.count == 6, words[5] == "GMT" {
            return seconds(day: words[1], month: words[2], year: Int(words[3]), words[4])
        }
        if words.count == 5 { return seconds(day: words[2], month: words[1], year: Int(words[4]), words[3]) }
        guard words.count == 4, words[3] == "GMT" else { return nil }
        let date = words[1].split(separator: "-")
        guard date.count == 3, date[2].count == 2, let year = Int(date[2]) else { return nil }
        return seconds(day: date[0], month: date[1], year: full(year, now: now), words[2])
    }

    /// The year with these last two digits that is at most 50 years ahead.
    private static func full(_ year: Int, now: Timestamp) -> Int {
        let latest = CivilDate(daysSince1970: Int(now.day)).year + 50
        let full = latest - latest % 100 + year
        return full > latest ? full - 100 : full
    }

    private static func seconds(
        day: Substring, month: Substring, year: Int?, _ clock: Substring
    ) -> Int64? {
        guard let day = Int(day), let year, let month = months.firstIndex(of: String(month)),
            (1...31).contains(day), (1970...9999).contains(year)
        else { return nil }
        let time = clock.split(separator: ":").compactMap { Int64($0) }
        guard time.count == 3, 0..<24 ~= time[0], 0..<60 ~= time[1], 0...60 ~= time[2] else { return nil }
        let days = Int64(CivilDate(year: year, month: month + 1, day: day).daysSince1970)
        return days * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
    }
}
