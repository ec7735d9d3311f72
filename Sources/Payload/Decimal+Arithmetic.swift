extension Decimal {
    private static let powers: [Int64] = (0...18).map { (0..<$0).reduce(Int64(1)) { x, _ in x * 10 } }

    /// Both coefficients at the lower exponent, where they fit into words.
    @inline(__always) private static func aligned(_ a: Decimal, _ b: Decimal) -> (Int64, Int64, Int)? {
        guard a.large == nil, b.large == nil else { return nil }
        if a.exponent == b.exponent { return (a.small, b.small, a.exponent) }
        let distance = abs(a.exponent - b.exponent)
        guard distance <= 18 else { return nil }
        if a.exponent > b.exponent {
            let (value, overflow) = a.small.multipliedReportingOverflow(by: powers[distance])
            return overflow ? nil : (value, b.small, b.exponent)
        }
        let (value, overflow) = b.small.multipliedReportingOverflow(by: powers[distance])
        return overflow ? nil : (a.small, value, a.exponent)
    }

    private static func alignedLarge(_ a: Decimal, _ b: Decimal) -> (Magnitude, Magnitude, Int) {
        let exponent = min(a.exponent, b.exponent)
        return (
            a.magnitude.shifted(by: a.exponent - exponent), b.magnitude.shifted(by: b.exponent - exponent),
            exponent
        )
    }

    /// −1, 0 or 1.
    package static func compare(_ a: Decimal, _ b: Decimal) -> Int {
        if let (x, y, _) = aligned(a, b) { return x < y ? -1 : x == y ? 0 : 1 }
        if a.isZero || b.isZero || a.isNegative != b.isNegative {
            return a.sign - b.sign < 0 ? -1 : a.sign == b.sign ? 0 : 1
        }
        let (x, y, _) = alignedLarge(a, b)
        let order = Magnitude.compare(x, y)
        return a.isNegative ? -order : order
    }

    private var sign: Int { isZero ? 0 : isNegative ? -1 : 1 }

    package static prefix func - (a: Decimal) -> Decimal {
        var result = a
        if a.large == nil {
            // A word's least value is never a coefficient: see `init(isNegative:_:exponent:)`.
            result.small = 0 &- a.small
        } else {
            result.isLargeNegative.toggle()
        }
        return result
    }

    /// Nil: the sum has too many digits.
    package static func sum(_ a: Decimal, _ b: Decimal) -> Decimal? {
        if let (x, y, exponent) = aligned(a, b) {
            let (sum, overflow) = x.addingReportingOverflow(y)
            if !overflow, sum != .min { return Decimal(small: sum, exponent: exponent).bounded }
        }
        if a.isZero { return b }
        if b.isZero { return a }
        let (x, y, exponent) = alignedLarge(a, b)
        if a.isNegative == b.isNegative {
            return Decimal(isNegative: a.isNegative, x + y, exponent: exponent)
        }
        let order = Magnitude.compare(x, y)
        if order == 0 { return .zero }
        return order > 0
            ? Decimal(isNegative: a.isNegative, x - y, exponent: exponent)
            : Decimal(isNegative: b.isNegative, y - x, exponent: exponent)
    }

    package static func difference(_ a: Decimal, _ b: Decimal) -> Decimal? { sum(a, -b) }

    /// Nil: the product has too many digits.
    package static func product(_ a: Decimal, _ b: Decimal) -> Decimal? {
        if a.isZero || b.isZero { return .zero }
        let exponent = a.exponent + b.exponent
        if a.large == nil, b.large == nil {
            let (product, overflow) = a.small.multipliedReportingOverflow(by: b.small)
            if !overflow, product != .min { return Decimal(small: product, exponent: exponent).bounded }
        }
        return Decimal(
            isNegative: a.isNegative != b.isNegative, a.magnitude * b.magnitude, exponent: exponent)
    }

    /// Nil: the divisor is zero, or the quotient has too many digits.
    package static func quotient(_ a: Decimal, _ b: Decimal) -> Decimal? {
        if b.isZero { return nil }
        if a.isZero { return .zero }
        if a.large == nil, b.large == nil, a.small % b.small == 0 {
            return Decimal(small: a.small / b.small, exponent: a.exponent - b.exponent).bounded
        }
        let (x, y) = (a.magnitude, b.magnitude)
        // One digit more than is kept, so that what was cut off tells how to round.
        let more = max(quotientDigits + 1 - (x.digits - y.digits), 0)
        let (kept, rest) = x.shifted(by: more).divided(by: y)
        let isNegative = a.isNegative != b.isNegative
        let exponent = a.exponent - b.exponent - more
        let surplus = kept.digits - quotientDigits
        if rest.isZero && (more == 0 || kept.digits - kept.trailingZeros <= quotientDigits) || surplus <= 0 {
            return Decimal(isNegative: isNegative, kept, exponent: exponent)
        }
        let (rounded, tail) = kept.cut(by: surplus)
        let half = Magnitude(5).shifted(by: surplus - 1)
        let order = Magnitude.compare(tail, half)
        let goesUp = order > 0 || order == 0 && (!rest.isZero || rounded.isOdd)
        return Decimal(
            isNegative: isNegative, goesUp ? rounded + Magnitude(1) : rounded, exponent: exponent + surplus)
    }

    private var bounded: Decimal? { fits ? self : nil }
}

extension Decimal: Comparable, Hashable {
    package static func == (a: Decimal, b: Decimal) -> Bool { compare(a, b) == 0 }
    package static func < (a: Decimal, b: Decimal) -> Bool { compare(a, b) < 0 }

    package func hash(into hasher: inout Hasher) { hasher.combine(description) }
}
