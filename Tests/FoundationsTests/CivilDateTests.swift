import Testing

@testable import Foundations

@Suite struct CivilDateTests {
    @Test(arguments: [
        (0, "1970-01-01"), (-1, "1969-12-31"), (59, "1970-03-01"), (789, "1972-02-29"),
        (11_016, "2000-02-29"),
        (20_779, "2026-11-22"), (47_540, "2100-02-28"), (47_541, "2100-03-01"), (-719_468, "0000-03-01"),
    ])
    func daysAreDates(_ days: Int, _ date: String) {
        #expect(CivilDate(daysSince1970: days).description == date)
        #expect(CivilDate(daysSince1970: days).daysSince1970 == days)
    }

    @Test func everyDayOfEightHundredYearsFollowsTheOneBefore() {
        var before = CivilDate(daysSince1970: -150_001)
        for days in -150_000...150_000 {
            let date = CivilDate(daysSince1970: days)
            let isNext = date.month == before.month && date.year == before.year && date.day == before.day + 1
            let isFirst = date.day == 1 && before.day >= 28 && date.month == before.month % 12 + 1
            #expect(isNext || isFirst)
            #expect(date.daysSince1970 == days)
            before = date
        }
    }
}
