private import Crypto
import Foundations

/// Ids that are the same whoever makes them, and however often (RFC 9562, version 5).
package enum NameBasedID {
    /// Under this name space stand the ids of enrolments.
    private static let enrolments = UUID(high: 0x6f1c_2a52_9d1e_5c0b, low: 0x8a77_3b0e_51d4_c2f6)

    package static func make(_ space: UUID, _ name: String) -> UUID {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16 + name.utf8.count)
        for word in [space.high, space.low] {
            for i in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * i))) }
        }
        bytes += Array(name.utf8)
        var words: (UInt64, UInt64) = (0, 0)
        for (i, byte) in Insecure.SHA1.hash(data: bytes).prefix(16).enumerated() {
            if i < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
        }
        return UUID(words.0, words.1, version: 5)
    }

    /// Of an enrolment: (journey, profile or event, key, n).
    static func enrolment(_ journey: String, _ subject: Subject, key: String, n: Int) -> UUID {
        make(enrolments, "\(journey)\u{0}\(subject.id)\u{0}\(n)\u{0}\(key)")
    }

    /// Of a delivery: (enrolment, step, visit). A crash between sending and recording makes no second one.
    package static func delivery(_ enrolment: UUID, step: String, visit: Int) -> UUID {
        make(enrolment, "\(step)\u{0}\(visit)")
    }

    /// A number below 10,000 that is the same for the same names: who is held out, and which branch is taken.
    static func share(_ names: String...) -> Int {
        let bytes = Array(names.joined(separator: "\u{0}").utf8)
        let word = SHA256.hash(data: bytes).prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(word % 10_000)
    }
}
