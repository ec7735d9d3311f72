@testable import Payload

/// A value to be written as JSON in many ways that jsonb holds to be the same.
indirect enum Tree: Equatable {
    case object([(key: String, value: Tree)])
    case array([Tree])
    case string(String)
    /// `digits` × 10^`exponent`
    case number(negative: Bool, digits: String, exponent: Int)
    case word(String)

    static func == (a: Tree, b: Tree) -> Bool { a.plain == b.plain }

    /// One spelling of it, for messages.
    var plain: String {
        var dice = Dice(state: 1)
        return RandomJSON(isPlain: true).text(of: self, &dice)
    }
}

/// Makes random values, and random spellings of one value.
struct RandomJSON {
    var isPlain = false

    private static let letters: [String] = [
        "a", "b", "Z", "0", " ", "\"", "\\", "/", "\n", "\t", "\u{1}", "\u{7f}", "é", "ß", "漢", "😀",
        "\u{fffd}",
        "\u{feff}", "e\u{301}", "\u{10ffff}", "abcdefgh", "12345678901234567890",
    ]

    func tree(_ dice: inout Dice, depth: Int = 0) -> Tree {
        switch dice.below(depth > 4 ? 5 : 8) {
        case 0: return .word(dice.pick(["true", "false", "null"]))
        case 1, 2: return .string(string(&dice))
        case 3, 4: return number(&dice)
        case 5: return .array((0..<dice.below(5)).map { _ in tree(&dice, depth: depth + 1) })
        default:
            var members: [String: Tree] = [:]
            for _ in 0..<dice.below(dice.one(in: 12) ? 40 : 5) {
                members[string(&dice)] = tree(&dice, depth: depth + 1)
            }
            return .object(members.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) })
        }
    }

    func string(_ dice: inout Dice) -> String {
        (0..<dice.below(5)).map { _ in dice.pick(Self.letters) }.joined()
    }

    func number(_ dice: inout Dice) -> Tree {
        let digits = dice.pick([
            "0", "1", "10", "100", "12", "9", "123456789012345678901234567890", "5000", "999999999999999999",
        ])
        let exponent = dice.pick([0, 0, 0, 1, -1, -2, 2, 17, -20, 300, -300, 3000, -3000])
        return .number(negative: dice.one(in: 3), digits: digits, exponent: exponent)
    }

    /// The same value but for one small thing.
    func changed(_ tree: Tree, _ dice: inout Dice) -> Tree {
        switch tree {
        case .array(var elements) where !elements.isEmpty:
            let i = dice.below(elements.count)
            switch dice.below(4) {
            case 0: elements.remove(at: i)
            case 1: elements.swapAt(i, dice.below(elements.count))
            default: elements[i] = changed(elements[i], &dice)
            }
            return .array(elements)
        case .object(var members) where !members.isEmpty:
            let i = dice.below(members.count)
            switch dice.below(4) {
            case 0: members.remove(at: i)
            case 1: members[i].key += "x"
            default: members[i].value = changed(members[i].value, &dice)
            }
            return .object(members)
        case .string(let text):
            return dice.one(in: 2) ? .string(text + "a") : .string(String(text.dropLast()))
        case .number(let negative, let digits, let exponent):
            switch dice.below(4) {
            case 0: return .number(negative: !negative, digits: digits, exponent: exponent)
            case 1: return .number(negative: negative, digits: digits + "0", exponent: exponent - 1)
            case 2: return .number(negative: negative, digits: digits, exponent: exponent + 1)
            default: return .string(tree.plain)
            }
        case .word: return dice.pick([.word("true"), .word("null"), .array([]), .object([]), .string("")])
        default: return dice.pick([.array([]), .object([]), .word("null"), .array([.array([])])])
        }
    }

    // MARK: - Spelling

    func text(of tree: Tree, _ dice: inout Dice) -> String {
        switch tree {
        case .word(let word): return word
        case .string(let text): return quoted(text, &dice)
        case .number(let negative, let digits, let exponent):
            return (negative ? "-" : "") + number(digits, exponent, &dice)
        case .array(let elements):
            let parts = elements.map { space(&dice) + text(of: $0, &dice) + space(&dice) }
            return "[" + parts.joined(separator: ",") + (parts.isEmpty ? space(&dice) : "") + "]"
        case .object(var members):
            if !isPlain { members.shuffle(using: &dice) }
            var parts = members.map { member($0.key, $0.value, &dice) }
            if !isPlain, !members.isEmpty, dice.one(in: 6) {
                // A repeated key whose first value does not count.
                parts.insert(member(members[0].key, .word("false"), &dice), at: 0)
            }
            return "{" + parts.joined(separator: ",") + (parts.isEmpty ? space(&dice) : "") + "}"
        }
    }

    private func member(_ key: String, _ value: Tree, _ dice: inout Dice) -> String {
        space(&dice) + quoted(key, &dice) + space(&dice) + ":" + space(&dice) + text(of: value, &dice)
            + space(&dice)
    }

    private func space(_ dice: inout Dice) -> String {
        isPlain || !dice.one(in: 8) ? "" : dice.pick([" ", "\n", "\t", "\r\n", "          ", "         \n"])
    }

    private func quoted(_ text: String, _ dice: inout Dice) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            let escape = dice.one(in: 5) && !isPlain
            switch scalar {
            case "\"", "\\": out += escape ? hex(scalar) : "\\\(scalar)"
            case "/": out += escape ? "\\/" : "/"
            case "\n": out += escape ? hex(scalar) : "\\n"
            case "\t": out += escape ? hex(scalar) : "\\t"
            case _ where scalar.value < 32 || escape: out += hex(scalar)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private func hex(_ scalar: Unicode.Scalar) -> String {
        UTF16.encode(scalar)!.map { unit in
            let digits = String(unit, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    private func number(_ digits: String, _ exponent: Int, _ dice: inout Dice) -> String {
        let form = isPlain ? 0 : dice.below(4)
        let digits = digits.drop { $0 == "0" }.isEmpty ? "0" : digits
        if form == 1, exponent >= 0, exponent <= 300 {
            return digits == "0" ? "0" : digits + String(repeating: "0", count: exponent)
        }
        if form == 2, exponent < 0, exponent >= -300 {
            let padded = String(repeating: "0", count: max(0, 1 - exponent - digits.count)) + digits
            return "\(padded.dropLast(-exponent)).\(padded.suffix(-exponent))" + (dice.one(in: 2) ? "00" : "")
        }
        if form == 3 {
            let rest = digits.dropFirst()
            let point = exponent + rest.count
            let sign = point >= 0 ? dice.pick(["", "+"]) : ""
            return "\(digits.prefix(1)).\(rest)0\(dice.pick(["e", "E"]))\(sign)\(point)"
        }
        return exponent == 0 && dice.one(in: 2) ? digits : "\(digits)e\(exponent)"
    }
}
