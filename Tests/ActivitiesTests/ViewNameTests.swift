import Testing

@testable import Activities

struct ViewNameTests {
    @Test func aFreeNameStaysAsItIs() {
        var names = ViewNames()
        #expect(names.take("items.price", for: "items[].price") == "items.price")
        #expect(names.take("select", for: "select") == "select")
    }

    @Test func aTakenNameEndsInDigitsOfWhatItNames() {
        var names = ViewNames(taken: ["time"])
        let name = names.take("time", for: "time")
        #expect(name.hasPrefix("time~") && name.count == 13)
        #expect(names.take("time", for: "time") != name)
    }

    @Test func aLongNameIsCutAtACharacter() {
        var names = ViewNames()
        let name = names.take(String(repeating: "é", count: 100), for: "x")
        #expect(name.utf8.count <= 63)
        #expect(name.hasPrefix(String(repeating: "é", count: 27) + "~"))
        #expect(names.take(String(repeating: "x", count: 63), for: "y").utf8.count == 63)
    }

    @Test func anEmptyNameIsNone() {
        var names = ViewNames()
        #expect(names.take("", for: "\"\"").hasPrefix("~"))
    }

    @Test(arguments: [
        ("price", "\"price\""), ("a\"b", "\"a\"\"b\""), ("\"", "\"\"\"\""),
        // One character for Swift, two for PostgreSQL: the quote must be doubled all the same.
        ("a\"\u{301}; drop table event; --", "\"a\"\"\u{301}; drop table event; --\""),
        ("\"\u{fe0f}", "\"\"\"\u{fe0f}\""), ("\"\u{200d}\"", "\"\"\"\u{200d}\"\"\""),
    ])
    func aQuoteInANameEndsNothing(_ name: String, _ identifier: String) {
        #expect(ViewSQL.identifier(name).unicodeScalars.elementsEqual(identifier.unicodeScalars))
    }
}
