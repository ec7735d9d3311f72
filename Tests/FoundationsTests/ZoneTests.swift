import Testing

@testable import Foundations

struct ZoneTests {
    @Test(arguments: [
        ("Europe/Berlin", 1_767_225_600, 3600),  // 2026-01-01
        ("Europe/Berlin", 1_774_745_999, 3600),  // a second before summer time of 2026
        ("Europe/Berlin", 1_774_746_000, 7200),
        ("Europe/Berlin", 4_120_000_000, 7200),  // July 2100: by the rule
        ("Europe/Berlin", 4_102_444_800, 3600),  // January 2100
        ("Asia/Kolkata", 1_772_470_800, 19_800),
        ("America/New_York", 1_780_272_000, -14_400),
        ("Australia/Sydney", 4_102_444_800, 39_600),  // summer in January
        ("UTC", 0, 0),
        ("Europe/London", 0, 3600),  // 1970: British Standard Time
    ])
    func theOffsetIsThatOfTheMoment(name: String, seconds: Int64, offset: Int64) throws {
        #expect(try #require(Zone(name)).offset(at: Timestamp(seconds: seconds)) == offset)
    }

    @Test(arguments: ["Nowhere/City", "", "../etc/passwd", "Europe", "Europe/../UTC", "tzdata.zi"])
    func whatIsNoZoneIsNone(name: String) { #expect(Zone(name) == nil) }

    @Test func theClocksOnTheWallAreReadAndSet() throws {
        let berlin = try #require(Zone("Europe/Berlin"))
        let local = berlin.local(Timestamp(seconds: 1_774_746_000))
        #expect(local.date.description == "2026-03-29" && local.hour == 3 && local.weekday == 6)
        #expect(berlin.moment(local) == Timestamp(seconds: 1_774_746_000))
        // 02:30 does not exist on that day, and exists twice on 2026-10-25.
        let skipped = LocalTime(CivilDate(year: 2026, month: 3, day: 29), secondOfDay: 9000)
        #expect(berlin.moments(skipped) == [Timestamp(seconds: 1_774_746_000)])
        let twice = LocalTime(CivilDate(year: 2026, month: 10, day: 25), secondOfDay: 9000)
        #expect(berlin.moment(twice) == Timestamp(seconds: 1_792_888_200))
        #expect(berlin.moments(twice) == [1_792_888_200, 1_792_891_800].map { Timestamp(seconds: $0) })
    }
}
