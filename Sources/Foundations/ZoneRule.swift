/// A rule for all years, as `TZ` has it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct ZoneRule: Sendable, Equatable {
    /// Seconds to the east.
    private let standard: Int64
    private var summer: Summer?

    private struct Summer: Equatable {
        let offset: Int64
        let start: Change
        let end: Change
    }

    /// A day of the year and the second of it, by the clocks before the change.
    private struct Change: Equatable {
        enum Day: Equatable {
            /// 1 to 365, never the leap day.
            case julian(Int)
            /// 0 to 365.
            case ordinal(Int)
            /// Month, week (5: the last), day (0: Sunday).
            case weekday(Int, Int, Int)
        }
        let day: Day
        let second: Int64
    }

    /// Nil for an empty or odd rule.
    init?(_ text: String) {
        var rest = Substring(text)
        guard Self.takeName(&rest), let west = Self.takeTime(&rest) else { return nil }
        standard = -west
        if rest.isEmpty { return }
        guard Self.takeName(&rest) else { return nil }
        var offset = standard + 3600
        if rest.first != "," {
            guard let west = Self.takeTime(&rest) else { return nil }
            offset = -west
        }
        guard let start = Self.takeChange(&rest), let end = Self.takeChange(&rest), rest.isEmpty else {
            return nil
        }
        summer = Summer(offset: offset, start: start, end: end)
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = CivilDate(daysSince1970: Int(Timestamp(seconds: seconds + standard).day)).year
        let start = Self.second(summer.start, in: year) - standard
        let end = Self.second(summer.end, in: year) - summer.offset
        let isSummer =
            start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSummer ? summer.offset : standard
    }

    private static func second(_ change: Change, in year: Int) -> Int64 {
        let new = CivilDate(year: year, month: 1, day: 1).daysSince1970
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let day: Int
        switch change.day {
        case .julian(let n): day = new + n - 1 + (isLeap && n > 59 ? 1 : 0)
        case .ordinal(let n): day = new + n
        case .weekday(let month, let week, let wanted):
            let first = CivilDate(year: year, month: month, day: 1).daysSince1970
            let next =
                month == 12
                ? CivilDate(year: year + 1, month: 1, day: 1).daysSince1970
                : CivilDate(year: year, month: month + 1, day: 1).daysSince1970
            let weekday = ((first + 4) % 7 + 7) % 7
            var at = first + (wanted - weekday + 7) % 7 + (week - 1) * 7
            while at >= next { at -= 7 }
            day = at
        }
        return Int64(day) * 86_400 + change.second
    }

    // MARK: Reading

    private static func takeName(_ rest: inout Substring) -> Bool {
        if rest.first == "<" {
            guard let end = rest.firstIndex(of: ">") else { return false }
            rest = rest[rest.index(after: end)...]
            return true
        }
        let name = rest.prefix { $0.isLetter }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    /// `[+-]hh[:mm[:ss]]`
    private static func takeTime(_ rest: inout Substring) -> Int64? {
        var sign: Int64 = 1
        if let first = rest.first, first == "-" || first == "+" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        var total: Int64 = 0
        for unit: Int64 in [3600, 60, 1] {
            guard let number = takeNumber(&rest) else { return nil }
            total += Int64(number) * unit
            guard rest.first == ":", unit > 1 else { break }
            rest = rest.dropFirst()
        }
        return sign * total
    }

    private static func takeNumber(_ rest: inout Substring) -> Int? {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(digits.count)
        return Int(digits)
    }

    private static func takeChange(_ rest: inout Substring) -> Change? {
        guard rest.first == "," else { return nil }
        rest = rest.dropFirst()
        let day: Change.Day
        if rest.first == "M" {
            rest = rest.dropFirst()
            var numbers: [Int] = []
            for i in 0..<3 {
                if i > 0 { rest = rest.dropFirst() }
                guard let number = takeNumber(&rest) else { return nil }
                numbers.append(number)
            }
            guard (1...12).contains(numbers[0]), (1...5).contains(numbers[1]), numbers[2] < 7 else {
                return nil
            }
            day = .weekday(numbers[0], numbers[1], numbers[2])
        } else {
            let isJulian = rest.first == "J"
            if isJulian { rest = rest.dropFirst() }
            guard let number = takeNumber(&rest), number <= 366 else { return nil }
            day = isJulian ? .julian(number) : .ordinal(number)
        }
        guard rest.first == "/" else { return Change(day: day, second: 7200) }
        rest = rest.dropFirst()
        return takeTime(&rest).map { Change(day: day, second: $0) }
    }
}
