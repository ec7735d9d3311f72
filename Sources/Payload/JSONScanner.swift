/// The one pass over a text: checks the grammar and fills the tape, in a loop, with the nesting kept on the
/// tape.
struct JSONScanner {
    private let text: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private let tape: UnsafeMutablePointer<JSONEntry>
    private let mostOpen: Int
    private var at: UnsafePointer<UInt8>
    private(set) var filled = 0
    /// The open container's index + 1; 0 at the top.
    private var parent: UInt32 = 0
    private var inObject = false
    private var failure = JSONError.Code.value

    @inline(__always)
    init(text: UnsafePointer<UInt8>, count: Int, tape: UnsafeMutablePointer<JSONEntry>) {
        self.text = text
        self.tape = tape
        end = text + count
        at = text
        // A text of n bytes holds at most (n + 1) / 2 values if all its brackets are closed again: more are
        // refused early, so that a body of `[[[[` does not fill twice the memory.
        mostOpen = count / 2 + 1
    }

    /// Why `run()` gave up: at the byte that it had reached.
    var error: JSONError {
        JSONError(code: failure, offset: at - text, found: at < end ? at.pointee : nil)
    }

    /// Scans the whole text; false: see `error`.
    mutating func run() -> Bool {
        if end - at >= 3, at[0] == 0xef, at[1] == 0xbb, at[2] == 0xbf { at += 3 }
        while true {
            // A value begins here.
            skipSpace()
            let byte = current
            if byte == UInt8(ascii: "\"") {
                guard string() else { return false }
            } else if byte == UInt8(ascii: "{") {
                guard open(.object) else { return false }
                skipSpace()
                if current == UInt8(ascii: "}") {
                    close()
                } else {
                    guard key() else { return false }
                    continue
                }
            } else if byte == UInt8(ascii: "[") {
                guard open(.array) else { return false }
                skipSpace()
                if current == UInt8(ascii: "]") {
                    close()
                } else {
                    continue
                }
            } else {
                guard byte &- 48 < 10 || byte == UInt8(ascii: "-") ? number() : literal(byte) else {
                    return false
                }
            }
            // A value has ended here: close what ends with it, then go on to the next one.
            while true {
                skipSpace()
                let byte = current
                if byte == UInt8(ascii: ",") {
                    guard parent != 0 else { return fail(.end) }
                    at += 1
                    if inObject {
                        skipSpace()
                        guard key() else { return false }
                    }
                    break
                }
                guard parent != 0 else { return at == end ? true : fail(.end) }
                guard byte == (inObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    return fail(inObject ? .commaOrBrace : .commaOrBracket)
                }
                close()
            }
        }
    }

    // MARK: - Containers

    @inline(__always) private mutating func open(_ kind: JSONKind) -> Bool {
        guard filled < mostOpen else { return fail(.lessNesting) }
        tape[filled] = JSONEntry(
            offset: UInt32(truncatingIfNeeded: at - text), length: 0, span: parent,
            info: UInt32(kind.rawValue))
        filled &+= 1
        parent = UInt32(truncatingIfNeeded: filled)
        inObject = kind == .object
        at += 1
        return true
    }

    @inline(__always) private mutating func close() {
        at += 1
        let entry = tape + Int(parent &- 1)
        let above = entry.pointee.span
        let info = entry.pointee.info
        let depth = min(info >> 8 &+ 1, JSONEntry.deepest)
        entry.pointee.length = UInt32(truncatingIfNeeded: at - text) &- entry.pointee.offset
        entry.pointee.span = UInt32(truncatingIfNeeded: filled) &- (parent &- 1)
        entry.pointee.info = info & 0xff | depth << 8
        parent = above
        guard above != 0 else { return }
        let outer = tape + Int(above &- 1)
        let old = outer.pointee.info
        outer.pointee.info = old & 0xff | info & JSONEntry.repair | max(old >> 8, depth) << 8
        inObject = old & 7 == UInt32(JSONKind.object.rawValue)
    }

    @inline(__always) private mutating func key() -> Bool {
        guard current == UInt8(ascii: "\"") else { return fail(.key) }
        guard string() else { return false }
        skipSpace()
        guard current == UInt8(ascii: ":") else { return fail(.colon) }
        at += 1
        return true
    }

    // MARK: - Scalars

    @inline(__always) private mutating func string() -> Bool {
        let start = at
        let piece = JSONStrings.scan(at + 1, end)
        at = piece.at
        guard piece.isWhole else { return fail(piece.failure) }
        push(start, UInt32(JSONKind.string.rawValue) | piece.flags)
        return true
    }

    @inline(__always) private mutating func number() -> Bool {
        let start = at
        let piece = JSONNumber.scan(at, end)
        at = piece.at
        guard piece.isWhole else { return fail(piece.failure) }
        push(start, UInt32(JSONKind.number.rawValue) | piece.flags)
        return true
    }

    @inline(__always) private mutating func literal(_ byte: UInt8) -> Bool {
        let start = at
        switch byte {
        case UInt8(ascii: "t") where matches("true"): return word(start, 4, .true)
        case UInt8(ascii: "n") where matches("null"): return word(start, 4, .null)
        case UInt8(ascii: "f") where matches("false"): return word(start, 5, .false)
        default: return fail(.value)
        }
    }

    @inline(__always) private mutating func word(
        _ start: UnsafePointer<UInt8>, _ length: Int, _ kind: JSONKind
    ) -> Bool {
        at += length
        push(start, UInt32(kind.rawValue))
        return true
    }

    @inline(__always) private func matches(_ word: StaticString) -> Bool {
        guard end - at >= word.utf8CodeUnitCount else { return false }
        for i in 0..<word.utf8CodeUnitCount where at[i] != word.utf8Start[i] { return false }
        return true
    }

    @inline(__always) private mutating func push(_ start: UnsafePointer<UInt8>, _ info: UInt32) {
        tape[filled] = JSONEntry(
            offset: UInt32(truncatingIfNeeded: start - text), length: UInt32(truncatingIfNeeded: at - start),
            span: 1, info: info)
        filled &+= 1
        if info & JSONEntry.repair != 0, parent != 0 { tape[Int(parent &- 1)].info |= JSONEntry.repair }
    }

    // MARK: - Bytes

    /// The byte to look at; 0, which no JSON has here, at the end.
    @inline(__always) private var current: UInt8 { at < end ? at.pointee : 0 }

    @inline(__always) private mutating func skipSpace() {
        if current <= 32 { at = JSONStrings.afterSpace(at, end) }
    }

    @inline(__always) private mutating func fail(_ code: JSONError.Code) -> Bool {
        failure = code
        return false
    }
}
