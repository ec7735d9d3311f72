import Foundations
import Payload

extension Evaluator {
    /// Values of different kinds are not equal and have no order; arrays and objects are not compared as a whole.
    func compare(_ comparison: Node.Comparison, _ a: Operand, _ b: Operand) -> Bool? {
        guard facts.spend(min(a.size, b.size) / 16) else { return nil }
        switch (a, b) {
        case (.unknown, _), (_, .unknown): return nil
        case (.number(let x), .number(let y)):
            guard facts.spend(x.size + y.size) else { return nil }
            return holds(comparison, Decimal.compare(x, y))
        case (.flag(let x), .flag(let y)):
            switch comparison {
            case .equal: return x == y
            case .unequal: return x != y
            default: return nil
            }
        case (.time(let x), .time(let y)): return holds(comparison, x < y ? -1 : x == y ? 0 : 1)
        case (.time(let x), _): return compareTime(comparison, x, b, swapped: false)
        case (_, .time(let y)): return compareTime(comparison, y, a, swapped: true)
        case (.json, _), (_, .json), (.list, _), (_, .list), (.rows, _), (_, .rows), (.row, _), (_, .row),
            (.event, _), (_, .event):
            return nil
        default: break
        }
        if let order = a.withText({ x in b.withText { y in Self.order(x, y) } }), let order {
            return holds(comparison, order)
        }
        return different(comparison)
    }

    private func different(_ comparison: Node.Comparison) -> Bool? {
        switch comparison {
        case .equal: false
        case .unequal: true
        default: nil
        }
    }

    /// A text that says a moment is compared with a moment as one.
    private func compareTime(
        _ comparison: Node.Comparison, _ time: Timestamp, _ other: Operand, swapped: Bool
    ) -> Bool? {
        guard let said = other.withText({ EventTime.parse($0) }), let said else {
            return different(comparison)
        }
        let order = time < said ? -1 : time == said ? 0 : 1
        return holds(comparison, swapped ? -order : order)
    }

    private func holds(_ comparison: Node.Comparison, _ order: Int) -> Bool {
        switch comparison {
        case .equal: order == 0
        case .unequal: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .more: order > 0
        case .moreOrEqual: order >= 0
        }
    }

    /// By bytes, which is by code points.
    static func order(_ a: Bytes, _ b: Bytes) -> Int {
        for i in 0..<min(a.count, b.count) where a[i] != b[i] { return a[i] < b[i] ? -1 : 1 }
        return a.count < b.count ? -1 : a.count == b.count ? 0 : 1
    }

    func isIn(_ value: Operand, _ list: Operand) -> Bool? {
        if value.isUnknown { return nil }
        var isKnown = true
        var found = false
        let isList = forEach(list) { element in
            let equal = compare(.equal, element, value)
            if equal == nil { isKnown = false }
            found = equal == true
            return !found
        }
        guard isList else { return nil }
        return found ? true : isKnown ? false : nil
    }

    /// A text in a text, or a value in an array.
    func contains(_ a: Operand, _ b: Operand) -> Bool? {
        if let found = a.withText({ x in b.withText { y in search(x, y) } }) { return found ?? nil }
        switch a {
        case .json, .list: return isIn(b, a)
        default: return nil
        }
    }

    private func search(_ text: Bytes, _ wanted: Bytes) -> Bool? {
        guard facts.spend(text.count / 16) else { return nil }
        guard wanted.count > 0 else { return true }
        guard text.count >= wanted.count else { return false }
        for start in 0...text.count - wanted.count where text[start] == wanted[0] {
            guard facts.spend(1) else { return nil }
            if text.slice(start..<start + wanted.count).equals(wanted) { return true }
        }
        return false
    }

    func matches(_ a: Operand, _ b: Operand) -> Bool? {
        let found = a.withText { text in b.withText { glob in Glob.matches(text, glob, spend: facts.spend) } }
        return found.flatMap { $0 }.flatMap { $0 }
    }

    func calculate(_ operation: Node.Arithmetic, _ a: Operand, _ b: Operand) -> Operand {
        switch (a, b) {
        case (.number(let x), .number(let y)):
            guard facts.spend(x.size * y.size) else { return .unknown }
            switch operation {
            case .plus: return Operand(Decimal.sum(x, y))
            case .minus: return Operand(Decimal.difference(x, y))
            case .times: return Operand(Decimal.product(x, y))
            case .over: return Operand(Decimal.quotient(x, y))
            }
        case (.time(let x), .time(let y)) where operation == .minus:
            let (difference, overflow) = x.microseconds.subtractingReportingOverflow(y.microseconds)
            return overflow ? .unknown : .number(Decimal(difference, exponent: -6))
        case (.time(let time), .number(let seconds)) where operation == .plus || operation == .minus:
            guard let micro = Decimal.product(seconds, Decimal(1_000_000))?.integer else { return .unknown }
            let more = operation == .plus ? Int64(micro) : 0 &- Int64(micro)
            let (moved, overflow) = time.microseconds.addingReportingOverflow(more)
            return overflow ? .unknown : .time(Timestamp(microseconds: moved))
        default: return .unknown
        }
    }
}

/// Whole-text patterns: `*` is any run of characters, `?` one character.
enum Glob {
    /// Nil: `spend` refused. It goes back to the last `*` only, so the work is bounded by the product of the lengths.
    static func matches(_ text: Bytes, _ glob: Bytes, spend: (Int) -> Bool) -> Bool? {
        var (at, pattern) = (0, 0)
        var star: (at: Int, pattern: Int)?
        while at < text.count {
            guard spend(1) else { return nil }
            if pattern < glob.count, glob[pattern] == UInt8(ascii: "*") {
                star = (at, pattern + 1)
                pattern += 1
            } else if pattern < glob.count, glob[pattern] == UInt8(ascii: "?") {
                at = afterCharacter(text, at)
                pattern += 1
            } else if pattern < glob.count, glob[pattern] == text[at] {
                at += 1
                pattern += 1
            } else if let last = star {
                star = (last.at + 1, last.pattern)
                at = last.at + 1
                pattern = last.pattern
            } else {
                return false
            }
        }
        while pattern < glob.count, glob[pattern] == UInt8(ascii: "*") { pattern += 1 }
        return pattern == glob.count
    }

    /// Behind the bytes of one UTF-8 character.
    private static func afterCharacter(_ text: Bytes, _ at: Int) -> Int {
        var next = at + 1
        while next < text.count, text[next] & 0xc0 == 0x80 { next += 1 }
        return next
    }
}
