import Foundations

/// A number in its shortest exact form: `1`, `1.0` and `10e-1` are one. Of more than 36 digits the first 36 count.
struct Numeral: Hashable, Comparable, Sendable {
    /// Without zeros at its end.
    private(set) var mantissa: Int128
    private(set) var exponent: Int

    static let mostDigits = 36

    init(mantissa: Int128, exponent: Int) {
        self.mantissa = mantissa
        self.exponent = exponent
    }

    /// A number as JSON writes it. `isInteger`: so it would be without an exponent, as jsonb keeps it: `1e2` is,
    /// `1.0` is not.
    init(_ text: Bytes, isInteger: inout Bool) {
        if let plain = Self.plain(text, &isInteger) {
            self = plain
        } else {
            self.init(careful: text, isInteger: &isInteger)
        }
    }

    /// At most 18 digits, no exponent: nearly all numbers there are.
    @inline(__always) private static func plain(_ text: Bytes, _ isInteger: inout Bool) -> Numeral? {
        guard text.count <= 20 else { return nil }
        var value: UInt64 = 0
        var digits = 0
        var point = -1
        let isNegative = text[0] == UInt8(ascii: "-")
        for i in (isNegative ? 1 : 0)..<text.count {
            let digit = text[i] &- 48
            if digit < 10 {
                value = value &* 10 &+ UInt64(digit)
                digits += 1
            } else if text[i] == UInt8(ascii: ".") {
                point = digits
            } else {
                return nil
            }
        }
        guard digits <= 18 else { return nil }
        isInteger = point < 0
        var exponent = point < 0 ? 0 : point - digits
        if value == 0 { return Numeral(mantissa: 0, exponent: 0) }
        while value % 10 == 0 {
            value /= 10
            exponent += 1
        }
        let magnitude = Int64(truncatingIfNeeded: value)
        return Numeral(mantissa: Int128(isNegative ? -magnitude : magnitude), exponent: exponent)
    }

    private init(careful text: Bytes, isInteger: inout Bool) {
        var value: Int128 = 0
        var (digits, dropped, fraction, at) = (0, 0, 0, 0)
        var (isFraction, isNegative) = (false, false)
        scan: while at < text.count {
            switch text[at] {
            case 48...57:
                if isFraction { fraction += 1 }
                if digits == Self.mostDigits {
                    dropped += 1
                } else if value != 0 || text[at] != 48 {
                    value = value * 10 + Int128(text[at] - 48)
                    digits += 1
                }
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "-"): isNegative = true
            default: break scan
            }
            at += 1
        }
        let shift = at < text.count ? Self.shift(text.slice(at + 1..<text.count)) : 0
        isInteger = fraction - shift <= 0
        var exponent = dropped - fraction + shift
        if value == 0 { exponent = 0 }
        while value != 0, value % 10 == 0 {
            value /= 10
            exponent += 1
        }
        self.init(mantissa: isNegative ? -value : value, exponent: exponent)
    }

    private static func shift(_ text: Bytes) -> Int {
        var value = 0
        for byte in text where byte &- 48 < 10 { value = min(value * 10 + Int(byte - 48), 1 << 30) }
        return text.count > 0 && text[0] == UInt8(ascii: "-") ? -value : value
    }

    /// How many digits the mantissa has.
    private var digits: Int {
        var (rest, count) = (mantissa.magnitude, 0)
        while rest > 0 { (rest, count) = (rest / 10, count + 1) }
        return count
    }

    static func < (a: Numeral, b: Numeral) -> Bool {
        if a.exponent == b.exponent || a.mantissa.signum() != b.mantissa.signum() {
            return a.mantissa < b.mantissa
        }
        let isNegative = a.mantissa < 0
        let (sizeOfA, sizeOfB) = (a.digits + a.exponent, b.digits + b.exponent)
        guard sizeOfA == sizeOfB else { return (sizeOfA < sizeOfB) != isNegative }
        // Of one size, they are at most 36 digits apart.
        if a.exponent > b.exponent { return a.mantissa * power(a.exponent - b.exponent) < b.mantissa }
        return a.mantissa < b.mantissa * power(b.exponent - a.exponent)
    }

    private static func power(_ exponent: Int) -> Int128 {
        (0..<exponent).reduce(1) { product, _ in product * 10 }
    }

    /// Written out up to 40 digits, with an exponent above that.
    var text: String {
        let digits = String(mantissa.magnitude)
        let sign = mantissa < 0 ? "-" : ""
        let zeros = { (count: Int) in String(repeating: "0", count: count) }
        let point = digits.count + exponent
        if exponent >= 0, point <= 40 { return sign + digits + zeros(exponent) }
        if exponent < 0, exponent >= -40 {
            guard point > 0 else { return sign + "0." + zeros(-point) + digits }
            return sign + digits.prefix(point) + "." + digits.suffix(-exponent)
        }
        return "\(sign)\(digits)e\(exponent)"
    }
}
