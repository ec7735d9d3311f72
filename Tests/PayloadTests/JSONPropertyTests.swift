import Foundations
import Testing

@testable import Payload

@Suite struct JSONPropertyTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func aRandomDocumentReadsAsTheObviousParserReadsIt(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        let random = RandomJSON()
        for _ in 0..<300 {
            let text = random.text(of: random.tree(&dice), &dice)
            let slow = try #require(SlowJSON.parse(Array(text.utf8)), "\(text)")
            try scan(text) { root in
                #expect(Value(root) == slow, "\(text)")
                #expect(root.json == text.trimmed)
            }
        }
    }

    @Test(arguments: [5, 6, 7, 8] as [UInt64])
    func aBrokenDocumentIsJudgedAsTheObviousParserJudgesIt(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        let random = RandomJSON()
        let marks =
            Array("{}[]\",:\\u0019-+.eEtrufalsn \n\0\u{1f}".utf8) + [
                0x80, 0xc3, 0xed, 0xa0, 0xf4, 0xff, 0xbf,
            ]
        var accepted = 0
        for _ in 0..<1_500 {
            var text = Array(random.text(of: random.tree(&dice), &dice).utf8)
            for _ in 0...dice.below(3) {
                let at = dice.below(text.count + 1)
                switch dice.below(4) {
                case 0: text.insert(dice.pick(marks), at: at)
                case 1 where at < text.count: text[at] = dice.pick(marks)
                case 2 where at < text.count: text.remove(at: at)
                default: text.removeLast(min(dice.below(4), text.count))
                }
            }
            let slow = SlowJSON.parse(text)
            let error = refusal(of: text)
            #expect((slow == nil) == (error != nil), "\(String(decoding: text, as: UTF8.self)) \(text)")
            #expect(error.map { $0.offset <= text.count } ?? true)
            guard let slow, error == nil else { continue }
            accepted += 1
            try scan(text) { #expect(Value($0) == slow, "\(text)") }
        }
        #expect(accepted > 100)
    }

    @Test(arguments: [9, 10] as [UInt64])
    func whatIsRepairedReadsAsBefore(_ seed: UInt64) throws {
        var dice = Dice(state: seed)
        let pieces = ["\\u0000", "\\ud800", "\\udc00", "\\ud83d\\ude00", "a", "\\\\", "é", "\\n", "12345678"]
        var hasher = ContentHasher()
        for _ in 0..<500 {
            let text =
                "["
                + (0...dice.below(3)).map { _ in
                    "\"" + (0..<dice.below(6)).map { _ in dice.pick(pieces) }.joined() + "\""
                }.joined(separator: ",") + "]"
            let (before, hash, repaired) = try scan(text) { (Value($0), hasher.hash($0), $0.json) }
            try scan(repaired) { root in
                #expect(Value(root) == before, "\(text)")
                #expect(hasher.hash(root) == hash, "\(text)")
                #expect(!root.needsRepair)
            }
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        let isSpace: (Character) -> Bool = { [" ", "\n", "\t", "\r\n"].contains($0) }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
