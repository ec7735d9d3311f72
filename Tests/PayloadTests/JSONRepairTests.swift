import Foundations
import Testing

@testable import Payload

@Suite struct JSONRepairTests {
    @Test(
        arguments: [
            (#""\u0000""#, "\"\u{fffd}\"", .nul), (#""a\u0000\u0000b""#, "\"a\u{fffd}\u{fffd}b\"", .nul),
            (#""\ud800""#, "\"\u{fffd}\"", .surrogate), (#""\udfff\n""#, "\"\u{fffd}\\n\"", .surrogate),
            (#""\ud83d\ud83d\ude00""#, "\"\u{fffd}\\ud83d\\ude00\"", .surrogate),
            (#""\ud800\u0000""#, "\"\u{fffd}\u{fffd}\"", [.surrogate, .nul]),
            ("1e100000", "\"1e100000\"", .number),
            ("-1E-100000", "\"-1E-100000\"", .number),
            ("1e99999999999999999999", "\"1e99999999999999999999\"", .number),
            ("0e99999999999999999999", "\"0e99999999999999999999\"", .number),
            (
                #"{"a\u0000":[1e9999,{"b":"\ud800"}], "c":1}"#,
                "{\"a\u{fffd}\":[\"1e9999\",{\"b\":\"\u{fffd}\"}], \"c\":1}",
                [.nul, .number, .surrogate]
            ),
        ] as [(String, String, Repairs)])
    func whatJsonbRefusesIsReplacedAndNoted(_ text: String, _ repaired: String, _ repairs: Repairs) throws {
        try scan(text) { root in
            #expect(root.needsRepair)
            var buffer = ByteBuffer()
            #expect(root.appendJSON(to: &buffer) == repairs)
            #expect(buffer.bytes.text == repaired)
        }
        try scan(repaired) { #expect(!$0.needsRepair) }
    }

    @Test(arguments: [
        "1e400", "1e-400", "1e4095", "-1.5e-4000", "0e5000",
        "123456789012345678901234567890.123456789012345678901234",
        #""\\u0000""#, #""\ud83d\ude00""#, #"{"a":"\u0001","b":[1.50,{"c" : -0}]}"#, "[ ]",
    ])
    func whatJsonbTakesIsCopiedByteForByte(_ text: String) throws {
        try scan(text) { root in
            #expect(!root.needsRepair)
            #expect(root.json == text)
        }
    }

    @Test func onlyThePartThatNeedsItIsRepaired() throws {
        try scan(#"{"bad":[[["\u0000"]]],"good":{"a":1}}"#) { root in
            #expect(root.needsRepair)
            #expect(root.member("bad")?.needsRepair == true)
            #expect(root.member("good")?.needsRepair == false)
            #expect(root.member("good")?.json == #"{"a":1}"#)
            #expect(root.member("bad")?.json == "[[[\"\u{fffd}\"]]]")
        }
    }

    @Test func aNumberMayHaveAsManyDigitsAsNumericHolds() throws {
        let nines = { String(repeating: "9", count: $0) }
        for (text, fits) in [
            (nines(131_072), true), (nines(131_073), false), ("-" + nines(131_072), true),
            ("0." + nines(16_383), true),
            ("0." + nines(16_384), false), (nines(131_072) + "." + nines(16_383), true),
            (nines(5_000) + "e0", true),
            (nines(4_000) + "e96", true), (nines(4_000) + "e97", false), ("1e4095", true), ("1e4096", false),
            ("1e-4095", true), ("1e-4096", false),
        ] {
            try scan(text) { #expect($0.needsRepair != fits, "\(text.prefix(8))… of \(text.count)") }
        }
    }
}
