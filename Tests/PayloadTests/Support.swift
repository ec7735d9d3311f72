import Foundations

@testable import Payload

/// Runs a test on the root of a scanned text, which is gone afterwards.
func scan<T>(_ text: String, _ body: (JSONNode) throws -> T) throws -> T { try scan(Array(text.utf8), body) }

func scan<T>(_ text: [UInt8], _ body: (JSONNode) throws -> T) throws -> T {
    // A copy that ends where the text ends: a read behind it is found by the address sanitizer.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: text)
    var document = JSONDocument()
    try document.parse(Bytes(copy))
    return try body(document.root)
}

/// Why a text is refused; nil: it is not.
func refusal(of text: [UInt8]) -> JSONError? {
    do {
        try scan(text) { _ in }
        return nil
    } catch {
        return error as? JSONError
    }
}

extension JSONNode {
    /// The repaired JSON text.
    var json: String {
        var buffer = ByteBuffer()
        appendJSON(to: &buffer)
        return buffer.bytes.text
    }
    /// The decoded and repaired text.
    var string: String {
        var buffer = ByteBuffer()
        appendText(to: &buffer)
        return buffer.bytes.text
    }
}

/// Runs a test on a text's bytes.
func bytes<T>(_ text: String, _ body: (Bytes) -> T) -> T {
    Array(text.utf8).withUnsafeBytes { body($0) }
}

/// A random number generator that can be run again: SplitMix64.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ word >> 30) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ word >> 27) &* 0x94d0_49bb_1331_11eb
        return word ^ word >> 31
    }
    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }
    mutating func one(in many: Int) -> Bool { below(many) == 0 }
    mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }
}
