import Foundations
import Testing

@testable import Payload

@Suite struct JSONNestingTests {
    @Test(arguments: [
        ("1", 0), ("[]", 1), ("{}", 1), ("[1]", 1), ("[[]]", 2), ("[1,[2,[3]],4]", 3),
        ("{\"a\":{\"b\":[]}}", 3),
        ("[[[]],[]]", 3), ("[[],[[]]]", 3),
    ])
    func theDepthIsThatOfTheDeepestPart(_ text: String, _ depth: Int) throws {
        try scan(text) { #expect($0.depth == depth) }
    }

    @Test(arguments: [("[", "", "]"), ("{\"a\":", "1", "}"), ("[1,{\"a\":[", "", "],\"b\":2}]")])
    func twoMegabytesOfNestingNeedNoStack(_ open: String, _ middle: String, _ close: String) throws {
        let levels = 2_000_000 / (open.utf8.count + close.utf8.count)
        let text = String(repeating: open, count: levels) + middle + String(repeating: close, count: levels)
        var hasher = ContentHasher()
        try scan(text) { root in
            #expect(root.depth >= levels)
            #expect(root.json == text)
            let hash = hasher.hash(root)
            #expect(hash == hasher.hash(root))
        }
    }

    @Test func bracketsThatCannotAllBeClosedAreRefusedEarly() {
        let error = refusal(of: Array(repeating: UInt8(ascii: "["), count: 100_000))
        #expect(error == JSONError(code: .lessNesting, offset: 50_001, found: UInt8(ascii: "[")))
    }

    @Test func aLargeTextsTapeIsGivenBack() throws {
        var document = JSONDocument()
        var large = ByteBuffer()
        large.append("[" + String(repeating: "0,", count: 500_000) + "0]")
        try document.parse(large.bytes)
        #expect(document.root.count == 500_001)
        #expect(document.capacity > 500_000)
        large.removeAll()
        large.append("[1,2]")
        try document.parse(large.bytes)
        #expect(document.root.count == 2)
        #expect(document.capacity <= 1 << 16)
        let kept = document.capacity
        try document.parse(large.bytes)
        #expect(document.capacity == kept)
    }
}
