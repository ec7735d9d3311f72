import Testing

@testable import waymark

struct TableTests {
    @Test func columnsAreAlignedAndNumbersToTheRight() {
        var table = Table("ACTIVITY", .right("EVENTS"), "SOURCES")
        table.add("page-view", "1042", "shop-web")
        table.add("注文", "7")
        #expect(
            table.lines(width: nil) == [
                "ACTIVITY   EVENTS  SOURCES",
                "page-view    1042  shop-web",
                "注文            7",
            ])
    }

    @Test func theWidestTextGivesWay() {
        var table = Table("A", .right("N"), "B")
        table.add(String(repeating: "x", count: 30), "123456789", "short")
        let lines = table.lines(width: 40)
        #expect(lines[1] == String(repeating: "x", count: 21) + "…  123456789  short")
        #expect(lines.allSatisfy { $0.columns <= 40 })
    }

    @Test(arguments: ["\u{1b}[2Jgone", "two\nlines", "tab\there", "\u{202e}desrever"])
    func aCellCannotSteerTheTerminal(text: String) {
        var table = Table("A")
        table.add(text)
        let line = table.lines(width: nil)[1]
        #expect(line.contains("\\u{"))
        #expect(!line.unicodeScalars.contains { $0.value < 32 || $0 == "\u{202e}" })
    }
}
