import Foundations

/// The decoded text of a string, piece by piece: what has no escape as it stands, and every escape as the
/// character that it means, or U+FFFD where jsonb would refuse that.
struct JSONCharacters {
    enum Piece {
        case run(Bytes)
        case character(Unicode.Scalar)
    }

    private var at: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    /// What had to be replaced so far.
    private(set) var repairs: Repairs = []
    /// Where the piece that was returned last begins, in the contents' own bytes, and how long it is there.
    private(set) var written: Bytes = .empty

    /// `contents` must be what a scan has accepted.
    init(_ contents: Bytes) {
        let none: StaticString = ""
        at = contents.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? none.utf8Start
        end = at + contents.count
    }

    mutating func next() -> Piece? {
        guard at < end else { return nil }
        let start = at
        defer { written = Bytes(start: start, count: at - start) }
        guard at.pointee == UInt8(ascii: "\\") else {
            while at < end, at.pointee != UInt8(ascii: "\\") { at += 1 }
            return .run(Bytes(start: start, count: at - start))
        }
        return .character(escape())
    }

    /// What had to be replaced since this was asked last.
    mutating func takeRepairs() -> Repairs {
        defer { repairs = [] }
        return repairs
    }

    private mutating func escape() -> Unicode.Scalar {
        if at[1] == UInt8(ascii: "u") { return unicodeEscape() }
        defer { at += 2 }
        switch at[1] {
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        default: return Unicode.Scalar(at[1])
        }
    }

    private mutating func unicodeEscape() -> Unicode.Scalar {
        let unit = JSONStrings.codeUnit(at, end) ?? 0
        at += 6
        if unit & 0xfc00 == 0xd800, let low = JSONStrings.codeUnit(at, end), low & 0xfc00 == 0xdc00 {
            at += 6
            return Unicode.Scalar(0x10000 + (unit & 0x3ff) << 10 + low & 0x3ff) ?? "\u{fffd}"
        }
        if unit == 0 {
            repairs.insert(.nul)
            return "\u{fffd}"
        }
        guard let scalar = Unicode.Scalar(unit) else {
            repairs.insert(.surrogate)
            return "\u{fffd}"
        }
        return scalar
    }
}
