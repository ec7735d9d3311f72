import Foundations
import Payload

/// The numbers of a parameter: the least, the largest, and their exact sum, whatever the order they came in.
///
/// Numbers of one exponent are summed up with each other, so that no digit is lost and nothing is rounded before
/// the mean is asked for.
struct NumberSummary: Sendable {
    struct Sum: Sendable {
        let exponent: Int
        var total: Int128
    }

    private(set) var count = 0
    private(set) var min = Numeral(mantissa: 0, exponent: 0)
    private(set) var max = Numeral(mantissa: 0, exponent: 0)
    /// By exponent.
    private(set) var sums: [Sum] = []
    /// Numbers too large or too long to be summed.
    private(set) var unsummed = 0

    private static let exponents = -40...40
    private static let largest: Int128 = 1_000_000_000_000_000_000_000_000_000

    /// `isKnown`: it was among them before, and so is nothing new for the range.
    mutating func add(_ number: Numeral, isKnown: Bool = false) {
        if isKnown {
            // The range has it.
        } else if count == 0 {
            (min, max) = (number, number)
        } else if number < min {
            min = number
        } else if max < number {
            max = number
        }
        count += 1
        if Self.exponents.contains(number.exponent), number.mantissa.magnitude < Self.largest.magnitude {
            add(number.mantissa, exponent: number.exponent)
        } else {
            unsummed += 1
        }
    }

    private mutating func add(_ mantissa: Int128, exponent: Int) {
        var at = 0
        while at < sums.count, sums[at].exponent < exponent { at += 1 }
        if at < sums.count, sums[at].exponent == exponent {
            sums[at].total &+= mantissa
        } else {
            sums.insert(Sum(exponent: exponent, total: mantissa), at: at)
        }
    }

    mutating func merge(_ other: NumberSummary) {
        guard other.count > 0 else { return }
        if count == 0 {
            self = other
            return
        }
        min = Swift.min(min, other.min)
        max = Swift.max(max, other.max)
        count += other.count
        unsummed += other.unsummed
        for sum in other.sums { add(sum.total, exponent: sum.exponent) }
    }

    /// For reading; nil without any number.
    var range: NumberRange? {
        guard count > 0 else { return nil }
        return NumberRange(min: min.text, max: max.text, mean: mean)
    }

    private var mean: String? {
        guard unsummed == 0 else { return nil }
        var total = Decimal.zero
        for sum in sums {
            guard let part = Decimal("\(sum.total)e\(sum.exponent)"), let next = Decimal.sum(total, part)
            else {
                return nil
            }
            total = next
        }
        return Decimal.quotient(total, Decimal(count))?.description
    }

    // MARK: - Bytes

    func encode(to buffer: inout ByteBuffer) {
        buffer.append(varint: count)
        guard count > 0 else { return }
        buffer.append(min)
        buffer.append(max)
        buffer.append(varint: unsummed)
        buffer.append(varint: sums.count)
        for sum in sums { buffer.append(Numeral(mantissa: sum.total, exponent: sum.exponent)) }
    }

    init() {}

    init(_ reader: inout ByteReader) throws(SummaryError) {
        count = try reader.varint()
        guard count > 0 else { return }
        min = try reader.numeral()
        max = try reader.numeral()
        unsummed = try reader.varint()
        for _ in 0..<(try reader.varint()) {
            let sum = try reader.numeral()
            sums.append(Sum(exponent: sum.exponent, total: sum.mantissa))
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func append(_ numeral: Numeral) {
        let bits = UInt128(bitPattern: numeral.mantissa)
        append(little: UInt64(truncatingIfNeeded: bits))
        append(little: UInt64(truncatingIfNeeded: bits >> 64))
        append(little: Int32(clamping: numeral.exponent))
    }
}

extension ByteReader {
    fileprivate mutating func numeral() throws(SummaryError) -> Numeral {
        let low = UInt128(try word())
        let high = UInt128(try word())
        let exponent = Int(Int32(truncatingIfNeeded: try half()))
        return Numeral(mantissa: Int128(bitPattern: high << 64 | low), exponent: exponent)
    }
}
