import Foundations
import Glibc

/// A JSON text, scanned once (RFC 8259, strict): a tape of small entries over bytes that stay where they are.
///
/// It is meant to be reused, one for each lane: between two texts it keeps its tape, so that a warm parse
/// allocates nothing. A text may be nested to any depth, the scanner does not recurse; what a huge text
/// needed is given back with the next small one, or by `reset()`.
package struct JSONDocument: ~Copyable, @unchecked Sendable {  // unique owner of its tape
    private var tape: UnsafeMutablePointer<JSONEntry>
    private(set) var capacity: Int
    private var text: UnsafePointer<UInt8>
    private(set) var entries = 0

    /// A tape of up to 64 K entries (1 MB) is kept.
    private static let kept = 1 << 16

    package init() {
        capacity = 512
        tape = .allocate(capacity: capacity)
        text = UnsafePointer(UnsafeRawPointer(tape).assumingMemoryBound(to: UInt8.self))
    }

    deinit { tape.deallocate() }

    /// Scans a text. The bytes must stay in place for as long as nodes of it are used. After an error there
    /// is no document: `root` is null.
    package mutating func parse(_ bytes: Bytes) throws(JSONError) {
        entries = 0
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            throw JSONError(code: .value, offset: 0, found: nil)
        }
        guard bytes.count < 1 << 31 else { throw JSONError(code: .smallerText, offset: 0, found: nil) }
        // No text has more values than bytes, so the scanner need not look whether an entry has room. Memory
        // that is not written to costs nothing.
        if bytes.count >= capacity || capacity > Self.kept { prepare(for: bytes.count + 1) }
        text = base.assumingMemoryBound(to: UInt8.self)
        var scanner = JSONScanner(text: text, count: bytes.count, tape: tape)
        guard scanner.run() else { throw scanner.error }
        entries = scanner.filled
    }

    /// The value of the whole text; null when nothing was parsed.
    package var root: JSONNode {
        entries > 0 ? JSONNode(entry: tape, text: text) : .null
    }

    /// Forgets the text and gives a large tape's memory back.
    package mutating func reset() {
        entries = 0
        if capacity > Self.kept { prepare(for: 512) }
    }

    private mutating func prepare(for wanted: Int) {
        let roomy = wanted > Self.kept ? wanted : min(max(wanted * 2, 512), Self.kept)
        guard roomy != capacity else { return }
        tape.deallocate()
        tape = .allocate(capacity: roomy)
        capacity = roomy
    }
}
