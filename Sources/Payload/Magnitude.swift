/// A natural number of any size: limbs of nine decimal digits, the least significant first, no zero at the end.
struct Magnitude: Equatable, Sendable {
    private static let base: UInt64 = 1_000_000_000
    private(set) var limbs: [UInt32] = []

    init() {}

    init(_ value: UInt64) {
        var rest = value
        while rest > 0 {
            limbs.append(UInt32(rest % Self.base))
            rest /= Self.base
        }
    }

    /// From digits, the most significant first; `digit(i)` is 0 to 9.
    init(digits count: Int, _ digit: (Int) -> UInt8) {
        limbs.reserveCapacity(count / 9 + 1)
        var end = count
        while end > 0 {
            var limb: UInt32 = 0
            for i in max(end - 9, 0)..<end { limb = limb * 10 + UInt32(digit(i)) }
            limbs.append(limb)
            end -= 9
        }
        trim()
    }

    var isZero: Bool { limbs.isEmpty }
    var isOdd: Bool { limbs.first.map { $0 & 1 == 1 } ?? false }

    /// How many decimal digits it has; none for zero.
    var digits: Int {
        guard let last = limbs.last else { return 0 }
        return (limbs.count - 1) * 9 + Decimal.digits(of: UInt64(last))
    }

    /// The same number in one word, if it fits.
    var word: UInt64? {
        var value: UInt64 = 0
        for limb in limbs.reversed() {
            let (product, large) = value.multipliedReportingOverflow(by: Self.base)
            let (sum, larger) = product.addingReportingOverflow(UInt64(limb))
            if large || larger { return nil }
            value = sum
        }
        return value
    }

    /// How many zeros stand at its end.
    var trailingZeros: Int {
        guard let first = limbs.firstIndex(where: { $0 != 0 }) else { return 0 }
        var (zeros, limb) = (first * 9, limbs[first])
        while limb % 10 == 0 { (zeros, limb) = (zeros + 1, limb / 10) }
        return zeros
    }

    private mutating func trim() { while limbs.last == 0 { limbs.removeLast() } }

    static func compare(_ a: Magnitude, _ b: Magnitude) -> Int {
        if a.limbs.count != b.limbs.count { return a.limbs.count < b.limbs.count ? -1 : 1 }
        for i in a.limbs.indices.reversed() where a.limbs[i] != b.limbs[i] {
            return a.limbs[i] < b.limbs[i] ? -1 : 1
        }
        return 0
    }

    static func + (a: Magnitude, b: Magnitude) -> Magnitude {
        var result = Magnitude()
        let count = max(a.limbs.count, b.limbs.count)
        result.limbs.reserveCapacity(count + 1)
        var carry: UInt64 = 0
        for i in 0..<count {
            let x = i < a.limbs.count ? UInt64(a.limbs[i]) : 0
            let y = i < b.limbs.count ? UInt64(b.limbs[i]) : 0
            let sum = x + y + carry
            result.limbs.append(UInt32(sum % base))
            carry = sum / base
        }
        if carry > 0 { result.limbs.append(UInt32(carry)) }
        return result
    }

    /// `b` must not be larger than `a`.
    static func - (a: Magnitude, b: Magnitude) -> Magnitude {
        var result = a
        var borrow: Int64 = 0
        for i in a.limbs.indices {
            var difference = Int64(a.limbs[i]) - borrow - (i < b.limbs.count ? Int64(b.limbs[i]) : 0)
            borrow = difference < 0 ? 1 : 0
            if difference < 0 { difference += Int64(base) }
            result.limbs[i] = UInt32(difference)
        }
        result.trim()
        return result
    }

    static func * (a: Magnitude, b: Magnitude) -> Magnitude {
        guard !a.isZero, !b.isZero else { return Magnitude() }
        var result = Magnitude()
        result.limbs = Array(repeating: 0, count: a.limbs.count + b.limbs.count)
        for i in a.limbs.indices {
            var carry: UInt64 = 0
            for j in b.limbs.indices {
                let value = UInt64(a.limbs[i]) * UInt64(b.limbs[j]) + UInt64(result.limbs[i + j]) + carry
                result.limbs[i + j] = UInt32(value % base)
                carry = value / base
            }
            result.limbs[i + b.limbs.count] = UInt32(carry)
        }
        result.trim()
        return result
    }

    /// Times ten to that power.
    func shifted(by power: Int) -> Magnitude {
        guard power > 0, !isZero else { return self }
        var factor = Magnitude()
        factor.limbs = Array(repeating: 0, count: power / 9) + [(0..<power % 9).reduce(1) { x, _ in x * 10 }]
        return self * factor
    }

    /// Without its last digits.
    func cut(by digits: Int) -> (kept: Magnitude, rest: Magnitude) {
        guard digits > 0 else { return (self, Magnitude()) }
        return divided(by: Magnitude(1).shifted(by: digits))
    }

    /// Long division (Knuth, volume 2, 4.3.1, algorithm D); `divisor` must not be zero.
    func divided(by divisor: Magnitude) -> (kept: Magnitude, rest: Magnitude) {
        if Magnitude.compare(self, divisor) < 0 { return (Magnitude(), self) }
        if divisor.limbs.count == 1 { return divided(by: UInt64(divisor.limbs[0])) }
        let base = Self.base
        let scale = base / (UInt64(divisor.limbs[divisor.limbs.count - 1]) + 1)
        var high = (self * Magnitude(scale)).limbs
        let low = (divisor * Magnitude(scale)).limbs
        let n = low.count
        high += Array(repeating: 0, count: max(limbs.count + 1 - high.count, 0))
        var quotient = Magnitude()
        quotient.limbs = Array(repeating: 0, count: high.count - n)
        for at in (0..<high.count - n).reversed() {
            let top = UInt64(high[at + n]) * base + UInt64(high[at + n - 1])
            var guess = top / UInt64(low[n - 1])
            var rest = top % UInt64(low[n - 1])
            while guess >= base || guess * UInt64(low[n - 2]) > rest * base + UInt64(high[at + n - 2]) {
                guess -= 1
                rest += UInt64(low[n - 1])
                if rest >= base { break }
            }
            if Self.subtract(low, times: guess, from: &high, at: at) {
                guess -= 1
                Self.addBack(low, to: &high, at: at)
            }
            quotient.limbs[at] = UInt32(guess)
        }
        quotient.trim()
        var remainder = Magnitude()
        remainder.limbs = Array(high[..<n])
        remainder.trim()
        return (quotient, remainder.divided(by: scale).kept)
    }

    private func divided(by divisor: UInt64) -> (kept: Magnitude, rest: Magnitude) {
        var result = self
        var rest: UInt64 = 0
        for i in limbs.indices.reversed() {
            let value = rest * Self.base + UInt64(limbs[i])
            result.limbs[i] = UInt32(value / divisor)
            rest = value % divisor
        }
        result.trim()
        return (result, Magnitude(rest))
    }

    /// True: it was too much by one time.
    private static func subtract(
        _ low: [UInt32], times factor: UInt64, from high: inout [UInt32], at: Int
    ) -> Bool {
        var carry: UInt64 = 0
        var borrow: Int64 = 0
        for i in 0...low.count {
            let product = (i < low.count ? UInt64(low[i]) * factor : 0) + carry
            carry = product / base
            var difference = Int64(high[at + i]) - Int64(product % base) - borrow
            borrow = difference < 0 ? 1 : 0
            if difference < 0 { difference += Int64(base) }
            high[at + i] = UInt32(difference)
        }
        return borrow > 0
    }

    private static func addBack(_ low: [UInt32], to high: inout [UInt32], at: Int) {
        var carry: UInt64 = 0
        for i in 0...low.count {
            let sum = UInt64(high[at + i]) + (i < low.count ? UInt64(low[i]) : 0) + carry
            high[at + i] = UInt32(sum % base)
            carry = sum / base
        }
    }

    /// Its digits, the most significant first.
    var text: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(limbs.count * 9)
        for limb in limbs {
            var rest = limb
            for _ in 0..<9 {
                result.append(UInt8(48 + rest % 10))
                rest /= 10
            }
        }
        while result.last == 48 { result.removeLast() }
        return result.isEmpty ? [48] : result.reversed()
    }
}
