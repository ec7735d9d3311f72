package import Foundations

/// A whole request, as slices of the memory that it was received in: valid only while it is being handled.
package struct Request: ~Copyable {
    package let method: Method
    package let methodText: Bytes
    /// As it stands in the request line.
    package let target: Bytes
    /// The target's path, raw (percent-encoded); `*` for `OPTIONS *`.
    package let path: Bytes
    /// What follows the `?`; empty when there is none.
    package let query: Bytes
    /// The whole body, without its chunks' framing.
    package let body: Bytes
    /// The client's address: the peer's, or what a trusted proxy says it is.
    package let peer: IPAddress
    package let receivedAt: Timestamp

    /// Request line and headers, up to the empty line.
    let head: Bytes
    /// Where the request line begins in `head`.
    let begin: Int
    let fields: InlineArray<21, Slice>

    /// The value of a field, without white space around it; nil when it was not sent. Of several, the first.
    package func header(_ known: Header) -> Bytes? {
        let slice = fields[Int(known.rawValue)]
        return slice.isAbsent ? nil : head.slice(slice.range)
    }

    /// The value of any field, by its name in lower case. It walks over the head: not for the hot path.
    package func header(named lower: StaticString) -> Bytes? {
        var lines = FieldLines(head.slice(begin..<head.count))
        while let (name, value) = lines.next() {
            if name.equalsIgnoringCase(lower) { return value }
        }
        return nil
    }
}

/// Where something stands in a head. A head begins with a method: nothing else can begin at 0.
struct Slice: Equatable {
    var start: UInt32
    var end: UInt32

    static let absent = Slice(start: 0, end: 0)
    var isAbsent: Bool { start == 0 }

    init(start: UInt32, end: UInt32) {
        self.start = start
        self.end = end
    }
    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }
    var range: Range<Int> { Int(start)..<Int(end) }
}

/// The field lines of a head that was parsed already, one after the other.
struct FieldLines {
    private let head: Bytes
    private var position: Int

    init(_ head: Bytes) {
        self.head = head
        position = 0
        skipLine()
    }

    private mutating func skipLine() {
        while position < head.count, head[position] != 10 { position += 1 }
        position += 1
    }

    mutating func next() -> (name: Bytes, value: Bytes)? {
        let start = position
        skipLine()
        guard position <= head.count, position - start > 2 else { return nil }
        let line = head.slice(start..<position - 2)
        guard let colon = line.firstIndex(of: 58) else { return nil }
        return (line.slice(0..<colon), line.slice(colon + 1..<line.count).trimmed)
    }
}
