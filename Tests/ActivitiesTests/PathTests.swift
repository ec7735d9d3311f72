import Foundations
import Testing

@testable import Activities

/// Names may be anything; two of them never have one path.
@Suite struct PathTests {
    @Test(arguments: [
        (#"{"a":1}"#, ["a"]), (#"{"product":{"name":1}}"#, ["product", "product.name"]),
        (#"{"items":[{"price":1}]}"#, ["items", "items[]", "items[].price"]),
        (#"{"tags":["x"]}"#, ["tags", "tags[]"]),
        (#"{"m":[[1]]}"#, ["m", "m[]", "m[][]"]), (#"{"tags":[]}"#, ["tags"]), ("{}", []), ("null", []),
        (#"{"a.b":1}"#, [#""a.b""#]), (#"{"x[]":1}"#, [#""x[]""#]), (#"{"":1}"#, [#""""#]),
        (#"{"\"":1}"#, [#""\"""#]),
        (#"{"{*}":1}"#, [#""{*}""#]), (#"{"\\":1}"#, [#""\\""#]), (#"{" a":1}"#, [#"" a""#]),
        (#"{"\n":1}"#, [#""\u000a""#]), (#"{"\u202e":1}"#, [#""\u202e""#]), (#"{"😀":1}"#, ["😀"]),
        (#"{"constructor":1}"#, ["constructor"]), (#"{"select":1}"#, ["select"]), (#"{"a~b":1}"#, ["a~b"]),
        (#"{"prices":{"4711":1,"4712":2}}"#, ["prices", "prices.{*}"]),
        (#"{"prices":{"4711":{"net":1}}}"#, ["prices", "prices.{*}", "prices.{*}.net"]),
        (#"{"1":1}"#, ["{*}"]),
    ])
    func aPathIsWrittenLikeThis(_ text: String, _ paths: [String]) {
        let summary = ActivitySummary(text)
        #expect(summary.parameters.map(\.path.text) == paths)
        #expect(summary.truncated == 0)
    }

    @Test func differentNamesHaveDifferentPaths() {
        let names = [
            "a", "A", "é", "e\u{301}", "a.b", "\"a.b\"", "a\\\"", "", " ", "[]", "a[]", "{*}", "{}", "\u{0}",
            "\u{1}",
            "\\u0001", "~", "a~b", String(repeating: "x", count: 128), String(repeating: "x", count: 129),
            String(repeating: "x", count: 10_000), String(repeating: "x", count: 10_001), "Å", "\u{212b}",
            "null",
        ]
        var json: [String] = []
        for name in names {
            var buffer = ByteBuffer()
            appendEscaped(name, to: &buffer)
            json.append(buffer.bytes.text + ":{\"v\":1}")
        }
        // U+0000 is stored as U+FFFD; nothing else here is.
        let summary = ActivitySummary("{" + json.joined(separator: ",") + "}")
        let paths = Set(summary.parameters.map(\.path))
        #expect(paths.count == 2 * names.count)
        #expect(paths.allSatisfy { $0.text.utf8.count < 300 })
    }

    @Test(arguments: [
        "4711", "2026-01-31", "10:30", "0b8dd9a6-8c2a-4f5e-9d0e-0123456789ab", "5f3a9c1e", "sku-1029",
        "order_1234567",
        "SKU10294", "cus_NffrFeUfNV2Hib",
    ])
    func theseKeysAreIDs(_ key: String) {
        #expect(Array(key.utf8).withUnsafeBytes { IdentifierForm.isID($0) } != key.hasPrefix("cus_"))
    }

    @Test(arguments: [
        "price", "line1", "address2", "utm_source", "h1", "sha256", "iso3166", "base64", "face", "deadbeef",
        "x2y", "",
        "ga4_id", "field_7", "q3_2",
    ])
    func theseKeysAreNames(_ key: String) {
        #expect(!Array(key.utf8).withUnsafeBytes { IdentifierForm.isID($0) })
    }

    @Test func anObjectWithTooManyNamesIsAMap() throws {
        let words = (0..<65).map {
            "word\(Character(UnicodeScalar(97 + $0 / 26)!))\(Character(UnicodeScalar(97 + $0 % 26)!))"
        }
        let texts = words.enumerated().map { "{\"by\":{\"\($1)\":{\"n\":\($0)}}}" }
        let few = ActivitySummary(zip(texts.dropLast(), 1...).map { Sighting($0, $1) })
        #expect(few.parameters.count == 1 + 2 * 64)
        let many = ActivitySummary(zip(texts, 1...).map { Sighting($0, $1) })
        #expect(many.parameters.map(\.path.text) == ["by", "by.{*}", "by.{*}.n"])
        #expect(many["by.{*}.n"]?.numbers == NumberRange(min: "0", max: "64", mean: "32"))
        #expect(many["by.{*}"]?.events == 65)
        // That it is shown as a map is no change of its events.
        #expect(Drift.entries(before: few, after: many).map(\.change) == [])
    }

    @Test func whatIsBeyondTheLevelsAndThePathsIsCounted() {
        let deep = ActivitySummary(#"{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{"j":1}}}}}}}}}}"#)
        #expect(deep.parameters.map(\.path.text).last == "a.b.c.d.e.f.g.h")
        #expect(deep.truncated == 1)
        let wide = "{" + (0..<1_000).map { "\"n\($0 % 10)x\($0 / 10)\":[\($0)]" }.joined(separator: ",") + "}"
        let summary = ActivitySummary(wide)
        #expect(summary.parameters.count == 500)
        #expect(summary.truncated == 1_500)
        // A path never stays without its parents.
        let paths = Set(summary.parameters.map(\.path))
        #expect(summary.parameters.allSatisfy { $0.path.parent.map { paths.contains($0) } ?? true })
    }

    private func appendEscaped(_ name: String, to buffer: inout ByteBuffer) {
        buffer.append("\"")
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"", "\\": buffer.append("\\\(scalar)")
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                buffer.append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: buffer.append(String(scalar))
            }
        }
        buffer.append("\"")
    }
}
