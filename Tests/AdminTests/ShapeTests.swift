import Foundations
import Testing

@testable import Admin

struct ShapeTests {
    private static let thing = Shape.object(
        "Thing", ["id": .id, "tags": .list(of: .text), "more": Shape.freeObject.orNull])

    @Test(arguments: [
        #"{"id":"00000000-0000-4000-8000-000000000000","tags":[],"more":null}"#,
        #"{"more":{"x":[1,null]},"tags":["a"],"id":"00000000-0000-4000-8000-000000000000"}"#,
    ])
    func whatFitsFits(text: String) throws {
        #expect(try Self.thing.misfit(JSONValue(parsing: text)) == nil)
    }

    @Test(arguments: [
        ("null", "", "type_error"), ("{}", "/id", "missing"),
        (#"{"id":"x","tags":[],"more":null}"#, "/id", "value_error"),
        (
            #"{"id":"00000000-0000-4000-8000-000000000000","tags":["a",1],"more":null}"#, "/tags/1",
            "type_error"
        ),
        (#"{"id":"00000000-0000-4000-8000-000000000000","tags":[],"more":[]}"#, "/more", "type_error"),
        (#"{"id":"00000000-0000-4000-8000-000000000000","tags":[],"x":1}"#, "", "unknown"),
    ])
    func whatDoesNotFitIsFound(text: String, pointer: String, kind: String) throws {
        let misfit = try #require(Self.thing.misfit(try JSONValue(parsing: text)))
        #expect(misfit.pointer == pointer)
        #expect(misfit.kind == kind)
    }

    @Test func aPointerEscapesWhatItMust() {
        let misfit = Misfit(kind: "x", path: ["a/b", 3, "~"], expected: "")
        #expect(misfit.pointer == "/a~1b/3/~0")
    }

    @Test func aShapeIsJSONSchema() {
        var components = Components()
        #expect(components.schema(of: Self.thing.orNull)["anyOf"] != nil)
        let schema = components.schemas.first?.value.encoded
        #expect(
            schema == """
                {"type":"object","properties":{"id":{"type":"string","format":"uuid"},\
                "tags":{"type":"array","items":{"type":"string"}},\
                "more":{"type":["object","null"],"additionalProperties":{}}},\
                "required":["id","tags","more"],"additionalProperties":false}
                """)
    }
}

struct JSONValueTests {
    @Test(
        arguments: [
            ([1, 2.5, nil, true, "a\"\n", [:], []], #"[1,2.5,null,true,"a\"\n",{},[]]"#),
            (["b": 1, "a": .json(#"{"x": 1}"#)], #"{"b":1,"a":{"x": 1}}"#),
            (.decimal(.infinity), "null"), (.decimal(1e300), "1e+300"),
        ] as [(JSONValue, String)])
    func valuesAreWritten(value: JSONValue, text: String) {
        #expect(value.encoded == text)
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (1_769_860_800_123_456, "2026-01-31T12:00:00.123456Z"),
            (-1, "1969-12-31T23:59:59.999999Z"), (253_402_300_800_000_000, "+010000-01-01T00:00:00Z"),
        ] as [(Int64, String)])
    func momentsAreRFC3339(microseconds: Int64, text: String) {
        #expect(Timestamp(microseconds: microseconds).rfc3339 == text)
    }
}

struct TokensTests {
    private func access(_ header: String?, _ read: String?, _ write: String?) -> Endpoint.Access? {
        var configuration = Configuration.Admin()
        (configuration.readToken, configuration.writeToken) = (read, write)
        guard let header else { return Tokens(configuration).access(of: nil) }
        return withBytes(header) { Tokens(configuration).access(of: $0) }
    }

    @Test(
        arguments: [
            ("Bearer the-token-to-read", Endpoint.Access.read), ("bearer  the-token-to-read ", .read),
            ("Bearer the-token-to-write", .write), ("Bearer the-token-to-writ", nil),
            ("Bearer the-token-to-write-", nil), ("Bearer ", nil), ("Bearer", nil), ("", nil), (nil, nil),
            ("Basic the-token-to-read", nil), ("the-token-to-read", nil),
        ] as [(String?, Endpoint.Access?)])
    func aTokenAllowsWhatItIsFor(header: String?, access: Endpoint.Access?) {
        #expect(self.access(header, "the-token-to-read", "the-token-to-write") == access)
    }

    @Test func withoutATokenNothingIsAllowed() {
        #expect(access("Bearer ", nil, nil) == nil)
        #expect(access("Bearer the-token-to-read", nil, "the-token-to-write") == nil)
        #expect(access("Bearer the-token-to-read", "the-token-to-read", nil) == .read)
    }
}
