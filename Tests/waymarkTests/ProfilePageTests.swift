import ArgumentParser
import Foundations
import Testing

@testable import Identity
@testable import waymark

/// A person's timeline as it is printed.
struct ProfilePageTests {
    @Test(arguments: [
        (#"{"a":1}"#, "a 1"), ("{}", ""),
        (#"{"z":1,"amount":9.50,"name":"Tea"}"#, "name Tea, amount 9.50, z 1"),
        (#"{"a":null,"b":"","c":[],"d":{}}"#, ""),
        (#"{"items":[{"x":1},{"x":2}],"tags":["a","b"]}"#, "items 2 ×, tags a+b"),
        (#"{"url":"https://s.example/p?x=1","from":"https://s.example"}"#, "url /p?x=1, from s.example"),
        (#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}"#, "a 1, b 2, c 3, d 4, e 5, …"),
        (#"{"a":{"b":{"c":1}}}"#, "a {b}"),
        (#"{"t":"\n\u0007x"}"#, "t \n\u{7}x"), ("[1]", ""), ("", ""),
    ])
    func propertiesAreShort(json: String, expected: String) {
        #expect(ShortProperties.text(of: Array(json.utf8)) == expected)
    }

    @Test func aLongValueIsCut() {
        let text = ShortProperties.text(of: Array(#"{"t":"\#(String(repeating: "ü", count: 500))"}"#.utf8))
        #expect(text.count < 60 && text.hasSuffix("…"))
    }

    /// Most snippets say the page in the context.
    @Test(
        arguments: [
            (#"{"page":{"url":"https://s.example/a?utm_source=x&q=1"}}"#, "https://s.example/a?q=1"),
            (#"{"url":"/b"}"#, "/b"), (#"{"page":7}"#, nil), ("", nil),
        ] as [(String, String?)])
    func theContextTellsThePage(context: String, expected: String?) {
        let event = Timeline.Event(
            id: UUID(high: 1, low: 1), time: Timestamp(seconds: 1), receivedAt: Timestamp(seconds: 1),
            activity: "page-view", label: "Page view", source: "shop", session: nil, profile: nil,
            properties: [], context: Array(context.utf8), tags: [], clientID: nil)
        #expect(event.page == expected)
    }

    @Test(arguments: [
        (0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3660, "1 h 1 min"), (-5, "0 s"),
    ])
    func durationsAreForPeople(seconds: Int64, expected: String) {
        let from = Timestamp(seconds: 1000)
        #expect(ProfilePage.duration(from: from, to: from.adding(seconds: seconds)) == expected)
    }

    @Test(arguments: [
        ["profile", "show"], ["profile", "show", "x", "--email", "y"],
        ["profile", "show", "--identity", "nothing"],
        ["profile", "show", "x", "--limit", "0"], ["profile", "show", "x", "--before", "yesterday"],
        ["profile", "shwo"],
    ])
    func wrongUsageExitsWith64(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { _ = try Waymark.parseAsRoot(arguments) }
        #expect(Waymark.exitCode(for: try #require(error)).rawValue == 64)
    }

    @Test func whatIsAskedForIsLookedUpInTheFormInWhichItIsKept() throws {
        func keys(_ arguments: String...) throws -> [String] {
            let command = try #require(
                try Waymark.parseAsRoot(["profile", "show"] + arguments) as? ProfileShowCommand)
            return command.keys(Configuration()).map { "\($0)" }
        }
        #expect(try keys("--email", " Ada@Example.org ").first?.contains("ada@example.org") == true)
        #expect(try keys("--identity", "customer=A=1").first?.contains("A=1") == true)
        #expect(try keys("anna").first?.contains("static") == true)
        #expect(try keys("0198c5f2-7b7e-8a3c-9d4e-5f60718293a4").first?.contains("0198c5f2") == true)
    }
}
