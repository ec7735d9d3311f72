internal import Foundations

extension ByteBuffer {
    /// The line `Date: Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    mutating func appendDateLine(_ seconds: Int64) {
        let day = Timestamp(seconds: seconds).day
        let (year, month, date) = civil(day)
        let weekday = Int(((day + 4) % 7 + 7) % 7)
        let rest = Int(seconds - day * 86_400)
        append("Date: ")
        appendName("SunMonTueWedThuFriSat", weekday)
        append(", ")
        append(twoDigits: date)
        append(32)
        appendName("JanFebMarAprMayJunJulAugSepOctNovDec", month - 1)
        append(32)
        append(decimal: year)
        append(32)
        append(twoDigits: rest / 3600)
        append(58)
        append(twoDigits: rest / 60 % 60)
        append(58)
        append(twoDigits: rest % 60)
        append(" GMT\r\n")
    }

    private mutating func appendName(_ names: StaticString, _ index: Int) {
        append(Bytes(start: names.utf8Start + index * 3, count: 3))
    }

    private mutating func append(twoDigits number: Int) {
        append(UInt8(48 + number / 10))
        append(UInt8(48 + number % 10))
    }

    /// Year, month and day of a number of days since 1970-01-01, in the Gregorian calendar. The year is counted
    /// from March, so that the leap day is its last one.
    private func civil(_ days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * fromMarch + 2) / 5 + 1)
    }
}
