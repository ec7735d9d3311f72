/// Random properties, with all that is hostile in them: names, numbers, nesting, repeated names, personal values.
enum RandomProperties {
    static func text(_ dice: inout Dice) -> String { object(&dice, 0) }

    private static let names = [
        "a", "b", "price", "Price", "items", "tags", "", "a.b", "x[]", "{*}", "\\\"", "constructor", "select",
        "😀",
        "\\u0061", "e\u{301}", "é", "4711", "2026-01-01", "password", "n1", "n2", "n3", "n4", "n5", "n6",
        "n7",
        "a name of more than twenty bytes", "a name of more than twenty bytes, another one", "Ünïcödé",
    ]
    private static let scalars = [
        "null", "true", "false", "0", "1", "1.0", "-1", "2.50", "1e2", "1e-2", "1e300", "-1e-300",
        "9007199254740993",
        "4111111111111111", "\"4111 1111 1111 1111\"", "\"a@example.org\"", "\"\"", "\"text\"",
        "\"another text\"",
        "\"2026-01-01\"", "\"2026-01-01T10:00:00Z\"", "\"https://example.org/\"", "\"+49 171 1234567\"",
        "\"0b8dd9a6-8c2a-4f5e-9d0e-0123456789ab\"",
        "123456789012345678901234567890123456789012345678901234567890",
        "0.000000000000000000000000000000000000000000000000001", "\"\\ud83d\\ude00 \\n\"",
    ]

    private static func object(_ dice: inout Dice, _ depth: Int) -> String {
        let count = dice.one(in: 20) ? 60 : dice.below(6)
        let members = (0..<count).map { _ in
            let name = dice.one(in: 8) ? "k\(dice.below(90))" : dice.pick(names)
            return "\"\(name)\":\(value(&dice, depth + 1))"
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    private static func value(_ dice: inout Dice, _ depth: Int) -> String {
        if depth > 10 { return dice.pick(scalars) }
        switch dice.below(10) {
        case 0, 1: return object(&dice, depth)
        case 2, 3:
            return "[" + (0..<dice.below(4)).map { _ in value(&dice, depth + 1) }.joined(separator: ",") + "]"
        case 4: return "\(dice.below(40))"
        case 5: return "\"t\(dice.below(40))\""
        default: return dice.pick(scalars)
        }
    }
}
