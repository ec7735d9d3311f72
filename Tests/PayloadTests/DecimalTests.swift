import Foundations
import TestSupport
import Testing

@testable import Payload

struct DecimalTests {
    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("0.0", "0"), ("9990.91", "9990.91"),
        ("18446744073709551616", "18446744073709551616"),
        ("0.1", "0.1"), ("1e3", "1000"), ("1.50", "1.5"), ("-12.5e-3", "-0.0125"), ("1E-2", "0.01"),
        ("123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"),
        ("9223372036854775808", "9223372036854775808"), ("-9223372036854775808", "-9223372036854775808"),
        ("1e4095", "1" + String(repeating: "0", count: 4095)),
    ])
    func aNumberKeepsEveryDigit(text: String, plain: String) {
        #expect(Decimal(text)?.description == plain)
    }

    @Test(arguments: [
        "", "-", "1.", ".5", "01", "1e", "+1", "1e4096", "1e-4096", "1e999999999999", "0x1", "1 ",
    ])
    func whatIsNoNumberOrTooLongIsNone(text: String) { #expect(Decimal(text) == nil) }

    @Test func aPriceTimesAQuantityIsExact() {
        let price = Decimal("9990.91"), quantity = Decimal(4)
        #expect(Decimal.product(price!, quantity)?.description == "39963.64")
        #expect(Decimal.sum(Decimal("0.1")!, Decimal("0.2")!) == Decimal("0.3"))
    }

    @Test(arguments: [
        ("1", "3", "0.3333333333333333333333333333333333"),
        ("2", "3", "0.6666666666666666666666666666666667"),
        ("10", "4", "2.5"), ("1", "8", "0.125"), ("-7", "2", "-3.5"),
        ("1e40", "1", "1" + String(repeating: "0", count: 40)),
        ("12345678901234567890123456789012345678", "2", "6172839450617283945061728394506172839"),
        ("100", "0.01", "10000"), ("1", "7e-5", "14285.71428571428571428571428571429"),
    ])
    func aQuotientIsEvenOrRounded(a: String, b: String, quotient: String) {
        #expect(Decimal.quotient(Decimal(a)!, Decimal(b)!)?.description == quotient)
    }

    @Test func nothingIsDividedByZero() { #expect(Decimal.quotient(Decimal(1), .zero) == nil) }

    @Test func aResultWithTooManyDigitsIsNone() {
        let large = Decimal("1e4095")!
        #expect(Decimal.product(large, Decimal(10)) == nil)
        #expect(Decimal.product(Decimal("1e-4000")!, Decimal("1e-4000")!) == nil)
        #expect(Decimal.sum(large, Decimal("1e-10")!) == nil)
        #expect(Decimal.compare(large, Decimal("1e-4000")!) == 1)
    }

    /// `(a + b) − b = a`, `(a × b) ÷ b = a`, and the order is that of the difference; numbers of all sizes.
    @Test func theLawsOfArithmeticHold() {
        var random = SeededRandom(7)
        for _ in 0..<3000 {
            let (a, b) = (Self.number(&random), Self.number(&random))
            let sum = Decimal.sum(a, b)!
            #expect(Decimal.difference(sum, b) == a, "\(a) \(b)")
            #expect(Decimal.sum(b, a) == sum)
            let product = Decimal.product(a, b)!
            if !b.isZero, product.description.count < 30 || a.isZero {
                #expect(Decimal.quotient(product, b) == a)
            }
            let order = Decimal.compare(a, b), difference = Decimal.difference(a, b)!
            #expect(order == (difference.isZero ? 0 : difference.isNegative ? -1 : 1), "\(a) \(b)")
            #expect(Decimal(a.description) == a)
        }
    }

    /// `quotient × divisor + remainder = dividend`, also where a guessed digit must be corrected.
    @Test func longDivisionIsUndoneByAProduct() {
        var random = SeededRandom(11)
        for _ in 0..<2000 {
            func limbs(_ most: Int) -> Magnitude {
                let count = Int.random(in: 1...most * 9, using: &random)
                let style = Int.random(in: 0..<3, using: &random)
                return Magnitude(digits: count) { _ in
                    style == 0
                        ? 9
                        : style == 1
                            ? UInt8.random(in: 0...9, using: &random) : (Bool.random(using: &random) ? 0 : 9)
                }
            }
            let (a, b) = (limbs(9), limbs(5))
            if b.isZero { continue }
            let (quotient, rest) = a.divided(by: b)
            #expect(quotient * b + rest == a)
            #expect(Magnitude.compare(rest, b) < 0)
        }
    }

    static func number(_ random: inout SeededRandom) -> Decimal {
        let count = [1, 3, 9, 17, 19, 20, 40].randomElement(using: &random)!
        var text = random.chance(40) ? "-" : ""
        text += String(Int.random(in: 1...9, using: &random))
        for _ in 1..<count { text += String(Int.random(in: 0...9, using: &random)) }
        if random.chance(10) { text = "0" }
        if random.chance(60) { text += "." + String(Int.random(in: 0...999, using: &random)) }
        if random.chance(20) { text += "e\(Int.random(in: -20...20, using: &random))" }
        return Decimal(text)!
    }
}
