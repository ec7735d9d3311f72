import Foundations
import Testing

@testable import Activities

/// What the history of an activity says.
@Suite struct DriftTests {
    /// `change path (from > to, nearest) event-number source client`
    func line(_ entry: DriftEntry) -> String {
        var text = entry.change.rawValue
        if let path = entry.path { text += " \(path)" }
        if let from = entry.from, let to = entry.to { text += " \(from.name) > \(to.name)" }
        if let nearest = entry.nearest { text += " ~ \(nearest)" }
        return text + " @\(entry.event.id.low) \(entry.event.source) \(entry.event.client)"
    }

    func lines(_ before: ActivitySummary?, _ after: ActivitySummary) -> [String] {
        Drift.entries(before: before, after: after).map(line)
    }

    static let changes: [(first: String, then: String, wanted: [String])] = [
        (#"{"a":1}"#, #"{"a":2}"#, []),
        (#"{"a":1}"#, #"{"a":1,"b":2}"#, ["appeared b"]),
        (#"{"a":1}"#, #"{"a":1.5}"#, ["widened a integer > decimal"]),
        (#"{"a":1.5}"#, #"{"a":1}"#, []),
        (#"{"a":1.5}"#, #"{"a":"1.5"}"#, ["conflict a decimal > text"]),
        (#"{"a":"x"}"#, #"{"a":"2026-01-01"}"#, []),
        (#"{"a":null}"#, #"{"a":1}"#, []),
        (#"{"a":1}"#, #"{"a":null}"#, []),
        (#"{"a":true}"#, #"{"a":"true"}"#, ["conflict a boolean > text"]),
        (#"{"a":[1]}"#, #"{"a":1}"#, ["array-became-scalar a array > integer"]),
        (#"{"a":1}"#, #"{"a":[1]}"#, ["scalar-became-array a integer > array"]),
        (#"{"a":{"b":1}}"#, #"{"a":1}"#, ["conflict a object > integer"]),
        (#"{"price":1}"#, #"{"price":1,"Price":1}"#, ["similar-name Price ~ price"]),
        (#"{"price":1}"#, #"{"prise":1}"#, ["similar-name prise ~ price"]),
        (#"{"price":1}"#, #"{"pirce":1}"#, ["similar-name pirce ~ price"]),
        (#"{"price":1}"#, #"{"prices":1}"#, ["similar-name prices ~ price"]),
        (#"{"line1":1}"#, #"{"line2":1}"#, ["appeared line2"]),
        (#"{"product_name":1}"#, #"{"productName":1}"#, ["similar-name productName ~ product_name"]),
        (#"{"a":1}"#, #"{"product":{"name":1,"x":[{"y":1}]}}"#, ["appeared product"]),
        (
            #"{"items":[{"price":1}]}"#, #"{"items":[{"price":1},{"Price":2.5}]}"#,
            ["similar-name items[].Price ~ items[].price"]
        ),
        (#"{"items":[]}"#, #"{"items":[1]}"#, ["appeared items[]"]),
        (#"{"prices":{"11":1}}"#, #"{"prices":{"12":1}}"#, []),
    ]

    @Test(arguments: changes) func eachChangeIsAnEntry(
        _ change: (first: String, then: String, wanted: [String])
    ) {
        let before = ActivitySummary([Sighting(change.first, 1)])
        var after = before
        after.observe(Sighting(change.then, 2, source: "app", client: "ios/2"))
        #expect(Set(lines(before, after)) == Set(change.wanted.map { $0 + " @2 app ios/2" }))
        // Learnt at once, it is the same history.
        #expect(lines(nil, after) == ["activity-appeared @1 shop web/1.0"] + lines(before, after))
        #expect(lines(after, after).isEmpty)
    }

    @Test func theFirstEventIsOneEntry() {
        let summary = ActivitySummary(#"{"a":1,"b":{"c":[1,"x",null]}}"#)
        #expect(lines(nil, summary) == ["activity-appeared @1 shop web/1.0"])
        #expect(lines(nil, ActivitySummary()).isEmpty)
    }

    @Test(arguments: 0..<20) func inHowManyPortionsItWasLearntDoesNotMatter(_ seed: Int) {
        var dice = Dice(state: UInt64(seed + 300))
        let all = (1...9).map { Sighting(RandomProperties.text(&dice), $0) }
        var known: ActivitySummary?
        var found: [String] = []
        var start = 0
        while start < all.count {
            let end = min(start + 1 + dice.below(4), all.count)
            var summary = known ?? ActivitySummary()
            summary.merge(ActivitySummary(Array(all[start..<end])))
            found += lines(known, summary)
            (known, start) = (summary, end)
        }
        // Which names make a map of an object is known only at the end.
        let whole = ActivitySummary(all)
        let parameters = whole.parameters
        guard parameters.count < 500, !parameters.contains(where: { $0.node.isCollapsed }) else { return }
        #expect(found.sorted() == lines(nil, whole).sorted())
    }

    func events(_ ranges: [(String, Int)]) -> [Sighting] {
        var number = 0
        return ranges.flatMap { json, count in
            (0..<count).map { _ in
                number += 1
                return Sighting(json, number)
            }
        }
    }

    @Test func whatWasAlwaysThereVanishesOnceAndComesBack() {
        let (with, without) = (#"{"a":1,"b":{"c":1}}"#, #"{"a":1}"#)
        let all = events([(with, 150), (without, 250), (with, 1), (without, 120), (with, 5)])
        var known: ActivitySummary?
        var found: [String] = []
        for portion in stride(from: 0, to: all.count, by: 25) {
            var summary = known ?? ActivitySummary()
            summary.merge(ActivitySummary(Array(all[portion..<min(portion + 25, all.count)])))
            let entries = Drift.entries(before: known, after: summary)
            summary.acknowledge(entries)
            known = summary
            found += entries.map(line)
        }
        #expect(
            found == [
                "activity-appeared @1 shop web/1.0", "vanished b @151 shop web/1.0",
                "came-back b @401 shop web/1.0",
            ])
        #expect(known?["b"]?.vanished == nil)
    }

    @Test func whatComesAndGoesDoesNotVanish() {
        let all = events([(#"{"a":1}"#, 40), (#"{"a":1,"b":1}"#, 1), (#"{"a":1}"#, 180)])
        #expect(
            lines(nil, ActivitySummary(all)) == [
                "activity-appeared @1 shop web/1.0", "appeared b @41 shop web/1.0",
            ])
    }

    @Test func aParameterThatCameLaterVanishesAsWell() {
        let all = events([(#"{"a":1}"#, 40), (#"{"a":1,"b":1}"#, 30), (#"{"a":1}"#, 100)])
        #expect(lines(nil, ActivitySummary(all)).last == "vanished b @71 shop web/1.0")
        #expect(lines(nil, ActivitySummary(Array(all.dropLast()))).count == 2)
    }

    @Test func aSummaryThatIsReadAgainKnowsWhatVanished() throws {
        var summary = ActivitySummary(events([(#"{"a":1,"b":1}"#, 30), (#"{"a":1}"#, 100)]))
        let entries = Drift.entries(before: nil, after: summary)
        summary.acknowledge(entries)
        summary = try summary.rewritten()
        #expect(summary["b"]?.vanished?.id.low == 31)
        #expect(lines(summary, summary).isEmpty)
        var back = summary
        back.observe(Sighting(#"{"a":1,"b":1}"#, 900, source: "app"))
        #expect(lines(summary, back) == ["came-back b @900 app web/1.0"])
    }
}
