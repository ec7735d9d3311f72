import Foundations

/// An exact decimal number: `9990.91` is that, not the nearest double.
///
/// It holds what has at most 4,096 digits when it is written out without an exponent; whatever would need more is
/// nil, in reading as in calculating. Sums, differences and products are exact; quotients are exact where they come
/// out even, else rounded half to even at 34 significant digits. Numbers whose digits fit into a word take no memory
/// of their own.
package struct Decimal: Sendable {
    /// How many digits a number may have, those before the point and those behind it together.
    package static let mostDigits = 4_096
    /// How many significant digits a quotient has that does not come out even.
    package static let quotientDigits = 34

    /// The number is `coefficient × 10^exponent`; `large` takes the place of the coefficient's magnitude.
    var small: Int64
    var large: Magnitude?
    var isLargeNegative = false
    var exponent: Int

    init(small: Int64, exponent: Int) {
        (self.small, self.exponent) = (small, exponent)
    }

    package init(_ value: Int) { self.init(small: Int64(value), exponent: 0) }
    package init(_ value: Int64, exponent: Int = 0) { self.init(small: value, exponent: exponent) }

    package static let zero = Decimal(0)

    /// A number as JSON writes it; nil for other texts, and where it has too many digits.
    package init?(_ text: Bytes) {
        guard let start = text.baseAddress?.assumingMemoryBound(to: UInt8.self), text.count > 0 else {
            return nil
        }
        if let (small, exponent) = Self.plain(start, text.count) {
            self.init(small: small, exponent: exponent)
            return
        }
        let piece = JSONNumber.scan(start, start + text.count)
        guard piece.isWhole, piece.at == start + text.count else { return nil }
        let number = JSONNumber(text)
        guard !number.isZero else {
            self.init(0)
            return
        }
        let count = number.whole.count + number.fraction.count
        guard count <= 4 * Self.mostDigits else { return nil }
        let digits = Magnitude(digits: count) { UInt8(truncatingIfNeeded: number.digit($0)) }
        self.init(
            isNegative: number.isNegative, digits, exponent: number.exponent - number.fraction.count)
    }

    package init?(_ text: String) {
        var text = text
        guard let value = text.withUTF8({ Decimal(Bytes($0)) }) else { return nil }
        self = value
    }

    /// Up to 18 digits with or without a point: nearly all numbers there are.
    @inline(__always) private static func plain(_ start: UnsafePointer<UInt8>, _ count: Int) -> (Int64, Int)?
    {
        var at = 0
        let isNegative = start[0] == UInt8(ascii: "-")
        if isNegative { at = 1 }
        guard count - at <= 18, at < count, start[at] &- 48 < 10 else { return nil }
        if start[at] == 48, at + 1 < count, start[at + 1] &- 48 < 10 { return nil }
        var value: Int64 = 0
        while at < count, start[at] &- 48 < 10 {
            value = value &* 10 &+ Int64(start[at] &- 48)
            at += 1
        }
        var exponent = 0
        if at < count, start[at] == UInt8(ascii: "."), at + 1 < count {
            at += 1
            exponent = at - count
            while at < count, start[at] &- 48 < 10 {
                value = value &* 10 &+ Int64(start[at] &- 48)
                at += 1
            }
        }
        return at == count ? (isNegative ? -value : value, exponent) : nil
    }

    /// Nil: it has too many digits.
    init?(isNegative: Bool, _ magnitude: Magnitude, exponent: Int) {
        if let word = magnitude.word, word <= UInt64(Int64.max) {
            self.init(small: isNegative ? -Int64(word) : Int64(word), exponent: exponent)
        } else {
            self.init(small: 0, exponent: exponent)
            large = magnitude
            isLargeNegative = isNegative
        }
        if !fits { return nil }
    }

    /// Is it within the bound?
    var fits: Bool {
        // Most numbers: no need to count.
        if large == nil, exponent > -4_000, exponent < 4_000 { return true }
        let zeros = large?.trailingZeros ?? Self.trailingZeros(of: small.magnitude)
        let significant = (large?.digits ?? Self.digits(of: small.magnitude)) - zeros
        if significant <= 0 { return true }
        let (end, overflow) = exponent.addingReportingOverflow(zeros)
        guard !overflow, abs(end) <= Self.mostDigits else { return false }
        return max(significant + end, 1) + max(-end, 0) <= Self.mostDigits
    }

    package var isZero: Bool { large == nil && small == 0 }
    package var isNegative: Bool { large == nil ? small < 0 : isLargeNegative }

    /// How much work a product with it is, in words: for budgets.
    package var size: Int { large?.limbs.count ?? 1 }

    var magnitude: Magnitude { large ?? Magnitude(small.magnitude) }

    static func digits(of word: UInt64) -> Int {
        var (rest, count) = (word, 0)
        while rest > 0 { (rest, count) = (rest / 10, count + 1) }
        return count
    }

    static func trailingZeros(of word: UInt64) -> Int {
        guard word > 0 else { return 0 }
        var (rest, count) = (word, 0)
        while rest % 10 == 0 { (rest, count) = (rest / 10, count + 1) }
        return count
    }

    /// The whole number that it is, if it is one and fits.
    package var integer: Int? {
        guard large == nil else { return nil }
        var (value, exponent) = (small, exponent)
        while exponent < 0, value != 0 {
            guard value % 10 == 0 else { return nil }
            (value, exponent) = (value / 10, exponent + 1)
        }
        while exponent > 0, value != 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow { return nil }
            (value, exponent) = (product, exponent - 1)
        }
        return Int(value)
    }
}

extension Decimal: CustomStringConvertible {
    /// The shortest form without an exponent: `0.1`, `-39963.64`, `1000`.
    package var description: String {
        var buffer = ByteBuffer(capacity: 32)
        append(to: &buffer)
        return buffer.bytes.text
    }

    package func append(to buffer: inout ByteBuffer) {
        var digits = magnitude.text
        guard digits != [48] else { return buffer.append(UInt8(ascii: "0")) }
        var exponent = exponent
        while digits.last == 48 {
            digits.removeLast()
            exponent += 1
        }
        if isNegative { buffer.append(UInt8(ascii: "-")) }
        let before = digits.count + exponent
        if before <= 0 {
            buffer.append("0." as StaticString)
            for _ in 0..<(-before) { buffer.append(48) }
            buffer.append(digits)
        } else if exponent >= 0 {
            buffer.append(digits)
            for _ in 0..<exponent { buffer.append(48) }
        } else {
            buffer.append(Array(digits[..<before]))
            buffer.append(UInt8(ascii: "."))
            buffer.append(Array(digits[before...]))
        }
    }
}
