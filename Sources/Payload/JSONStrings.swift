/// How far a token goes, and what was seen in it.
struct JSONPiece {
    /// The byte behind the token; or the one that cannot stand there.
    let at: UnsafePointer<UInt8>
    /// `JSONEntry.escapes`, `JSONEntry.repair`; or, above the eighth bit, an error's code + 1.
    let flags: UInt32

    @inline(__always) init(_ at: UnsafePointer<UInt8>, _ flags: UInt32) {
        self.at = at
        self.flags = flags
    }
    @inline(__always) init(_ at: UnsafePointer<UInt8>, _ code: JSONError.Code) {
        self.at = at
        flags = (UInt32(code.rawValue) + 1) << 8
    }
    @inline(__always) var isWhole: Bool { flags < 256 }
    var failure: JSONError.Code { JSONError.Code(rawValue: UInt8(flags >> 8 &- 1)) ?? .value }
}

/// Strings and white space, eight bytes at a time.
enum JSONStrings {
    private static let ones: UInt64 = 0x0101_0101_0101_0101

    @inline(__always) static func load(_ at: UnsafePointer<UInt8>) -> UInt64 {
        UInt64(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt64.self))
    }

    /// The high bit of the first byte that is a quote, a backslash, a control character or not ASCII. A
    /// borrow can set bits behind the first one, never before it; what is not ASCII is set in any case.
    @inline(__always) static func special(_ word: UInt64) -> UInt64 {
        let quote = (word ^ 0x2222_2222_2222_2222) &- ones
        let backslash = (word ^ 0x5c5c_5c5c_5c5c_5c5c) &- ones
        let control = word &- 0x2020_2020_2020_2020
        return (quote | backslash | control | word) & 0x8080_8080_8080_8080
    }

    /// From behind the opening quote to behind the closing one.
    @inline(__always) static func scan(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>)
        -> JSONPiece
    {
        var at = start
        while end - at >= 8 {
            let found = special(load(at))
            if found != 0 {
                at += found.trailingZeroBitCount >> 3
                if at.pointee == UInt8(ascii: "\"") { return JSONPiece(at + 1, 0) }
                break
            }
            at += 8
        }
        return scanCarefully(at, end)
    }

    /// The same for all that is not plain ASCII.
    @inline(never) private static func scanCarefully(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> JSONPiece {
        var at = start
        var flags: UInt32 = 0
        while at < end {
            let byte = at.pointee
            if byte == UInt8(ascii: "\"") { return JSONPiece(at + 1, flags) }
            if byte == UInt8(ascii: "\\") {
                let piece = escape(at, end)
                guard piece.isWhole else { return piece }
                flags |= piece.flags
                at = piece.at
            } else if byte >= 0x80 {
                let length = UTF8Text.length(at, end)
                guard length > 0 else { return JSONPiece(at, .utf8) }
                at += length
            } else if byte < 32 {
                return JSONPiece(at, .noControlCharacter)
            } else {
                at += 1
                while end - at >= 8 {
                    let found = special(load(at))
                    if found != 0 {
                        at += found.trailingZeroBitCount >> 3
                        break
                    }
                    at += 8
                }
            }
        }
        return JSONPiece(at, .closingQuote)
    }

    /// One escape from its backslash on; of a pair of surrogates, both.
    @inline(__always) private static func escape(
        _ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> JSONPiece {
        guard end - at >= 2 else { return JSONPiece(end, .closingQuote) }
        switch at[1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return JSONPiece(at + 2, JSONEntry.escapes)
        case UInt8(ascii: "u"):
            guard let unit = codeUnit(at, end) else { return JSONPiece(at + 2, .hexDigits) }
            if unit == 0 { return JSONPiece(at + 6, JSONEntry.escapes | JSONEntry.repair) }
            guard unit & 0xf800 == 0xd800 else { return JSONPiece(at + 6, JSONEntry.escapes) }
            if unit < 0xdc00, let low = codeUnit(at + 6, end), low & 0xfc00 == 0xdc00 {
                return JSONPiece(at + 12, JSONEntry.escapes)
            }
            return JSONPiece(at + 6, JSONEntry.escapes | JSONEntry.repair)
        default:
            return JSONPiece(at + 1, .escape)
        }
    }

    /// The value of a `\uXXXX` that begins here; nil if there is none.
    static func codeUnit(_ at: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> UInt32? {
        guard end - at >= 6, at[0] == UInt8(ascii: "\\"), at[1] == UInt8(ascii: "u") else { return nil }
        var unit: UInt32 = 0
        for i in 2..<6 {
            switch at[i] {
            case 48...57: unit = unit << 4 | UInt32(at[i] &- 48)
            case 65...70: unit = unit << 4 | UInt32(at[i] &- 55)
            case 97...102: unit = unit << 4 | UInt32(at[i] &- 87)
            default: return nil
            }
        }
        return unit
    }

    /// The first byte that is not white space.
    @inline(never) static func afterSpace(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        var at = start
        while at < end {
            if end - at >= 8, load(at) == 0x2020_2020_2020_2020 {
                at += 8
                continue
            }
            let byte = at.pointee
            guard byte == 32 || byte == 10 || byte == 13 || byte == 9 else { break }
            at += 1
        }
        return at
    }
}
