import TestSupport

/// The language a second time, slow and obvious: trees of texts and plain values, nothing lazy, nothing shared with
/// the evaluator.
indirect enum SlowExpression {
    case number(String)
    case text(String)
    case flag(Bool)
    case name(String)
    case it
    case attribute(String)
    case entry(String)
    case member(SlowExpression, String)
    case list([SlowExpression])
    case not(SlowExpression), minus(SlowExpression)
    case binary(String, SlowExpression, SlowExpression)
    case choice(SlowExpression, SlowExpression, SlowExpression)
    case over(String, SlowExpression, SlowExpression?)
    case exists(SlowExpression)

    /// With all brackets there can be, but for those that `random` leaves out where precedence makes up for them.
    func source() -> String {
        switch self {
        case .number(let text): text
        case .text(let text): "'\(text)'"
        case .flag(let flag): "\(flag)"
        case .name(let name): name
        case .it: "it"
        case .attribute(let name): "attr.\(name)"
        case .entry(let name): "entry.\(name)"
        case .member(let object, let name): "(\(object.source())).\(name)"
        case .list(let items): "[" + items.map { $0.source() }.joined(separator: ", ") + "]"
        case .not(let operand): "!(\(operand.source()))"
        case .minus(let operand): "-(\(operand.source()))"
        case .binary(let mark, let a, let b): "(\(a.source())) \(mark) (\(b.source()))"
        case .choice(let a, let b, let c): "((\(a.source())) ? (\(b.source())) : (\(c.source())))"
        case .over(let name, let array, let argument):
            "(\(array.source())).\(name)(\(argument?.source() ?? ""))"
        case .exists(let operand): "exists(\(operand.source()))"
        }
    }
}

indirect enum SlowValue {
    case unknown
    case flag(Bool)
    case number(Fraction)
    case text(String)
    case list([SlowValue])
    case object([String: SlowValue])

    var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    var number: Fraction? { if case .number(let number) = self { number } else { nil } }
    var isUnknown: Bool { if case .unknown = self { true } else { false } }

    var described: String {
        switch self {
        case .unknown: "unknown"
        case .flag(let flag): "\(flag)"
        case .number(let number): number.text
        case .text(let text): "\"\(text)\""
        case .list(let items):
            "[" + items.map { $0.isUnknown ? "null" : $0.described }.joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map {
                    "\"\($0.key)\":\($0.value.isUnknown ? "null" : $0.value.described)"
                }
                .joined(separator: ",") + "}"
        }
    }
}

/// A number as a fraction of whole numbers, in lowest terms.
struct Fraction: Equatable {
    let top: Int
    let bottom: Int

    init(_ top: Int, _ bottom: Int = 1) {
        var (a, b) = (abs(top), abs(bottom))
        while b != 0 { (a, b) = (b, a % b) }
        let sign = bottom < 0 ? -1 : 1
        self.top = sign * top / max(a, 1)
        self.bottom = sign * bottom / max(a, 1)
    }

    /// `-12.5`: digits and perhaps a point.
    init(_ text: String) {
        let parts = text.split(separator: ".")
        let places = parts.count > 1 ? parts[1].count : 0
        let digits = Int(parts.joined()) ?? 0
        self.init(digits, (0..<places).reduce(1) { x, _ in x * 10 })
    }

    var text: String {
        var (rest, digits) = (abs(top) % bottom, "")
        while rest != 0, digits.count < 60 {
            rest *= 10
            digits += "\(rest / bottom)"
            rest %= bottom
        }
        return (top < 0 ? "-" : "") + "\(abs(top) / bottom)" + (digits.isEmpty ? "" : ".\(digits)")
    }

    static func < (a: Fraction, b: Fraction) -> Bool { a.top * b.bottom < b.top * a.bottom }
}

/// Says what an expression comes to.
struct SlowEvaluator {
    let event: SlowValue
    let entry: SlowValue
    let attributes: SlowValue

    func value(_ expression: SlowExpression, names: SlowValue, it: SlowValue) -> SlowValue {
        func sub(_ e: SlowExpression) -> SlowValue { value(e, names: names, it: it) }
        switch expression {
        case .number(let text): return .number(Fraction(text))
        case .text(let text): return .text(text)
        case .flag(let flag): return .flag(flag)
        case .name(let name): return member(names, name)
        case .it: return it
        case .attribute(let name): return member(attributes, name)
        case .entry(let name): return member(entry, name)
        case .member(let object, let name): return member(sub(object), name)
        case .list(let items): return .list(items.map(sub))
        case .not(let operand): return sub(operand).flag.map { .flag(!$0) } ?? .unknown
        case .minus(let operand):
            return sub(operand).number.map { .number(Fraction(-$0.top, $0.bottom)) } ?? .unknown
        case .binary(let mark, let a, let b): return binary(mark, sub(a), sub(b))
        case .choice(let a, let b, let c):
            guard let flag = sub(a).flag else { return .unknown }
            return flag ? sub(b) : sub(c)
        case .exists(let operand): return .flag(!sub(operand).isUnknown)
        case .over(let name, let array, let argument):
            guard case .list(let items) = sub(array) else { return .unknown }
            let values = items.map { item -> SlowValue in
                guard let argument else {
                    return ["any", "all", "none", "count", "first", "last"].contains(name)
                        ? .flag(true) : item
                }
                if case .object = item { return value(argument, names: item, it: item) }
                return value(argument, names: names, it: item)
            }
            return over(name, items, values)
        }
    }

    private func member(_ object: SlowValue, _ name: String) -> SlowValue {
        if case .object(let members) = object { return members[name] ?? .unknown }
        return .unknown
    }

    private func over(_ name: String, _ items: [SlowValue], _ values: [SlowValue]) -> SlowValue {
        let flags = values.map(\.flag)
        switch name {
        case "any": return flags.contains(true) ? .flag(true) : flags.contains(nil) ? .unknown : .flag(false)
        case "none":
            return flags.contains(true) ? .flag(false) : flags.contains(nil) ? .unknown : .flag(true)
        case "all":
            if items.isEmpty { return .flag(false) }
            return flags.contains(false) ? .flag(false) : flags.contains(nil) ? .unknown : .flag(true)
        case "count": return .number(Fraction(flags.filter { $0 == true }.count))
        case "first": return flags.firstIndex(of: true).map { items[$0] } ?? .unknown
        case "last": return flags.lastIndex(of: true).map { items[$0] } ?? .unknown
        case "sum":
            var sum = Fraction(0)
            for value in values {
                guard let number = value.number else { return .unknown }
                sum = Fraction(sum.top * number.bottom + number.top * sum.bottom, sum.bottom * number.bottom)
            }
            return .number(sum)
        default: return best(name, items, values)
        }
    }

    private func best(_ name: String, _ items: [SlowValue], _ values: [SlowValue]) -> SlowValue {
        if items.isEmpty { return .unknown }
        var chosen = 0
        // What is not equal to itself has no order; one kind only.
        guard binary("==", values[0], values[0]).flag == true else { return .unknown }
        for i in values.indices.dropFirst() {
            let mark = name.hasPrefix("max") ? ">" : "<"
            guard let better = binary(mark, values[i], values[chosen]).flag else { return .unknown }
            if better { chosen = i }
        }
        return name.hasSuffix("_by") ? items[chosen] : values[chosen]
    }

    private func binary(_ mark: String, _ a: SlowValue, _ b: SlowValue) -> SlowValue {
        switch mark {
        case "&&":
            if a.flag == false || b.flag == false { return .flag(false) }
            return a.flag == true && b.flag == true ? .flag(true) : .unknown
        case "||":
            if a.flag == true || b.flag == true { return .flag(true) }
            return a.flag == false && b.flag == false ? .flag(false) : .unknown
        case "+", "-", "*", "/":
            guard let x = a.number, let y = b.number else { return .unknown }
            switch mark {
            case "+": return .number(Fraction(x.top * y.bottom + y.top * x.bottom, x.bottom * y.bottom))
            case "-": return .number(Fraction(x.top * y.bottom - y.top * x.bottom, x.bottom * y.bottom))
            case "*": return .number(Fraction(x.top * y.top, x.bottom * y.bottom))
            default: return y.top == 0 ? .unknown : .number(Fraction(x.top * y.bottom, x.bottom * y.top))
            }
        case "in": return isIn(a, b)
        case "contains":
            if case .text(let text) = a, case .text(let part) = b {
                return .flag(part.isEmpty || text.indices.contains { text[$0...].hasPrefix(part) })
            }
            return isIn(b, a)
        case "matches":
            guard case .text(let text) = a, case .text(let glob) = b else { return .unknown }
            return .flag(matches(Array(text), Array(glob)))
        default: return compare(mark, a, b)
        }
    }

    private func isIn(_ value: SlowValue, _ list: SlowValue) -> SlowValue {
        guard case .list(let items) = list, !value.isUnknown else { return .unknown }
        let equal = items.map { compare("==", $0, value).flag }
        return equal.contains(true) ? .flag(true) : equal.contains(nil) ? .unknown : .flag(false)
    }

    private func matches(_ text: [Character], _ glob: [Character]) -> Bool {
        guard let first = glob.first else { return text.isEmpty }
        if first == "*" {
            return (0...text.count).contains { matches(Array(text[$0...]), Array(glob.dropFirst())) }
        }
        guard let letter = text.first, first == "?" || first == letter else { return false }
        return matches(Array(text.dropFirst()), Array(glob.dropFirst()))
    }

    private func compare(_ mark: String, _ a: SlowValue, _ b: SlowValue) -> SlowValue {
        let order: Int?
        switch (a, b) {
        case (.unknown, _), (_, .unknown), (.list, _), (_, .list), (.object, _), (_, .object): return .unknown
        case (.number(let x), .number(let y)): order = x == y ? 0 : x < y ? -1 : 1
        case (.text(let x), .text(let y)): order = x == y ? 0 : x < y ? -1 : 1
        case (.flag(let x), .flag(let y)):
            guard mark == "==" || mark == "!=" else { return .unknown }
            order = x == y ? 0 : 1
        default: order = nil
        }
        guard let order else { return mark == "==" ? .flag(false) : mark == "!=" ? .flag(true) : .unknown }
        switch mark {
        case "==": return .flag(order == 0)
        case "!=": return .flag(order != 0)
        case "<": return .flag(order < 0)
        case "<=": return .flag(order <= 0)
        case ">": return .flag(order > 0)
        default: return .flag(order >= 0)
        }
    }
}
