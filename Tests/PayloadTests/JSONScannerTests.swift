import Foundations
import Testing

@testable import Payload

@Suite struct JSONScannerTests {
    @Test(arguments: [
        "{}", "[]", "0", "-0", "1", "12", "-12.5", "1e5", "1E+5", "1.25e-7", "0.0", "0e0", "\"\"", "\"a\"",
        "true",
        "false", "null", " \t\r\n{} \t\r\n", "[1,2]", "[ 1 , 2 ]", "{\"a\":1}", "{ \"a\" : 1 , \"b\" : [ ] }",
        "[[],[[]],{}]", "{\"\":0}", "{\"a\":1,\"a\":2}", #""\" \\ \/ \b \f \n \r \t""#,
        #""\u0041\uD83D\uDE00""#,
        #""\u0000""#, #""\ud800""#, #""\udc00\ud800""#, #""\ud800\ud800\udc00""#, "\"\u{7f}\"",
        "\"żółć 漢字 😀\"",
        "\"\u{0080}\u{07ff}\u{0800}\u{ffff}\u{10000}\u{10ffff}\"", "\u{feff}{}", "\u{feff} 1",
        "[true,false,null,\"\",0,{},[]]", "1e400",
        "123456789012345678901234567890123456789012345678901234567890",
        "\"12345678\"", "\"1234567\"", "\"123456789012345\"", "\"1234567\\\"\"", "        1        ",
        "1e-400",
        "\"\\\\\"", "[\"\\\\\",\"\\\"\"]", "\"a/b\"", "[1e0,1E0,1e+0,1e-0]",
    ])
    func whatIsJSONIsAccepted(_ text: String) {
        #expect(refusal(of: Array(text.utf8)) == nil)
    }

    @Test(
        arguments: [
            ("", .value, 0), (" ", .value, 1), ("\u{feff}", .value, 3), ("\u{feff}\u{feff}1", .value, 3),
            ("{", .key, 1), ("[", .value, 1), ("}", .value, 0), ("]", .value, 0), ("[1", .commaOrBracket, 2),
            ("[1,", .value, 3), ("[1,]", .value, 3), ("[,1]", .value, 1), ("[1,,2]", .value, 3),
            ("[1 2]", .commaOrBracket, 3), ("[1}", .commaOrBracket, 2), ("{\"a\":1]", .commaOrBrace, 6),
            ("{\"a\"", .colon, 4), ("{\"a\" 1}", .colon, 5), ("{\"a\":", .value, 5), ("{\"a\":}", .value, 5),
            ("{\"a\":1", .commaOrBrace, 6), ("{\"a\":1,", .key, 7), ("{\"a\":1,}", .key, 7),
            ("{a:1}", .key, 1),
            ("{1:1}", .key, 1), ("{'a':1}", .key, 1), ("{,}", .key, 1),
            ("{\"a\":1 \"b\":2}", .commaOrBrace, 7),
            ("{\"a\":1,,\"b\":2}", .key, 7), ("{\"a\"::1}", .value, 5), ("{}}", .end, 2), ("[]]", .end, 2),
            ("1 2", .end, 2), ("1,", .end, 1), ("{} x", .end, 3), ("nul", .value, 0), ("nulL", .value, 0),
            ("True", .value, 0), ("truex", .end, 4), ("nan", .value, 0), ("NaN", .value, 0),
            ("Infinity", .value, 0),
            ("-Infinity", .digit, 1), ("undefined", .value, 0), ("-", .digit, 1), ("+1", .value, 0),
            (".5", .value, 0),
            ("5.", .digit, 2), ("-.5", .digit, 1), ("1.e5", .digit, 2), ("01", .end, 1), ("-01", .end, 2),
            ("00", .end, 1), ("1e", .digit, 2), ("1e+", .digit, 3), ("1e5.5", .end, 3), ("0x10", .end, 1),
            ("1_000", .end, 1), ("\"", .closingQuote, 1), ("\"abc", .closingQuote, 4),
            ("\"\\\"", .closingQuote, 3),
            ("\"\\", .closingQuote, 2), ("\"\\x\"", .escape, 2), ("\"\\'\"", .escape, 2),
            ("\"\\U0041\"", .escape, 2),
            ("\"\\u\"", .hexDigits, 3), ("\"\\u00\"", .hexDigits, 3), ("\"\\u00g0\"", .hexDigits, 3),
            ("\"\\u004", .hexDigits, 3), ("\"\\ud800\\u\"", .hexDigits, 9),
            ("\"a\nb\"", .noControlCharacter, 2),
            ("\"\t\"", .noControlCharacter, 1), ("\"\0\"", .noControlCharacter, 1),
            ("\"1234567\u{1f}\"", .noControlCharacter, 8), ("\0", .value, 0), ("1\0", .end, 1),
            ("[\0]", .value, 1),
            ("\u{c}1", .value, 0), ("\u{a0}1", .value, 0), ("/* */1", .value, 0), ("1//", .end, 1),
            ("[1]#", .end, 3),
            ("'a'", .value, 0), ("{\"a\":1;}", .commaOrBrace, 6), ("[[[[", .lessNesting, 3),
            ("\u{201c}a\u{201d}", .value, 0),
            ("\\u0031", .value, 0), ("{\"a\"\u{a0}:1}", .colon, 4), ("[1\u{feff}]", .commaOrBracket, 2),
        ] as [(String, JSONError.Code, Int)])
    func whatIsNotJSONIsRefusedWhereItStops(_ text: String, _ code: JSONError.Code, _ offset: Int) {
        let error = refusal(of: Array(text.utf8))
        #expect(error?.code == code)
        #expect(error?.offset == offset)
    }

    @Test(
        arguments: [
            [0x80], [0xbf], [0xc0, 0x80], [0xc1, 0xbf], [0xc2], [0xc2, 0x20], [0xe0, 0x80, 0x80],
            [0xe0, 0x9f, 0xbf],
            [0xe2, 0x82], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80], [0xed, 0xbf, 0xbf],
            [0xf0, 0x80, 0x80, 0x80],
            [0xf0, 0x8f, 0xbf, 0xbf], [0xf0, 0x9f, 0x98], [0xf0, 0x9f, 0x28, 0x80], [0xf4, 0x90, 0x80, 0x80],
            [0xf5, 0x80, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe], [0xff], [0xe9],
            [0xed, 0x9f, 0xbf, 0x80],
        ] as [[UInt8]])
    func whatIsNotUTF8IsRefused(_ bytes: [UInt8]) {
        for before in ["", "a", "1234567", "12345678", "ż", "\\n"] {
            let text = [0x22] + Array(before.utf8) + bytes + [0x22]
            #expect(refusal(of: text)?.code == .utf8, "\(before)")
            #expect(refusal(of: [0x5b] + text + [0x5d])?.code == .utf8)
        }
    }

    @Test(arguments: ["\u{80}", "\u{d7ff}", "\u{e000}", "\u{fffd}", "\u{ffff}", "\u{10000}", "\u{10ffff}"])
    func everyCornerOfUTF8IsAccepted(_ text: String) throws {
        try scan("\"1234567\(text)1234567\(text)\"") { #expect($0.string == "1234567\(text)1234567\(text)") }
    }

    @Test func aTextCutAnywhereIsRefusedAtItsEnd() {
        let whole = Array(#"{"a":[1.5e3,true,null,"ż\u00e9\ud83d\ude00",{"b":{}}],"c":"12345678"}"#.utf8)
        #expect(refusal(of: whole) == nil)
        for length in 0..<whole.count {
            #expect(refusal(of: Array(whole[..<length])) != nil, "\(length)")
        }
    }

    @Test func theErrorNamesWhatWasExpectedButNothingOfTheText() {
        #expect("\(refusal(of: Array("[1,x]".utf8))!)" == "expected a value, found a letter at byte 3")
        #expect("\(refusal(of: Array("{\"a\"".utf8))!)" == "expected a colon, found the end at byte 4")
        #expect("\(refusal(of: Array("[1}".utf8))!)" == "expected a comma or ], found } at byte 2")
    }

    @Test func afterAnErrorThereIsNoDocument() throws {
        var document = JSONDocument()
        #expect(document.root.isNull)
        let text = Array("[1] [1,".utf8)
        text.withUnsafeBytes { text in
            #expect(throws: Never.self) { try document.parse(text.slice(0..<3)) }
            #expect(document.root.kind == .array)
            #expect(throws: JSONError.self) { try document.parse(text.slice(4..<7)) }
            #expect(document.root.isNull)
            #expect(document.root.bytes.text == "null")
        }
    }
}
