import ConfigurationFile
import Foundations
import Testing

@testable import Journeys

struct DefinitionTests {
    private func mistakes(_ journey: String, _ others: String = "") -> [String] {
        let lines = journey.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n")
        let text = "webhooks: {feed: {}}\n\(others)\njourneys:\n  j:\n\(lines)"
        return DefinitionFolder(texts: [("f", text)]).mistakes
    }

    private static let rest = "\ndo: [{webhook: feed}]"

    @Test(arguments: [
        (
            "on: {did: a}\nstat: live" + rest,
            #"f:6:5: unknown key "stat" in journeys.j (did you mean "state"?)"#
        ),
        (
            "on: {did: a}\nstate: alive" + rest,
            #"f:6:12: journeys.j.state is not known (expected draft or shadow or live or paused or draining, found "alive"; did you mean "live"?)"#
        ),
        ("on: {did: a}\ndo: [{webhook: fed}]", #"f:6:20: unknown webhook "fed" (did you mean "feed"?)"#),
        (
            "on: {segment: nobody, enters: true}" + rest,
            #"f:5:19: unknown segment "nobody" (expected one that is defined; there are none)"#
        ),
        (
            "on: {did: a}\nwho: 'in_segment(\"x\")'" + rest,
            #"f:6:22: unknown segment "x" (expected one that is defined; there are none)"#
        ),
        (
            "on: {did: a, where: 'price > > 3'}" + rest,
            #"f:5:34: journeys.j.on.where, character 9: ">" cannot stand here (expected a value)"#
        ),
        (
            "on: {did: a, all: []}" + rest,
            "f:5:9: journeys.j.on says did and all (expected one of did, all, seq, segment or score)"
        ),
        (
            "on: {seq: [{did: a}, {did: b}]}" + rest,
            "f:5:9: journeys.j.on has no within (expected how far apart the events may be)"
        ),
        ("on: {did: a, within: 1h}" + rest, "f:5:18: journeys.j.on.within has no meaning beside did"),
        (
            "on: {did: a}\nreentry: per_key" + rest,
            "f:6:14: reentry per_key without a key (expected key: and an expression beside it)"
        ),
        (
            "on: {did: a}\nunless: {did: b}" + rest,
            "f:6:13: journeys.j.unless has no within (expected how long to wait for it)"
        ),
        (
            "on: {did: a}\ncontrol: 10" + rest,
            "f:6:14: journeys.j.control is no share (expected a percentage such as 10% or 12.5%, from 0% to 100%, found 10)"
        ),
        (
            "on: {did: a}\nhours: {from: 9, to: '21:00'}" + rest,
            "f:6:19: journeys.j.hours.from is no time of day (expected hours and minutes from 00:00 to 24:00, found 9)"
        ),
        (
            "on: {did: a}\ndo: [{wait: 1d, webhook: feed}]",
            "f:6:10: journeys.j.do[0] does webhook and wait (expected one of webhook, wait, split, ab, set, exit)"
        ),
        (
            "on: {did: a}\ndo: [{wait: 1 day}]",
            #"f:6:17: journeys.j.do[0].wait is not a duration (expected a duration such as 500ms, 10s or 2h10m, found "1 day")"#
        ),
        (
            "on: {did: a}\ndo: [{webhook: feed, params: {a: '{entry.}'}}]",
            #"f:6:46: journeys.j.do[0].params.a, character 8: the end cannot stand here (expected a name behind the point)"#
        ),
        (
            "on: {did: a}\ndo: [{ab: [{share: 60%, do: [{exit: x}]}, {share: 50%, do: [{exit: y}]}]}]",
            "f:6:11: journeys.j.do[0].ab has 110% in all (expected at most 100%)"
        ),
        ("on: {did: a}\ndo: []", "f:6:9: journeys.j.do is empty (expected at least one step)"),
        (
            "on: {did: a}\ndo: [{ab: []}]",
            "f:6:15: journeys.j.do[0].ab is empty (expected at least one branch)"
        ),
        (
            "on: {did: a}\ndo: [{split: []}]",
            "f:6:18: journeys.j.do[0].split is empty (expected at least one branch)"
        ),
        (
            "on: {did: a}\ndo: [{split: x}]",
            #"f:6:18: journeys.j.do[0].split is no list of branches (expected a list, found "x")"#
        ),
        (
            "do: [{exit: x}]",
            "f:5:5: journeys.j has no on (expected what starts it, such as on: {did: Add to cart})"
        ),
    ])
    func aMistakeSaysWhere(journey: String, message: String) {
        let found = mistakes(journey)
        #expect(found.contains(message), "\(found)")
    }

    /// What is wrong with one key hides nothing of the others.
    @Test(arguments: [
        ("cap: {max: 0, per: 1 day}", ["cap.max", "cap.per"]),
        ("goal: {did: '', within: x, lookback: y}", ["goal.did", "goal.within", "goal.lookback"]),
        ("exit: {did: '', where: '1 +'}", ["exit.did", "exit.where"]),
    ])
    func allMistakesOfAPartComeAtOnce(part: String, keys: [String]) {
        let found = mistakes("on: {did: a}\n\(part)" + Self.rest)
        for key in keys { #expect(found.contains { $0.contains("journeys.j.\(key)") }, "\(key) in \(found)") }
    }

    @Test(arguments: [
        ("{wait: 1 day, until: {did: ''}, then: x}", ["wait", "until.did", "then"]),
        ("{webhook: '', params: {a: '{1 +}'}}", ["webhook", "params.a"]),
    ])
    func allMistakesOfAStepComeAtOnce(step: String, keys: [String]) {
        let found = mistakes("on: {did: a}\ndo: [\(step)]")
        for key in keys { #expect(found.contains { $0.contains("do[0].\(key)") }, "\(key) in \(found)") }
    }

    @Test func allMistakesOfAScenarioComeAtOnce() {
        let text =
            "scenarios: {s: {journey: j, events: [{at: x, did: '', with: 1}], expect: [{webhook: '', at: y}]}}"
        let found = mistakes("on: {did: a}" + Self.rest, text)
        for part in [
            "events[0].at", "events[0].did", "this is not a mapping", "expect[0].webhook", "expect[0].at",
        ] {
            #expect(found.contains { $0.contains(part) }, "\(part) in \(found)")
        }
    }

    @Test func aSegmentThatAsksForItselfIsShownWhereItDoes() {
        let text = """
            segments:
              a: {where: 'attr.X > 1 && in_segment("b")'}
              b: {where: 'score.c.band == "s"'}
              d: {where: 'in_segment("a")'}
            scores:
              c:
                window: 1d
                rules:
                  - {did: x, points: 1}
                  - {who: 'in_segment("a")', points: 1}
                bands: {s: 1}
            """
        #expect(
            DefinitionFolder(texts: [("f", text)]).mistakes == [
                "f:2:40: segment a depends on itself", "f:3:21: segment b depends on itself",
                "f:10:27: score c depends on itself",
            ])
    }

    @Test func allMistakesOfAllFilesComeAtOnce() {
        let folder = DefinitionFolder(texts: [
            ("a", "panel: acme\njourneys: {x: {on: {did: a}, do: [{webhook: w}]}}\nnonsense: 1"),
            (
                "b",
                "panel: other\njourneys: {x: {on: {did: a}, do: [{exit: y}]}}\nscenarios: {s: {journey: z, events: [], expect: []}}"
            ),
            (
                "c",
                "segments: {p: {where: 'in_segment(\"q\")'}, q: {where: 'in_segment(\"p\")'}}\nscores: {s: {window: 1d, rules: [{did: a, points: x}], bands: {hot: 1}}}"
            ),
            ("d", "journeys: ["),
        ])
        let found = folder.mistakes
        for part in [
            "a:2:", "unknown webhook \"w\"", "a:3:1: unknown key \"nonsense\"",
            "b:1:1: panel is another one in a:1", "b:2:12: journey \"x\" is there already, in a:2",
            "b:3:", "unknown journey \"z\"", "depends on itself", "scores.s.rules[0].points is no number",
            "d:", "not YAML",
        ] { #expect(found.contains { $0.contains(part) }, "\(part) in \(found)") }
    }

    @Test func aSettingThatTheConfigurationGivesAnotherValueIsAMistake() {
        func mistakes(_ text: String, with configuration: String) -> [String] {
            let folder = DefinitionFolder(texts: [("a", "segments: {}"), ("f", text)])
            folder.compare(with: PanelSettings(text: configuration), of: "waymark.yaml")
            return folder.mistakes
        }
        let text = "segments: {}\npanel: acme\ntimezone: Asia/Kolkata\nprimary_key: mobile"
        #expect(mistakes(text, with: "data: x") == [])
        #expect(mistakes(text, with: "panel: acme\ntimezone: Asia/Kolkata") == [])
        #expect(
            mistakes(text, with: "panel: other\ntimezone: UTC\nprimary_key: mobile") == [
                #"f:2:1: panel is another one in waymark.yaml (expected "other", found "acme")"#,
                #"f:3:1: timezone is another one in waymark.yaml (expected "UTC", found "Asia/Kolkata")"#,
            ])
        #expect(mistakes("segments: {}", with: "panel: other") == [])
    }

    @Test func whatWasNeverSeenIsAWarningWithTheNearestName() {
        let folder = DefinitionFolder(texts: [
            (
                "f",
                "webhooks: {feed: {attributes: [NAMEE, TIER]}}\njourneys: {j: {on: {did: Add to kart, where: 'prise > 1'}, who: 'attr.TEIR == 1 && did(\"check-uot\") + did(\"check-out\", totl > 1 && items.any(x == 1)) > 0', do: [{webhook: feed}]}}"
            )
        ])
        #expect(folder.mistakes == [])
        folder.compare(
            with: Vocabulary(
                activities: ["add-to-cart": ["price"], "check-out": ["total", "items"]],
                attributes: ["NAME", "TIER"])
        )
        #expect(
            folder.warnings.contains {
                $0.contains("\"add-to-kart\" was seen yet (did you mean \"add-to-cart\"?)")
            }, "\(folder.warnings)")
        #expect(folder.warnings.contains { $0.contains("\"TEIR\" yet (did you mean \"TIER\"?)") })
        #expect(
            folder.warnings.contains {
                $0.contains("check-out had the property \"totl\" yet (did you mean \"total\"?)")
            }, "\(folder.warnings)")
        #expect(
            folder.warnings.contains {
                $0.contains("f:1:") && $0.contains("\"NAMEE\" yet (did you mean \"NAME\"?)")
            }, "\(folder.warnings)")
        #expect(folder.attributes == ["NAMEE", "TEIR", "TIER"])
        #expect(!folder.warnings.contains { $0.contains("\"x\"") })
        #expect(
            folder.warnings.contains {
                $0.contains("f:2:")
                    && $0.contains("\"check-uot\" was seen yet (did you mean \"check-out\"?)")
            }, "\(folder.warnings)")
    }

    @Test func wordsThatOtherYAMLTakesForFlagsAreTexts() throws {
        let folder = DefinitionFolder(texts: [
            (
                "f",
                "webhooks: {feed: {}}\njourneys: {j: {on: {did: on}, hours: {from: 09:00, to: 21:00}, do: [{webhook: feed, params: {a: no, b: 1.50, c: yes}}]}}"
            )
        ])
        #expect(folder.mistakes == [])
        let journey = try #require(folder.journeys.first)
        #expect(journey.hours?.from == 9 * 3600)
        guard case .webhook(_, let params) = journey.steps[0] else { return }
        #expect(params.map(\.template.source) == ["no", "1.50", "yes"])
    }

    @Test func theVersionIsThatOfTheMeaning() throws {
        func version(_ text: String) throws -> String { try VersionTests.journey(text).version }
        let one = try version(
            "on: {did: Add to Cart}\nstart_within: 1d\nunless: {did: b, within: 90m}\ndo: [{wait: 60s}]")
        #expect(
            try version(
                "state: paused\ndo: [{wait: 1m}]\nunless: {within: 1h30m, did: b}\non: {did: add-to-cart}")
                == one)
        #expect(try version("on: {did: Add to Cart}\nunless: {did: b, within: 91m}\ndo: [{wait: 1m}]") != one)
    }
}
