import Foundations
import Testing

@testable import Activities

/// What is kept of values.
@Suite struct SummaryTests {
    @Test(arguments: [
        ("null", "null 1"), ("true", "boolean 1"), ("1", "integer 1"), ("-0", "integer 1"),
        ("1.0", "decimal 1"),
        ("1.5", "decimal 1"), ("1e2", "integer 1"), ("1.5e1", "integer 1"), ("1e-2", "decimal 1"),
        ("123456789012345678901234567890", "integer 1"), (#""x""#, "text 1"), (#""""#, "text 1"),
        (#""2026-01-31""#, "date 1"), (#""2026-02-30""#, "text 1"),
        (#""2026-01-31T10:00:00Z""#, "datetime 1"),
        (#""2026-01-31 10:00""#, "datetime 1"), (#""20260131""#, "text 1"), (#""1763791200""#, "text 1"),
        (#""0b8dd9a6-8c2a-4f5e-9d0e-0123456789ab""#, "uuid 1"), (#""https://example.org/""#, "url 1"),
        (#""http://x y/ and more""#, "text 1"), (#""a@example.org""#, "email 1"), ("{}", "object 1"),
        ("[]", "array 1"),
        (#""\u0032026-01-31""#, "date 1"),
    ])
    func aValueHasOneKind(_ json: String, _ wanted: String) {
        #expect(ActivitySummary("{\"x\":\(json)}")["x"]?.kindsText == wanted)
    }

    @Test func fourItemsInBothWays() throws {
        let objects = ActivitySummary(
            #"{"items":[{"name":"sofa","price":9990.91},{"name":"lamp","price":49.5},{"name":"rug","price":1},{"name":"bed"}]}"#
        )
        let price = try #require(objects["items[].price"])
        #expect(price.kindsText == "integer 1, decimal 2")
        #expect(
            price.numbers
                == NumberRange(min: "1", max: "9990.91", mean: "3347.136666666666666666666666666667"))
        #expect(price.values == 3)
        #expect(price.parents == 4)
        #expect(!price.isRequiredInParent)
        #expect(price.isRequired)
        #expect(objects["items[].name"]?.isRequiredInParent == true)
        #expect(objects["items"]?.arrayLength == 4...4)
        let parallel = ActivitySummary(
            #"{"name":["sofa","lamp"],"price":[9990.91,49.5],"tags":["a"],"x":[]}"#,
            #"{"name":["bed"],"price":[1],"tags":["a","b"],"x":[]}"#)
        #expect(parallel["name"]?.table == 1)
        #expect(parallel["price"]?.table == 1)
        #expect(parallel["tags"]?.table == nil)
        #expect(parallel["x"]?.kindsText == "array 2")
        #expect(parallel["name[]"]?.kindsText == "text 3")
    }

    @Test func arraysOfUnequalLengthsAreNoTable() {
        let summary = ActivitySummary(#"{"a":[1,2],"b":[1,2]}"#, #"{"a":[1,2,3],"b":[1,2]}"#)
        #expect(summary["a"]?.table == nil)
        // In each of an array's objects on their own.
        let inside = ActivitySummary(#"{"i":[{"a":[1],"b":[1]},{"a":[1,2],"b":[3,4]}]}"#)
        #expect(inside["i[].a"]?.table != nil)
        let crossed = ActivitySummary(#"{"i":[{"a":[1],"b":[1,2]},{"a":[1,2],"b":[3]}]}"#)
        #expect(crossed["i[].a"]?.table == nil)
    }

    @Test func mixedElementsAreCountedByKind() {
        let summary = ActivitySummary(#"{"x":[1,"a",null,[true],{"y":1},2.5,"b"]}"#)
        #expect(summary["x[]"]?.kindsText == "null 1, integer 1, decimal 1, text 2, object 1, array 1")
        #expect(summary["x[][]"]?.kindsText == "boolean 1")
        #expect(summary["x[].y"]?.kindsText == "integer 1")
    }

    @Test func sumsAreExact() {
        let tenths = ActivitySummary((1...10).map { Sighting(#"{"x":0.1}"#, $0) })
        #expect(tenths["x"]?.numbers == NumberRange(min: "0.1", max: "0.1", mean: "0.1"))
        let far = ActivitySummary(#"{"x":1e20}"#, #"{"x":1}"#, #"{"x":-1e20}"#, #"{"x":1}"#)
        #expect(
            far["x"]?.numbers
                == NumberRange(min: "-100000000000000000000", max: "100000000000000000000", mean: "0.5"))
        let huge = ActivitySummary(#"{"x":1e300}"#, #"{"x":-2e-300}"#)
        #expect(huge["x"]?.numbers == NumberRange(min: "-2e-300", max: "1e300", mean: nil))
    }

    @Test func theLastOfRepeatedNamesCounts() {
        let summary = ActivitySummary(#"{"x":"a","y":1,"\u0078":2,"o":{"z":1,"z":[1]}}"#)
        #expect(summary["x"]?.kindsText == "integer 1")
        #expect(summary["o.z"]?.kindsText == "array 1")
        #expect(summary.truncated == 0)
        let names = (0..<100).map { "\"n\($0 % 50)\":\($0 < 50 ? "null" : "1")" }
        let many = ActivitySummary("{" + names.joined(separator: ",") + "}")
        #expect(many.parameters.allSatisfy { $0.values == 1 && $0.kindsText == "integer 1" })
    }

    @Test func distinctValuesAreExactUpToAThousand() throws {
        let sightings = (1...5_000).map {
            Sighting("{\"x\":\($0 % 3_000),\"y\":\"v\($0 % 1_000)\",\"z\":\"\($0 % 7)\"}", $0)
        }
        let summary = ActivitySummary(sightings)
        #expect(summary["y"]?.distinct == DistinctCount(count: 1_000, isExact: true))
        let estimate = try #require(summary["x"]?.distinct)
        #expect(!estimate.isExact)
        #expect((2_600...3_400).contains(estimate.count))
        let few = try #require(summary["z"])
        #expect(few.frequent.map(\.count) == [715, 715, 714, 714, 714, 714, 714])
        #expect(few.frequent.allSatisfy { $0.isExact })
        #expect(summary["x"]?.frequent.count ?? 0 >= 64)
    }

    @Test func aFrequentValueAmongManyIsFound() throws {
        var dice = Dice(state: 3)
        let sightings = (1...3_000).map {
            Sighting("{\"x\":\"\(dice.one(in: 2) ? "often" : "v\($0)")\"}", $0)
        }
        let first = try #require(ActivitySummary(sightings)["x"]?.frequent.first)
        #expect(first.text == "often")
        #expect((900...2_100).contains(first.count))
    }

    @Test func presenceAndTheFirstEventAreKnown() throws {
        let summary = ActivitySummary([
            Sighting(#"{"a":1}"#, 1), Sighting(#"{"a":1,"b":1}"#, 3, source: "app", client: "ios/2"),
            Sighting(#"{"a":1,"b":1}"#, 2, source: "erp", client: "sap"), Sighting(#"{"a":1}"#, 4),
        ])
        let b = try #require(summary["b"])
        #expect(b.first == EventMark(key: b.first.key, source: "erp", client: "sap"))
        #expect(b.first.id.low == 2)
        #expect(b.last.id.low == 3)
        #expect(b.missing == 0.5)
        #expect(b.presence == .sometimes)
        #expect(summary["a"]?.presence == .required)
        #expect(Set(summary.sources.map(\.name)) == ["shop", "app", "erp"])
        #expect(summary.count == 4)
    }

    @Test func whateverIsKeptIsBounded() throws {
        var dice = Dice(state: 11)
        var summary = ActivitySummary()
        for number in 1...400 {
            let names = (0..<40).map { _ in
                let name = String((0..<8).map { _ in dice.pick(Array("abcdefghij")) })
                return "\"\(name)\":\"\(String(repeating: "v", count: dice.below(900)))\""
            }
            let source = "s\(dice.below(10_000))"
            summary.observe(
                Sighting("{" + names.joined(separator: ",") + "}", number, source: source, client: source))
        }
        #expect(summary.parameters.count == 500)
        #expect(summary.sources.count == 32)
        #expect(summary.truncated > 10_000)
        var buffer = ByteBuffer()
        summary.encode(to: &buffer)
        #expect(buffer.count < 400_000)
    }

    @Test func whatIsNoSummaryIsRefused() throws {
        var buffer = ByteBuffer()
        ActivitySummary(#"{"a":[1,{"b":"x"}]}"#).encode(to: &buffer)
        var limits = SummaryLimits(secret: (5, 6))
        limits.paths = 3
        #expect(throws: SummaryError.self) { try ActivitySummary(decoding: buffer.bytes, limits: limits) }
        for count in 0..<buffer.count {
            #expect(throws: SummaryError.self) {
                try ActivitySummary(decoding: buffer.bytes.slice(0..<count))
            }
        }
    }
}
