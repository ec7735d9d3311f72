import Foundations
import Payload
import TestSupport
import Testing

@testable import Journeys

/// The evaluator against the slow one, over random expressions and random values.
struct RandomExpressionTests {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func bothImplementationsAgree(seed: UInt64) throws {
        var dice = Dice(random: SeededRandom(seed))
        var known = 0
        for _ in 0..<600 {
            let expression = dice.expression(4, .any, inside: false)
            let event = dice.object(2), entry = dice.object(2), attributes = dice.object(2)
            let slow = SlowEvaluator(event: event, entry: entry, attributes: attributes)
            let expected = slow.value(expression, names: event, it: .unknown).described
            let source = expression.source()
            let occurrence = occurrence("x", event.described)
            let facts = Facts(
                event: occurrence, entry: entryEvent(entry.described),
                attributes: Array(attributes.described.utf8),
                now: occurrence.time, time: occurrence.time)
            let parsed = try Expression(source, .value)
            let got = Evaluator(facts: facts).value(parsed) { whole($0) }
            #expect(
                got == expected,
                "\(source) over \(event.described), \(entry.described), \(attributes.described)")
            if got != expected { return }
            if expected != "unknown" { known += 1 }
        }
        #expect(known > 120)
    }

    private func entryEvent(_ json: String) -> Occurrence { occurrence("entry", json) }

    /// As it is described, but not shortened.
    private func whole(_ operand: Operand) -> String {
        if operand.isUnknown { return "unknown" }
        var buffer = ByteBuffer()
        operand.appendJSON(to: &buffer)
        return buffer.bytes.text
    }

    /// Texts that are no expressions, or hardly: an error or a value, never a crash.
    @Test func noTextCrashesTheParserOrTheEvaluator() {
        let pieces = [
            "a", "items", ".", "(", ")", "[", "]", ",", "?", ":", "&&", "||", "!", "-", "+", "*", "/", "==",
            "<", "in", "matches",
            "contains", "1", "0.5", "1e9", "1e4000", "'x'", "\"", "it", "any", "sum", "max_by", "rows(",
            "exists(", "did('a'", "last('a')", "now()", "hour()", "prop(",
            "attr.", "entry", "event.", "score.x.band", "true", " ", "\\", "é", "\u{0}", "€", "'30d'",
            "in_segment('s')",
        ]
        var random = SeededRandom(9)
        let history = Remembered(occurrences: [occurrence("a", "{\"a\": [1]}")])
        var parsed = 0
        for _ in 0..<5000 {
            let count = Int.random(in: 1...9, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            guard let expression = try? Expression(text, .value) else { continue }
            parsed += 1
            let event = occurrence("a", "{\"a\": [1, \"x\", null, {\"a\": 2}], \"items\": {\"a\": 1e4000}}")
            let facts = Facts(
                event: event, entry: event, attributes: Array("not JSON".utf8), now: event.time,
                time: event.time, history: history)
            _ = Evaluator(facts: facts).value(expression) { $0.described }
        }
        #expect(parsed > 100)
    }
}

/// Draws expressions and values.
struct Dice {
    enum Kind { case any, condition, number, list }

    var random: SeededRandom

    mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &random)] }

    static let names = ["a", "b", "c", "d", "e"]

    // MARK: Values

    mutating func object(_ depth: Int) -> SlowValue {
        var members: [String: SlowValue] = [:]
        for name in Self.names where random.chance(70) { members[name] = value(depth) }
        return .object(members)
    }

    mutating func value(_ depth: Int) -> SlowValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .unknown
        case 1: return .flag(random.chance(50))
        case 2, 3: return .number(Fraction(number()))
        case 4, 5: return .text(text())
        case 6: return object(depth - 1)
        default:
            let objects = random.chance(50)
            return .list(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in objects ? object(depth - 1) : value(0)
                })
        }
    }

    mutating func number() -> String {
        let whole = "\(Int.random(in: 0...12, using: &random))"
        return random.chance(30) ? "\(whole).\(pick(["5", "25", "1", "50"]))" : whole
    }

    mutating func text() -> String {
        (0..<Int.random(in: 0...3, using: &random)).map { _ in pick(["x", "y", "*", "?"]) }.joined()
    }

    // MARK: Expressions

    mutating func expression(_ depth: Int, _ kind: Kind, inside: Bool) -> SlowExpression {
        if depth == 0 { return leaf(inside: inside) }
        switch kind {
        case .condition: return condition(depth, inside)
        case .number: return arithmetic(depth, inside)
        case .list: return list(depth, inside)
        case .any:
            switch Int.random(in: 0..<8, using: &random) {
            case 0...2: return condition(depth, inside)
            case 3: return arithmetic(depth, inside)
            case 4: return list(depth, inside)
            case 5:
                return .choice(
                    condition(depth - 1, inside), expression(depth - 1, .any, inside: inside),
                    expression(depth - 1, .any, inside: inside))
            default:
                let name = pick(["sum", "min", "max", "min_by", "max_by", "first", "last", "count"])
                let isTest = ["first", "last", "count"].contains(name)
                let isPlain = random.chance(30) && !name.hasSuffix("_by")
                let argument: SlowExpression? =
                    isPlain
                    ? nil
                    : isTest
                        ? condition(depth - 1, true)
                        : name == "sum" ? arithmetic(1, true) : leaf(inside: true)
                return .over(name, list(depth - 1, inside), argument)
            }
        }
    }

    private mutating func condition(_ depth: Int, _ inside: Bool) -> SlowExpression {
        guard depth > 0 else {
            return .binary(pick(["==", "!=", "<"]), leaf(inside: inside), leaf(inside: inside))
        }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .not(condition(depth - 1, inside))
        case 1, 2:
            return .binary(pick(["&&", "||"]), condition(depth - 1, inside), condition(depth - 1, inside))
        case 3: return .binary("in", leaf(inside: inside), list(depth - 1, inside))
        case 4: return .binary(pick(["matches", "contains"]), leaf(inside: inside), leaf(inside: inside))
        case 5: return .exists(expression(depth - 1, .any, inside: inside))
        case 6:
            return .over(pick(["any", "all", "none"]), list(depth - 1, inside), condition(depth - 1, true))
        default:
            return .binary(
                pick(["==", "!=", "<", "<=", ">", ">="]), expression(depth - 1, .any, inside: inside),
                expression(depth - 1, .any, inside: inside))
        }
    }

    /// Products and quotients of leaves only, so that fractions stay small.
    private mutating func arithmetic(_ depth: Int, _ inside: Bool) -> SlowExpression {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: return .minus(leaf(inside: inside))
        case 1: return .binary("*", leaf(inside: inside), leaf(inside: inside))
        case 2: return .binary("/", leaf(inside: inside), .number(pick(["2", "4", "5", "0", "0.5"])))
        default:
            guard depth > 1 else {
                return .binary(pick(["+", "-"]), leaf(inside: inside), leaf(inside: inside))
            }
            return .binary(pick(["+", "-"]), arithmetic(depth - 1, inside), arithmetic(depth - 1, inside))
        }
    }

    private mutating func list(_ depth: Int, _ inside: Bool) -> SlowExpression {
        guard random.chance(40) else { return leaf(inside: inside) }
        return .list((0..<Int.random(in: 0...3, using: &random)).map { _ in leaf(inside: inside) })
    }

    private mutating func leaf(inside: Bool) -> SlowExpression {
        switch Int.random(in: 0..<(inside ? 9 : 8), using: &random) {
        case 0: return .number(number())
        case 1: return .text(text())
        case 2: return .attribute(pick(Self.names))
        case 3: return .entry(pick(Self.names))
        case 4: return .member(.name(pick(Self.names)), pick(Self.names))
        case 8: return .it
        default: return .name(pick(Self.names))
        }
    }
}
