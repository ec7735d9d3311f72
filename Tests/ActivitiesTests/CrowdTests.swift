import Foundations
import Testing

@testable import Activities

/// Where there are more names than are kept: who stays, and that it depends on nothing but what was sent.
@Suite struct CrowdTests {
    private static let letters = Array("abcdefghijklmnopqrstuvwxyz")

    /// Of letters only, so that nobody takes it for an id.
    private static func word(_ number: Int) -> String {
        String((0..<4).map { letters[number / [1, 26, 676, 17_576][$0] % 26] })
    }

    private static func object(_ names: Range<Int>, _ value: String = "3") -> String {
        "{" + names.map { "\"\(word($0))\":\(value)" }.joined(separator: ",") + "}"
    }

    private static let own = (0..<22).map { "\"field_\(word($0))\":1" }.joined(separator: ",")

    @Test func anObjectOfThousandsOfNamesTakesOnlyWhatTheOthersLeave() throws {
        let summary = ActivitySummary(
            (0..<500).map { i in
                Sighting(
                    """
                    {\(Self.own),"items":[{"sku":"a","price":{"net":1}}],"stock":\(Self.object(i * 10..<i * 10 + 10))}
                    """, i + 1)
            })
        let paths = summary.parameters.map(\.path.text)
        #expect(paths.count == 22 + 5 + 2)
        #expect(summary.parameters.allSatisfy { $0.events == 500 && $0.isRequired })
        #expect(paths.contains("items[].price.net") && paths.contains("stock.{*}"))
        #expect(summary.paths.nodes.count <= 500)
    }

    /// Also where the objects in it have names of their own.
    @Test func severalCrowdsShareTheRoom() throws {
        let summary = ActivitySummary(
            (0..<300).map { i in
                let names = i * 10..<i * 10 + 10
                return Sighting(
                    """
                    {"total":1,"a":\(Self.object(names)),"b":{"c":\(Self.object(names))},
                     "by":\(Self.object(names, #"{"net":1,"gross":[2]}"#))}
                    """, i + 1)
            })
        #expect(
            summary.parameters.map(\.path.text) == [
                "a", "a.{*}", "b", "b.c", "b.c.{*}", "by", "by.{*}", "by.{*}.gross", "by.{*}.gross[]",
                "by.{*}.net", "total",
            ])
        #expect(summary["total"]?.isRequired == true)
        #expect(summary.paths.nodes.count <= 500)
    }

    @Test func nestedNamesNeverDriveOutThoseOfTheProperties() {
        var summary = ActivitySummary(
            (0..<400).map { Sighting("{\"\(Self.word($0))\":\(Self.object(0..<50))}", $0 + 1) })
        summary.merge(ActivitySummary([Sighting("{\"x\":\(Self.object(0..<5_000))}", 500)]))
        #expect(summary.parameters.count { $0.path.parent == nil } == 401)
    }

    /// Random events that reach the limits in every way, and in any order.
    @Test(arguments: 0..<16) func whoStaysDoesNotDependOnTheOrder(_ seed: Int) throws {
        var dice = Dice(state: UInt64(seed + 77))
        var limits = SummaryLimits(secret: (3, UInt64(seed)))
        limits.paths = [1, 6, 12, 30, 60][dice.below(5)]
        limits.names = 1 + dice.below(12)
        limits.levels = 2 + dice.below(5)
        func value(_ depth: Int) -> String {
            switch dice.below(depth > 4 ? 1 : 5) {
            case 0: return "\(dice.below(9))"
            case 1:
                return "[" + (0..<dice.below(3)).map { _ in value(depth + 1) }.joined(separator: ",") + "]"
            default:
                let most = [3, 3, 12, 40][dice.below(4)]
                let names = (0..<dice.below(most)).map { _ in
                    "\"\(dice.one(in: 9) ? "4711" : Self.word(dice.below(most * 3)))\":\(value(depth + 1))"
                }
                return "{" + names.joined(separator: ",") + "}"
            }
        }
        let sightings = (1...30).map { number in
            Sighting(
                "{"
                    + (0..<dice.below(6)).map { _ in "\"\(Self.word(dice.below(30)))\":\(value(1))" }
                    .joined(separator: ",") + "}", number)
        }
        let whole = ActivitySummary(sightings, limits: limits)
        #expect(whole.paths.nodes.count <= limits.paths)
        for _ in 0..<4 {
            let shuffled = sightings.shuffled(using: &dice)
            #expect(difference(ActivitySummary(shuffled, limits: limits), whole) == nil)
            var parts = (0..<1 + dice.below(4)).map { _ in ActivitySummary(limits: limits) }
            for sighting in shuffled { parts[dice.below(parts.count)].observe(sighting) }
            var merged = ActivitySummary(limits: limits)
            for part in parts { merged.merge(dice.one(in: 2) ? try part.rewritten() : part) }
            #expect(difference(merged, whole) == nil)
        }
    }

    /// A summary as it was written before paths were in groups.
    @Test func whatWasWrittenWithoutGroupsIsRead() throws {
        let summary = ActivitySummary(
            #"{"a":1,"items":[{"sku":"x","tags":["y"]}],"by":{"4711":{"n":{"m":null}}},"p":{"q":{"r":{"s":1}}}}"#
        )
        var written = ByteBuffer()
        summary.encode(to: &written)
        var nodes: [UInt8] = []
        var length = 0
        for node in summary.paths.nodes.sorted(by: PathNode.precedes) {
            var bytes = ByteBuffer()
            node.encode(to: &bytes, mask: node.mask(at: summary.recent.moves, summary.limits), [:])
            // Hash and rank, then the group; the rank was another one.
            nodes += Array(bytes.bytes.slice(0..<8)) + [UInt8](repeating: 7, count: 8)
            nodes += Array(bytes.bytes.slice(24..<bytes.count))
            length += bytes.count
        }
        var quota = ByteBuffer()
        var count = ByteBuffer()
        quota.append(varint: summary.limits.paths)
        count.append(varint: summary.paths.nodes.count)
        let head = written.bytes.slice(1..<written.count - length - quota.count - count.count)
        let old = [1] + Array(head) + Array(count.bytes) + nodes
        let read = try old.withUnsafeBytes { bytes in try ActivitySummary(decoding: bytes) }
        #expect(read == summary)
    }

    @Test func whatIsOpenInAFrozenActivityIsTold() {
        let names = (1...20).map {
            Sighting("{\"total\":1,\"by\":[{\"x\":\(Self.object(0..<$0 * 90))}]}", $0)
        }
        let schema = FrozenSchema(ActivitySummary(names))
        #expect(schema.open == ["by[].x"])
        #expect(FrozenSchema(ActivitySummary(#"{"a":{"b":1}}"#)).open == [])
        let crowd = ActivitySummary([Sighting(Self.object(0..<600))])
        #expect(FrozenSchema(crowd).shape.others.isUnknown)
    }
}
