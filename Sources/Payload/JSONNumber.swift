import Foundations

/// A number's text taken apart: what PostgreSQL's `numeric` makes of it, without computing it.
///
/// `numeric` holds 131,072 digits before the point and 16,383 behind it. An exponent could blow a few bytes
/// up to that size, so a number that is written with one may unfold to 4,096 digits.
struct JSONNumber {
    private static let wholeDigits = 131_072
    private static let fractionDigits = 16_383
    private static let unfoldedDigits = 4_096
    /// Numbers of at most this many bytes, and without an exponent, need no second look.
    private static let plainBytes = 4_096

    /// The grammar: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    @inline(__always) static func scan(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>)
        -> JSONPiece
    {
        var at = start
        var exponent = false
        if at.pointee == UInt8(ascii: "-") { at += 1 }
        guard at < end, at.pointee &- 48 < 10 else { return JSONPiece(at, .digit) }
        if at.pointee == 48 { at += 1 } else { at = afterDigits(at, end) }
        if at < end, at.pointee == UInt8(ascii: ".") {
            at += 1
            guard at < end, at.pointee &- 48 < 10 else { return JSONPiece(at, .digit) }
            at = afterDigits(at, end)
        }
        if at < end, at.pointee | 32 == UInt8(ascii: "e") {
            exponent = true
            at += 1
            if at < end, at.pointee == UInt8(ascii: "+") || at.pointee == UInt8(ascii: "-") { at += 1 }
            guard at < end, at.pointee &- 48 < 10 else { return JSONPiece(at, .digit) }
            at = afterDigits(at, end)
        }
        guard exponent || at - start > plainBytes else { return JSONPiece(at, 0) }
        let fits = JSONNumber(Bytes(start: start, count: at - start)).fits
        return JSONPiece(at, fits ? 0 : JSONEntry.repair)
    }

    @inline(__always) private static func afterDigits(
        _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
    ) -> UnsafePointer<UInt8> {
        var at = start
        while at < end, at.pointee &- 48 < 10 { at += 1 }
        return at
    }

    let isNegative: Bool
    /// The digits before the point and behind it, as they stand there.
    let whole: Bytes
    let fraction: Bytes
    /// As written; limited to ± 2^40.
    let exponent: Int
    let isZero: Bool

    /// The text must follow the grammar.
    @inline(never) init(_ text: Bytes) {
        var at = 0
        isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        if isNegative { at += 1 }
        let digits = at
        while at < text.count, text[at] &- 48 < 10 { at += 1 }
        whole = text.slice(digits..<at)
        let point = at
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            while at < text.count, text[at] &- 48 < 10 { at += 1 }
        }
        fraction = text.slice(min(point + 1, at)..<at)
        exponent = Self.exponent(text.slice(min(at + 1, text.count)..<text.count))
        isZero = !whole.contains { $0 != 48 } && !fraction.contains { $0 != 48 }
    }

    private static func exponent(_ text: Bytes) -> Int {
        var value = 0
        for byte in text where byte &- 48 < 10 { value = min(value * 10 + Int(byte &- 48), 1 << 40) }
        return text.count > 0 && text[0] == UInt8(ascii: "-") ? -value : value
    }

    /// Can `numeric` hold it, at a bearable size?
    var fits: Bool {
        let behind = max(fraction.count - exponent, 0)
        let before = isZero ? 1 : max(whole.count + exponent, 1)
        guard before <= Self.wholeDigits, behind <= Self.fractionDigits else { return false }
        guard exponent != 0 else { return true }
        return before + behind <= Self.unfoldedDigits && abs(exponent) <= Self.wholeDigits
    }
}
