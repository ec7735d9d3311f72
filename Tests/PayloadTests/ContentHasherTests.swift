import Foundations
import Testing

@testable import Payload

@Suite struct ContentHasherTests {
    func hash(_ text: String) throws -> UInt64 {
        var hasher = ContentHasher()
        return try scan(text) { hasher.hash($0) }
    }

    @Test(arguments: [
        ["1", "1.0", "1e0", "10e-1", "0.1e1", "1.000000000000000000000000000000", "100E-2", "1e+0"],
        ["0", "-0", "0.0", "-0.000", "0e5", "0E-20", "-0e0"],
        ["1200", "12e2", "1.2e3", "0.0012e6", "1200.00"],
        ["-0.5", "-5e-1", "-0.50"],
        [
            "123456789012345678901234567890", "12345678901234567890123456789e1",
            "1.2345678901234567890123456789e29",
        ],
        [#""é""#, #""\u00e9""#, #""\u00E9""#],
        [#""a/b""#, #""a\/b""#, #""\u0061\u002fb""#],
        [#""😀""#, #""\ud83d\ude00""#],
        [#""\u0000""#, #""\ud800""#, "\"\u{fffd}\""],
        ["1e100000", "\"1e100000\""],
        ["{}", " { } "],
        [
            #"{"a":1,"b":[1,2]}"#, #"{"b":[1.0,2],"a":1}"#, #"{"a":5,"b":[1,2],"a":1}"#,
            #"{"b":0,"b":[1,2],"\u0061":1e0}"#,
        ],
    ])
    func whatJsonbHoldsToBeEqualHasOneHash(_ texts: [String]) throws {
        let first = try hash(texts[0])
        for text in texts { #expect(try hash(text) == first, "\(text)") }
    }

    @Test func whatDiffersHasAnotherHash() throws {
        let texts = [
            "null", "true", "false", "0", "1", "-1", "10", "0.1", "1e2", "1e-2", "11", "1e18",
            "1000000000000000001", "\"\"", "\"0\"",
            "\"1\"", "\"null\"", "\"true\"", "[]", "[0]", "[0,0]", "[[]]", "[[0]]", "[[],[]]", "{}", "[{}]",
            #"{"":0}"#, #"{"a":0}"#,
            #"{"a":1}"#, #"{"a":[]}"#, #"{"a":{}}"#, #"{"a":null}"#, #"{"a":"b"}"#, #"{"b":"a"}"#,
            #"{"a":{"b":1}}"#,
            #"{"b":{"a":1}}"#, #"["a","b"]"#, #"["b","a"]"#, #"["ab"]"#, #"["a\u0001"]"#, "\"12345678\"",
            "\"123456780\"",
            "[1,2,3]", "[1,[2,3]]", "[[1,2],3]", #"{"a":1,"b":2}"#, #"{"a":2,"b":1}"#, "\"e\u{301}\"",
            "\"\u{e9}\"", "[\"\"]",
            "123456789012345678", "1234567890123456789", "12345678901234567891",
        ]
        var seen: [UInt64: String] = [:]
        for text in texts { #expect(seen.updateValue(text, forKey: try hash(text)) == nil, "\(text)") }
    }

    @Test func theHashNeverChanges() throws {
        // These stand in databases: a change of the function is a change of the format.
        let fixed: [(String, UInt64)] = [
            (#"null"#, 0x9ca066f1a4ab2eea),
            (#"-12.50"#, 0xfe5884e46c9b5477),
            (#"12345678901234567890123.5e-3"#, 0xebbf3d48863645db),
            (#""12345678é""#, 0x522875dba2b9c44d),
            (#"{"a":[1,"é",true,{},false],"b":null,"a":[0,"x"]}"#, 0xc8fd65a302b7f0c0),
            (#"[[],[{}],""]"#, 0xe6aedde50b4ed6b8),
        ]
        for (text, wanted) in fixed { #expect(try hash(text) == wanted, "\(text)") }
    }

    @Test func anEventIsItsActivityAndItsProperties() throws {
        var hasher = ContentHasher()
        try scan(#"{"a":1}"#) { one in
            try scan("{}") { none in
                let view = bytes("page-view") { hasher.hash(activity: $0, properties: one) }
                #expect(view == bytes("page-view") { hasher.hash(activity: $0, properties: one) })
                #expect(view != bytes("page-vieW") { hasher.hash(activity: $0, properties: one) })
                #expect(view != bytes("page-view") { hasher.hash(activity: $0, properties: none) })
                #expect(
                    bytes("x") { hasher.hash(activity: $0, properties: .null) }
                        == bytes("x") { hasher.hash(activity: $0, properties: none) })
                #expect(
                    bytes("x") { hasher.hash(activity: $0, properties: nil) }
                        == bytes("x") { hasher.hash(activity: $0, properties: none) })
            }
        }
    }

    @Test(arguments: [1, 15, 16, 17, 18, 100, 3_000])
    func manyKeysRepeatedKeysAndAnyOrderAreTheSame(_ count: Int) throws {
        var dice = Dice(state: UInt64(count))
        let members = (0..<count).map { "\"key\($0)\":\($0)" }
        let plain = try hash("{" + members.joined(separator: ",") + "}")
        let overwritten = (0..<count).map { "\"key\($0)\":null" }
        let other = overwritten.shuffled(using: &dice) + members.shuffled(using: &dice)
        #expect(try hash("{" + other.joined(separator: ",") + "}") == plain)
        #expect(try hash("{" + (members + [overwritten[0]]).joined(separator: ",") + "}") != plain)
    }
}
