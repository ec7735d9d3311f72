internal import Foundations

extension ByteBuffer {
    /// The line `Date: Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
    mutating func appendDateLine(_ seconds: Int64) {
        let day = Timestamp(seconds: seconds).day
        let date = CivilDate(daysSince1970: Int(day))
        let weekday = Int(((day + 4) % 7 + 7) % 7)
        let rest = Int(seconds - day * 86_400)
        append("Date: ")
        appendName("SunMonTueWedThuFriSat", weekday)
        append(", ")
        append(twoDigits: date.day)
        append(32)
        appendName("JanFebMarAprMayJunJulAugSepOctNovDec", date.month - 1)
        append(32)
        append(decimal: date.year)
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
}
