import Foundations
import Testing

@testable import Activities

/// Whatever the order and the grouping: the summary of the parts is the summary of the whole.
@Suite struct MergeTests {
    /// Small limits, so that all of them are reached.
    static let tight: SummaryLimits = {
        var limits = SummaryLimits(secret: (1, 2))
        limits.paths = 12
        limits.levels = 4
        limits.exactDistinct = 9
        limits.sketch = 6
        limits.values = 4
        limits.samples = 3
        limits.text = 8
        limits.name = 20
        limits.sources = 3
        limits.recent = 10
        limits.missing = 4
        limits.names = 4
        return limits
    }()

    static func sightings(_ dice: inout Dice, _ count: Int) -> [Sighting] {
        var sightings: [Sighting] = []
        for number in dice.shuffledNumbers(count) {
            var sighting = Sighting(
                RandomProperties.text(&dice), number, source: "s\(dice.below(6))", client: "c\(dice.below(6))"
            )
            // Several events arrive at one moment.
            sighting.facts.receivedAt /= 3_000_000
            sightings.append(sighting)
        }
        return sightings
    }

    @Test(arguments: 0..<24) func theOrderOfEventsDoesNotMatter(_ seed: Int) {
        var dice = Dice(state: UInt64(seed))
        let limits = seed % 2 == 0 ? Self.tight : SummaryLimits()
        let sightings = Self.sightings(&dice, 1 + dice.below(40))
        let whole = ActivitySummary(sightings, limits: limits)
        let other = ActivitySummary(sightings.shuffled(using: &dice), limits: limits)
        #expect(difference(whole, other) == nil)
    }

    @Test(arguments: 0..<24) func anyGroupingMergesToTheWhole(_ seed: Int) throws {
        var dice = Dice(state: UInt64(seed + 1_000))
        let limits = seed % 2 == 0 ? Self.tight : SummaryLimits()
        let sightings = Self.sightings(&dice, 1 + dice.below(40))
        let whole = ActivitySummary(sightings, limits: limits)
        var parts = (0..<1 + dice.below(6)).map { _ in ActivitySummary(limits: limits) }
        for sighting in sightings { parts[dice.below(parts.count)].observe(sighting) }
        while parts.count > 1 {
            let one = parts.remove(at: dice.below(parts.count))
            let at = dice.below(parts.count)
            parts[at].merge(dice.one(in: 2) ? try one.rewritten() : one)
            // What was merged goes on learning.
            if dice.one(in: 3) { parts[at] = try parts[at].rewritten() }
        }
        #expect(difference(whole, parts[0]) == nil)
        #expect(difference(whole, try whole.rewritten()) == nil)
    }

    @Test func aMergedSummaryGoesOnLearning() {
        var dice = Dice(state: 5)
        let sightings = Self.sightings(&dice, 90)
        let whole = ActivitySummary(sightings, limits: Self.tight)
        var summary = ActivitySummary(Array(sightings[..<30]), limits: Self.tight)
        summary.merge(ActivitySummary(Array(sightings[30..<60]), limits: Self.tight))
        for sighting in sightings[60...] { summary.observe(sighting) }
        #expect(difference(summary, whole) == nil)
    }

    /// The catalogue can be learnt anew from the table `event`: jsonb has its own order and way of writing.
    @Test func whatJsonbMakesOfAnEventIsTheSameToASummary() {
        let sent =
            #"{"b":1e2,"a":{"y":[1.50,-0.0,12.5e-1],"x":1,"x":"\u0061"},"p":{"22":[1],"11":{"q":2}},"n":1E-3}"#
        let kept =
            #"{"a": {"x": "a", "y": [1.50, 0.0, 1.25]}, "b": 100, "n": 0.001, "p": {"11": {"q": 2}, "22": [1]}}"#
        #expect(difference(ActivitySummary(sent), ActivitySummary(kept)) == nil)
    }

    @Test func nothingIsTheNeutralSummary() {
        let one = ActivitySummary(#"{"a":1}"#)
        var (left, right) = (ActivitySummary(), one)
        left.merge(one)
        right.merge(ActivitySummary())
        #expect(left == one)
        #expect(right == one)
    }
}

/// The first thing that can be read and differs; nil: the two are equal.
func difference(_ one: ActivitySummary, _ other: ActivitySummary) -> String? {
    if one == other { return nil }
    for (a, b) in zip(one.described + [""], other.described + [""]) where a != b {
        let same = zip(a, b).prefix { $0 == $1 }.count
        return
            "\(a.prefix(60))…\(a.dropFirst(same).prefix(160)) | \(b.prefix(60))…\(b.dropFirst(same).prefix(160))"
    }
    return "the bytes"
}

extension Dice {
    mutating func shuffledNumbers(_ count: Int) -> [Int] { Array(1...count).shuffled(using: &self) }
}

extension ActivitySummary {
    /// All that can be read from it.
    var described: [String] {
        var lines = ["\(count) \(truncated) \(sources) \(clients) \(String(describing: rate))"]
        for parameter in parameters { lines.append("\(parameter)") }
        return lines
    }
}
