import Foundations

/// The date of a `Date` header: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7); its obsolete forms are not read.
enum HTTPDate {
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    static func parse(_ text: Bytes) -> Timestamp? {
        let text = text.trimmed
        guard text.count == 29, text.slice(25..<29).equals(" GMT"), text[3] == UInt8(ascii: ","),
            let day = number(text, 5, 2), let month = month(text.slice(8..<11)),
            let year = number(text, 12, 4),
            let hour = number(text, 17, 2), let minute = number(text, 20, 2),
            let second = number(text, 23, 2),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSince1970
        return Timestamp(seconds: Int64(((days * 24 + hour) * 60 + minute) * 60 + second))
    }

    private static func number(_ text: Bytes, _ from: Int, _ count: Int) -> Int? {
        var value = 0
        for i in from..<from + count {
            guard (48...57).contains(text[i]) else { return nil }
            value = value * 10 + Int(text[i] - 48)
        }
        return value
    }

    private static func month(_ name: Bytes) -> Int? {
        let all = Bytes(months)
        for month in 0..<12 where all.slice(month * 3..<month * 3 + 3).equals(name) { return month + 1 }
        return nil
    }
}
