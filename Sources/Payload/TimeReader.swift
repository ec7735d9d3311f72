import Foundations

/// Reads a date and a time of day from left to right; see `EventTime` for the forms.
struct TimeReader {
    private let text: Bytes
    private var at = 0

    init(_ text: Bytes) { self.text = text }

    /// The whole text as a moment.
    mutating func moment() -> Timestamp? {
        guard let year = year() else { return nil }
        let isExtended = take("-")
        guard let month = number(2), take("-") == isExtended, let day = number(2),
            month >= 1, month <= 12, day >= 1, day <= Self.days(in: month, of: year)
        else { return nil }
        let date = CivilDate(year: Int(year), month: Int(month), day: Int(day))
        let midnight = Int64(date.daysSince1970) * 86_400_000_000
        guard at < text.count else { return isExtended ? Timestamp(microseconds: midnight) : nil }
        guard take("T") || take("t") || isExtended && take(" ") else { return nil }
        guard let time = timeOfDay(), let offset = offset(), at == text.count else { return nil }
        return Timestamp(microseconds: midnight + time - offset)
    }

    /// Four digits, or a sign and six. What `timestamptz` and a `Timestamp` both hold.
    private mutating func year() -> Int64? {
        let isNegative = take("-")
        guard isNegative || take("+") else { return number(4) }
        guard let year = number(6), !isNegative || year > 0 else { return nil }
        guard year <= (isNegative ? 4_712 : 294_246) else { return nil }
        return isNegative ? -year : year
    }

    /// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`, with or without colons, in microseconds.
    private mutating func timeOfDay() -> Int64? {
        guard let hour = number(2), hour <= 24 else { return nil }
        let isExtended = take(":")
        guard let minute = number(2), minute < 60 else { return nil }
        var second: Int64 = 0
        var fraction: Int64 = 0
        if isExtended ? take(":") : isDigit {
            guard let whole = number(2), whole <= 60 else { return nil }
            second = whole
            if take(".") || take(",") {
                guard isDigit else { return nil }
                fraction = microseconds()
            }
        }
        if hour == 24, minute + second + fraction > 0 { return nil }
        // A leap second has no place in Unix time: all of it is the second that follows.
        if second == 60 { fraction = 0 }
        return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    }

    private mutating func microseconds() -> Int64 {
        var value: Int64 = 0
        var unit: Int64 = 100_000
        while isDigit {
            value += Int64(text[at] - 48) * unit
            unit /= 10
            at += 1
        }
        return value
    }

    /// Nothing, `Z`, or hours and perhaps minutes to the east, in microseconds. A space may stand before it.
    private mutating func offset() -> Int64? {
        guard at < text.count else { return 0 }
        _ = take(" ")
        if take("Z") || take("z") { return 0 }
        let isWest = take("-")
        guard isWest || take("+"), let hours = number(2), hours < 24 else { return nil }
        var minutes: Int64 = 0
        if take(":") || at < text.count {
            guard let value = number(2), value < 60 else { return nil }
            minutes = value
        }
        return (hours * 60 + minutes) * (isWest ? -60_000_000 : 60_000_000)
    }

    // MARK: - Characters

    private var isDigit: Bool { at < text.count && text[at] &- 48 < 10 }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: mark) else { return false }
        at += 1
        return true
    }

    /// Exactly so many digits.
    private mutating func number(_ digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard isDigit else { return nil }
            value = value * 10 + Int64(text[at] - 48)
            at += 1
        }
        return value
    }

    // MARK: - Calendar

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}
