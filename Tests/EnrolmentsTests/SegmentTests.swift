import Foundations
import Journeys
import Postgres
import TestSupport
import Testing

@testable import Enrolments

/// Who is in a segment is the same whether SQL leaves out whom it can, or everybody is asked.
@Suite struct SegmentTests {
    private static let people = 120

    /// Profiles with all kinds of attributes, some of them merged into others, and what they did.
    private static func settle(_ town: Town, _ random: inout SeededRandom) throws {
        try town.database.run("create table event_all partition of event default")
        let values = [
            #""x""#, #""y""#, #""5""#, "5", "5.0", "true", "false", "null", "[1, \"x\"]",
            #"{"D": "x", "E": 5}"#,
            #""""#,
        ]
        for number in 0..<people {
            let profile = Town.profile("p\(number)")
            var traits: [String] = []
            for name in ["A", "B", "C"] where random.chance(70) {
                traits.append("\"\(name)\": \(values.randomElement(using: &random) ?? "1")")
            }
            try town.connection.execute(
                """
                insert into profile (bucket, id, traits, created_at, last_seen_at)
                values ($1, $2, $3::text::jsonb, $4, $4)
                """, profile.bucket, profile, "{\(traits.joined(separator: ", "))}", Town.at(0))
            // Some of it was done under an id that was merged into the person's since.
            let former = Town.profile("former \(number)")
            if random.chance(30) {
                try town.connection.execute(
                    "insert into alias (bucket, id, profile_id, created_at) values ($1, $2, $3, $4)",
                    former.bucket, former, profile, Town.at(0))
            }
            for time in 0..<Int.random(in: 0...2, using: &random) {
                let seconds = -Double(Int.random(in: 0..<20, using: &random) * 86_400 + time)
                let event = Town.event(
                    random.chance(50) ? "visit" : "buy", #"{"n": \#(number % 3)}"#, at: seconds,
                    by: random.chance(30) ? "former \(number)" : "p\(number)")
                try town.store(event)
            }
        }
    }

    /// A random condition, as it is written.
    private static func condition(_ depth: Int, _ random: inout SeededRandom) -> String {
        func pick(_ texts: [String]) -> String { texts.randomElement(using: &random) ?? "" }
        let attribute = pick(["attr.A", "attr.B", "attr.C", "attr.C.D", "attr.C.E", "attr.B.D"])
        let literal = pick([#""x""#, #""y""#, #""5""#, "5", "true", "0", #""""#])
        let comparison = pick(["==", "!=", "<", "<=", ">", ">="])
        let window = pick(["", ", \"10d\"", ", \"1d\"", ", n > 0", ", n == 1, \"10d\""])
        let activity = pick(["\"visit\"", "\"buy\"", "\"nothing\""])
        guard depth > 0 else {
            return pick([
                "\(attribute) \(comparison) \(literal)", "\(literal) \(comparison) \(attribute)",
                "exists(\(attribute))", attribute, #"\#(attribute) in ["x", "5"]"#,
                #"\#(attribute) in ["x", 5]"#,
                "\(attribute) contains \(literal)", "\(attribute) matches \"*x*\"", "5 in attr.A",
                "\(attribute) + 1 > 2", "\(attribute) == attr.B", "did(\(activity)\(window)) \(comparison) 1",
                "1 \(comparison) did(\(activity)\(window))", "did(\(activity)\(window)) \(comparison) 0",
                "did(\(activity)) > attr.C", "last(\(activity)).n \(comparison) 1",
                "exists(last(\(activity)).n)",
                "in_segment(\"fixed\")", "score.points.points > 5",
            ])
        }
        let (a, b) = (condition(depth - 1, &random), condition(depth - 1, &random))
        let c = condition(0, &random)
        return pick([
            "(\(a)) && (\(b))", "(\(a)) || (\(b))", "!(\(a))", "(\(c)) ? (\(a)) : (\(b))", a,
            "(\(a)) == (\(b))",
        ])
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func leavingOutByTheDatabaseChangesNobody(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let names = (0..<30).map { "s\($0)" }
        var lines = [
            #"fixed: {where: 'attr.A == "x" || did("buy", "10d") >= 1'}"#
        ]
        for name in names {
            let condition = Self.condition(Int.random(in: 0...3, using: &random), &random)
            lines.append("\(name): {where: '\(condition)'}")
        }
        let town = try Town(
            "none: {on: {did: nothing}, do: [{exit: x}]}",
            others: "segments:\n" + lines.map { "  \($0)" }.joined(separator: "\n")
                + "\nscores: {points: {window: 30d, rules: [{did: buy, points: 6}], bands: {hot: 5}}}")
        try Self.settle(town, &random)
        let rules = try RulesInForce.read(RulesInForce.Setting(Configuration()), town.connection)
        var (leftOut, members) = (0, 0)
        for (name, line) in zip(["fixed"] + names, lines) {
            func ask(_ coarsely: Bool) throws -> SegmentReading.Answer {
                try #require(
                    try SegmentReading.members(
                        of: name, with: rules, at: Town.at(1), most: 1000, coarsely: coarsely, town.connection
                    ))
            }
            let (coarse, exact) = (try ask(true), try ask(false))
            #expect(coarse.members == exact.members, "\(line)")
            #expect(exact.asked == Self.people)
            leftOut += exact.asked - coarse.asked
            members += exact.members.count
        }
        // It is worth something, and it is tested with something.
        #expect(leftOut > names.count * Self.people / 20, "\(leftOut) left out")
        #expect(members > names.count * Self.people / 20, "\(members) members")
    }

    @Test func whatCannotBeToldLeavesNobodyOut() throws {
        for (condition, coarse) in [
            (#"attr.A == "x""#, CoarseCondition.isOne(path: ["A"], of: ["x"])),
            (#"attr.A == "x" || attr.B > 5"#, .any([.isOne(path: ["A"], of: ["x"]), .has(path: ["B"])])),
            (#"attr.A in ["x", "y"] && !exists(attr.B)"#, .isOne(path: ["A"], of: ["x", "y"])),
            (#"did("buy") > 0 && attr.A == "x""#, .isOne(path: ["A"], of: ["x"])),
        ] {
            #expect(try Self.coarse(condition) == coarse, "\(condition)")
        }
        for condition in [
            #"attr.A == "x" || !exists(attr.B)"#, #"!(attr.A == "x") || attr.A.count() == 0"#,
            // Events are looked for by the evaluator: one look a profile either way.
            #"did("buy", "30d") >= 2"#, #"did("buy") > 0 && did("visit", "1d") == 0"#, #"last("buy").n == 1"#,
            #"did("buy") == 0"#, #"did("buy") >= 0"#, #"!in_segment("t")"#, "now() > 5",
        ] {
            #expect(try Self.coarse(condition) == nil, "\(condition)")
        }
    }

    private static func coarse(_ condition: String) throws -> CoarseCondition? {
        let folder = DefinitionFolder(texts: [
            ("f", "segments:\n  s: {where: '\(condition)'}\n  t: {where: 'attr.T == 1'}")
        ])
        try #require(folder.mistakes.isEmpty, "\(folder.mistakes)")
        return Engine(Rulebook(journeys: [], segments: folder.segments)).coarse("s")
    }
}
