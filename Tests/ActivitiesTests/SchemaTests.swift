import Foundations
import Payload
import Testing

@testable import Activities

/// The JSON Schema of an activity, and what does not fit a frozen one.
@Suite struct SchemaTests {
    @Test(arguments: [
        (["{}"], "{}"),
        ([#"{"a":1}"#, #"{"a":2}"#], #"{"a":{"type":"integer"}}!a"#),
        ([#"{"a":1}"#, #"{"a":2.5}"#, "{}"], #"{"a":{"type":"number"}}"#),
        ([#"{"a":1}"#, #"{"a":null}"#], #"{"a":{"type":["null","integer"]}}!a"#),
        ([#"{"a":"x","b":true}"#], #"{"a":{"type":"string"},"b":{"type":"boolean"}}!a,b"#),
        ([#"{"a":"2026-01-01"}"#], #"{"a":{"type":"string","format":"date"}}!a"#),
        ([#"{"a":[]}"#], #"{"a":{"type":"array"}}!a"#),
        ([#"{"a":[1,"x"]}"#], #"{"a":{"type":"array","items":{"type":["integer","string"]}}}!a"#),
        (
            [#"{"a.b\"":{"":1}}"#, #"{"a.b\"":{}}"#],
            #"{"a.b\"":{"type":"object","properties":{"":{"type":"integer"}}}}!a.b\""#
        ),
        (
            [#"{"i":[{"n":1,"p":2},{"n":1}]}"#],
            #"{"i":{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"},"p":{"type":"integer"}},"required":["n"]}}}!i"#
        ),
        (
            [#"{"p":{"11":1,"12":2.5}}"#],
            #"{"p":{"type":"object","additionalProperties":{"type":"number"}}}!p"#
        ),
    ])
    func theSchemaIsAsStrictAsTheEvents(_ texts: [String], _ wanted: String) {
        let summary = ActivitySummary(zip(texts, 1...).map { Sighting($0, $1) })
        // Written without what is the same everywhere.
        let parts = wanted.split(separator: "!", maxSplits: 1).map(String.init)
        var text = #"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object""#
        if parts[0] != "{}" { text += ",\"properties\":" + parts[0] }
        if parts.count > 1 {
            let names = parts[1].split(separator: ",").map { "\"\($0)\"" }
            text += ",\"required\":[" + names.joined(separator: ",") + "]"
        }
        text += #","additionalProperties":true}"#
        let others = #","additionalProperties":true"#
        #expect(JSONSchema.of(summary).replacing(others, with: "") == text.replacing(others, with: ""))
    }

    static let misfits: [(text: String, pointer: String, expected: String, found: String, nearest: String?)] =
        [
            (#"{"price":1}"#, "/items", "array", "nothing", nil),
            (#"{"price":"1","items":[]}"#, "/price", "integer", "string", nil),
            (#"{"price":1.5,"items":[]}"#, "/price", "integer", "number with a fraction", nil),
            (#"{"price":1,"items":[],"Price":2}"#, "/Price", "a known parameter", "an integer", "price"),
            (#"{"price":1,"items":[],"x/y~":{}}"#, "/x~1y~0", "a known parameter", "an object", nil),
            (#"{"price":1,"items":[{"name":"a"},{"name":1}]}"#, "/items/1/name", "string", "integer", nil),
            (#"{"price":1,"items":[{"nme":"a"}]}"#, "/items/0/nme", "a known parameter", "a string", "name"),
            (#"{"price":1,"items":{}}"#, "/items", "array", "object", nil),
            (#"{"price":1,"price":null,"items":[]}"#, "/price", "integer", "null", nil),
        ]

    let known = ActivitySummary(#"{"price":1,"items":[{"name":"a"}],"note":"x"}"#, #"{"price":1,"items":[]}"#)

    @Test(arguments: misfits) func whatDoesNotFitIsNamed(
        _ row: (text: String, pointer: String, expected: String, found: String, nearest: String?)
    ) throws {
        let wanted = Misfit(
            pointer: row.pointer, expected: row.expected, found: row.found, nearest: row.nearest)
        let schema = FrozenSchema(known)
        #expect(try scan(row.text) { schema.check($0) } == wanted)
        var buffer = ByteBuffer()
        schema.encode(to: &buffer)
        #expect(try scan(row.text) { try FrozenSchema(decoding: buffer.bytes).check($0) } == wanted)
    }

    @Test(arguments: [
        #"{"price":1,"items":[]}"#, #"{"items":[{"name":""}],"price":1.0,"note":""}"#,
        #"{"price":"x","price":1,"items":[]}"#, #"{"price":1e2,"items":[{"n\u0061me":""}]}"#,
    ])
    func whatIsLikeTheKnownFits(_ text: String) throws {
        let schema = FrozenSchema(known)
        #expect(try scan(text) { schema.check($0) } == nil)
    }

    @Test func extrasAreDroppedAndTheRestStaysAsItCame() throws {
        let schema = FrozenSchema(known)
        let trimmed = { (text: String) throws -> String? in
            try scan(text) { node in
                var buffer = ByteBuffer()
                return schema.dropExtras(of: node, to: &buffer) ? buffer.bytes.text : nil
            }
        }
        #expect(try trimmed(#"{"price":1,"items":[]}"#) == nil)
        #expect(
            try trimmed(
                #"{ "x":1, "price": 1.00e0, "y":[{}], "items" : [ {"name":"\u0061", "z":1} , {"name":"b" } ]}"#
            )
                == #"{"price":1.00e0,"items":[{"name":"\u0061"},{"name":"b" }]}"#)
        #expect(try trimmed(#"{"x":1}"#) == "{}")
    }

    @Test(arguments: 0..<30) func everyEventThatWasSeenFits(_ seed: Int) throws {
        var dice = Dice(state: UInt64(seed + 5_000))
        let limits = seed % 2 == 0 ? MergeTests.tight : SummaryLimits()
        let sightings = MergeTests.sightings(&dice, 1 + dice.below(30))
        let schema = FrozenSchema(ActivitySummary(sightings, limits: limits))
        for sighting in sightings {
            let misfit = try scan(sighting.json) { schema.check($0) }
            #expect(misfit == nil, "\(sighting.json)")
        }
    }

    @Test(arguments: 0..<20) func withoutExtrasNothingIsUnknown(_ seed: Int) throws {
        var dice = Dice(state: UInt64(seed + 9_000))
        let schema = FrozenSchema(ActivitySummary(MergeTests.sightings(&dice, 3)))
        for _ in 0..<10 {
            let text = RandomProperties.text(&dice)
            var buffer = ByteBuffer()
            guard try scan(text, { schema.dropExtras(of: $0, to: &buffer) }) else { continue }
            let rest = try scan(buffer.bytes.text) { schema.check($0) }
            #expect(rest?.expected != "a known parameter", "\(text) \(buffer.bytes.text)")
        }
    }
}

/// Runs a test on the root of a scanned text, which is gone afterwards.
func scan<T>(_ text: String, _ body: (JSONNode) throws -> T) throws -> T {
    var document = JSONDocument()
    return try Array(text.utf8).withUnsafeBytes { bytes in
        try document.parse(bytes)
        return try body(document.root)
    }
}
