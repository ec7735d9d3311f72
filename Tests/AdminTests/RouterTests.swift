import Foundations
import Testing

@testable import Admin

struct RouterTests {
    private static func endpoint(_ verb: Endpoint.Verb, _ path: String, _ name: String) -> Endpoint {
        Endpoint(
            verb: verb, path: path, name: name, tag: .operation, summary: "",
            parameters: [.path("key", .text(1...256), "", like: "a")], answer: .anything,
            work: .memory { _ in .null })
    }

    private let router = Router([
        endpoint(.get, "/admin/things", "list"),
        endpoint(.get, "/admin/things/{key}", "show"),
        endpoint(.delete, "/admin/things/{key}", "drop"),
        endpoint(.get, "/admin/things/groups", "groups"),
        endpoint(.post, "/admin/things/{key}/freeze", "freeze"),
    ])

    private func names(_ path: String) throws(Refusal) -> (names: [String], key: String?) {
        try withBytes(path) { bytes throws(Refusal) in
            let (route, found) = try router.find(bytes)
            return (route.endpoints.map(\.name), found["key"])
        }
    }

    @Test(
        arguments: [
            ("/admin/things", ["list"], nil),
            ("/admin/things/a", ["show", "drop"], "a"),
            ("/admin/things/groups", ["groups"], nil),
            ("/admin/things/gr%6Fups", ["groups"], nil),
            ("/admin/things/a%2Fb", ["show", "drop"], "a/b"),
            ("/admin/things/%F0%9F%9B%8B", ["show", "drop"], "🛋"),
            ("/admin/things/a+b", ["show", "drop"], "a+b"),
            ("/admin/things/%2e", ["show", "drop"], "."),
            ("/admin/things/100%", ["show", "drop"], "100%"),
            ("/admin/things/freeze/freeze", ["freeze"], "freeze"),
        ] as [(String, [String], String?)])
    func aPathNamesItsEndpoints(path: String, endpoints: [String], key: String?) throws {
        let found = try names(path)
        #expect(found.names == endpoints)
        #expect(found.key == key)
    }

    @Test(arguments: [
        "", "/", "/admin", "/admin/", "/admin/things/", "/admin//things", "/admin/things/a/", "/ADMIN/things",
        "/admin/things/a/b", "/admin/things//freeze", "*",
    ])
    func anythingElseIsNotThere(path: String) {
        #expect(throws: Refusal.notFound) { try names(path) }
    }

    @Test func allMethodsOfAPathAreListed() throws {
        try withBytes("/admin/things/a") { bytes throws(Refusal) in
            #expect(try router.find(bytes).route.allowed == "GET, HEAD, DELETE")
        }
    }
}

struct ArgumentTests {
    private let endpoint = Endpoint(
        verb: .get, path: "/admin/things/{id}", name: "things", tag: .operation, summary: "",
        parameters: [
            .path("id", .id, "", like: "x"), .limit,
            .query("name", .text(1...3), "", like: "x"), .query("open", .flag, "", like: true),
            .query("kind", .oneOf("a", "b"), "", like: "a"), .query("from", .moment, "", like: "x"),
            .after(.cursor("[0-9]{1,3}:[\\s\\S]{1,5}"), like: "1:a"),
        ], answer: .anything, work: .memory { _ in .null })
    private let id = "00000000-0000-4000-8000-00000000ABCD"

    private func read(_ query: String, id: String? = nil) throws(Refusal) -> [String: JSONValue] {
        try withBytes(query) { bytes throws(Refusal) in
            try endpoint.arguments(path: ["id": id ?? self.id], query: bytes)
        }
    }

    @Test func whatIsLeftOutHasItsDefault() throws {
        #expect(try read("") == ["id": .text(id), "limit": 50])
    }

    @Test(
        arguments: [
            ("limit=1", "limit", 1), ("limit=500", "limit", 500), ("limit=007", "limit", 7),
            ("&&limit=5&", "limit", 5), ("name=%C3%A9t%C3%A9", "name", "été"), ("name=a+b", "name", "a b"),
            ("name=%00", "name", "\u{fffd}"), ("open=true", "open", true), ("open=false", "open", false),
            ("kind=b", "kind", "b"), ("from=2026-01-31T12:00:00Z", "from", "2026-01-31T12:00:00Z"),
            ("from=2026-01-31t12:00:00.5%2B01:30", "from", "2026-01-31t12:00:00.5+01:30"),
            ("after=12:%0Aa", "after", "12:\na"), ("after=1:%F0%9F%9B%8B", "after", "1:🛋"),
        ] as [(String, String, JSONValue)])
    func aParameterIsWhatItsShapeSays(query: String, name: String, value: JSONValue) throws {
        #expect(try read(query)[name] == value)
    }

    @Test(arguments: [
        ("limit=0", "out_of_range"), ("limit=501", "out_of_range"), ("limit=-1", "out_of_range"),
        ("limit=99999999999999999999", "out_of_range"), ("limit=", "type_error"), ("limit", "type_error"),
        ("limit=ten", "type_error"), ("limit=1.0", "type_error"), ("limit=+1", "type_error"),
        ("limit=%D9%A1", "type_error"), ("limit=1&limit=1", "repeated"), ("name=", "blank"),
        ("name=abcd", "too_long"), ("open=yes", "type_error"), ("open=True", "type_error"),
        ("kind=c", "value_error"), ("kind=A", "value_error"), ("from=2026-01-31", "value_error"),
        ("from=1769860800", "value_error"), ("from=2026-02-30T12:00:00Z", "value_error"),
        ("from=2026-01-31T12:00:00", "value_error"), ("after=x", "value_error"),
        ("after=1234:a", "value_error"), ("Limit=5", "unknown"), ("id=x", "unknown"), ("=", "unknown"),
        ("x[]=1", "unknown"),
    ])
    func aWrongParameterIsRefused(query: String, kind: String) throws {
        let refusal = try #require(throws: Refusal.self) { try read(query) }
        #expect(refusal.status == 400)
        #expect(refusal.faults.map(\.misfit.kind) == [kind])
        #expect(Refusal.shape.misfit(try JSONValue(parsing: refusal.body.encoded)) == nil)
    }

    @Test func everythingThatIsWrongIsToldAtOnce() throws {
        let refusal = try #require(throws: Refusal.self) { try read("limit=x&y=1&kind=c", id: "5") }
        #expect(refusal.faults.map(\.place) == [.path, .query, .query, .query])
        #expect(!refusal.body.encoded.contains("y="))
    }
}

struct BodyTests {
    private let endpoint = Endpoint(
        verb: .post, path: "/admin/things", name: "replay", tag: .operation, summary: "",
        body: .some(1, of: ["reason": .oneOf("a", "b"), "source": .text(1...5)]), answer: .anything,
        work: .memory { _ in .null })

    private func read(_ body: String, _ type: String? = "application/json") throws(Refusal) -> JSONValue {
        try withBytes(body) { bytes throws(Refusal) in
            guard let type else { return try endpoint.readBody(bytes, contentType: nil) }
            return try withBytes(type) { type throws(Refusal) in
                try endpoint.readBody(bytes, contentType: type)
            }
        }
    }

    @Test func aRightBodyIsTaken() throws {
        #expect(try read(#"{"reason":"a"}"#) == ["reason": "a"])
        #expect(
            try read(#"{"so\u0075rce":"\ud83d\udecb"}"#, "Application/JSON; charset=utf-8") == ["source": "🛋"]
        )
    }

    @Test(arguments: [
        ("", 400), ("{", 400), ("null", 422), ("[]", 422), ("{}", 422), (#"{"reason":"c"}"#, 422),
        (#"{"reason":null}"#, 422), (#"{"source":5}"#, 422), (#"{"reason":"a","more":1}"#, 422),
        (#"{"source":"abcdef"}"#, 422),
    ])
    func aWrongOneIsRefused(body: String, status: Int) throws {
        let refusal = try #require(throws: Refusal.self) { try read(body) }
        #expect(refusal.status == status)
    }

    @Test func aBodyThatIsNestedDeeplyIsRefused() throws {
        let deep = String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)
        #expect(try #require(throws: Refusal.self) { try read(deep) }.status == 422)
    }

    @Test(arguments: [nil, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded"])
    func anotherTypeIsRefused(type: String?) {
        #expect(throws: Refusal.unsupportedType) { try read("{}", type) }
    }
}
