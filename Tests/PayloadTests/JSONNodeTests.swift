import Foundations
import Testing

@testable import Payload

@Suite struct JSONNodeTests {
    @Test func everyKindIsKnownByItsText() throws {
        let kinds: [JSONKind] = [.object, .array, .string, .number, .true, .false, .null]
        try scan(#" [ {} , [ ] , "x" , -1.5 , true , false , null ] "#) { root in
            #expect(root.kind == .array)
            #expect(root.count == 7)
            #expect(root.offset == 1)
            #expect(root.elements.map(\.kind) == kinds)
            #expect(
                root.elements.map(\.bytes.text) == ["{}", "[ ]", "\"x\"", "-1.5", "true", "false", "null"])
            #expect(
                root.elements.map(\.contents.text) == ["{}", "[ ]", "x", "-1.5", "true", "false", "null"])
            #expect(root.elements.map(\.string) == ["{}", "[ ]", "x", "-1.5", "true", "false", "null"])
            #expect(root.elements.map(\.isNull) == [false, false, false, false, false, false, true])
        }
    }

    @Test func membersComeInTheOrderOfTheText() throws {
        try scan(#"{"b":[1,{"x":2}],"a":{"b":3},"b":4}"#) { root in
            #expect(root.count == 3)
            #expect(root.members.map(\.key.string) == ["b", "a", "b"])
            #expect(root.members.map(\.value.json) == [#"[1,{"x":2}]"#, #"{"b":3}"#, "4"])
            #expect(Array(root.elements).isEmpty)
        }
        try scan("[1]") { #expect(Array($0.members).isEmpty) }
        try scan("1") { #expect(Array($0.elements).isEmpty && $0.count == 0) }
    }

    @Test func theLastOfRepeatedKeysWins() throws {
        try scan(#"{"a":1,"b":{"a":9},"\u0061":2,"aa":3}"#) { root in
            #expect(root.member("a")?.json == "2")
            #expect(root.member("b")?.member("a")?.json == "9")
            #expect(root.member("c") == nil)
            #expect(root.member("") == nil)
        }
        try scan("[\"a\"]") { #expect($0.member("a") == nil) }
    }

    @Test(arguments: [
        (#""""#, ""), (#""é""#, "é"), (#""\u00e9""#, "é"), (#""\u00E9x""#, "éx"), (#""\ud83d\ude00""#, "😀"),
        (#""a\/b\\""#, "a/b\\"), (#""\n\t\r\b\f\"""#, "\n\t\r\u{8}\u{c}\""), (#""\u0000""#, "\u{fffd}"),
        (#""x\ud800y""#, "x\u{fffd}y"), (#""\udc00""#, "\u{fffd}"), (#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
        (#""\ud800\u0041""#, "\u{fffd}A"), (#""\uffff""#, "\u{ffff}"), (#""\\u0000""#, "\\u0000"),
    ])
    func keysAndTextsAreComparedDecoded(_ text: String, _ decoded: String) throws {
        try scan(text) { root in
            #expect(root.string == decoded)
            bytes(decoded) { #expect(root.isText($0)) }
            bytes(decoded + "x") { #expect(!root.isText($0)) }
            bytes(String(decoded.dropLast()) + "#") { #expect(!root.isText($0)) }
        }
        try scan("{\(text):1}") { root in
            bytes(decoded) { #expect(root.member(decoded: $0)?.json == "1") }
        }
    }
}
