import Foundations
import Payload
import Testing

@testable import Intake

@Test(
    arguments: [
        (nil, "json"), ("", "json"), ("application/json", "json"),
        ("application/json; charset=latin1", "json"),
        ("APPLICATION/JSON;x", "json"), ("application/vnd.api+json", "json"), ("text/plain", "json"),
        ("text/plain;charset=UTF-8", "json"), ("application/x-www-form-urlencoded", "form"),
        ("application/jsonp", "unsupported"), ("application/+json", "unsupported"),
        ("text/html", "unsupported"),
        ("multipart/form-data; boundary=x", "unsupported"), ("json", "unsupported"),
    ] as [(String?, String)])
func aContentTypeIsUnderstood(header: String?, expected: String) {
    withBytes(header ?? "") { #expect("\(ContentType(header == nil ? nil : $0))" == expected) }
}

@Test(
    arguments: [
        (nil, "identity"), ("", "identity"), ("identity", "identity"), ("gzip", "gzip"), ("GZip", "gzip"),
        ("x-gzip", "gzip"), (" deflate ", "deflate"), ("br", "unsupported"), ("gzip, gzip", "unsupported"),
        ("zstd", "unsupported"),
    ] as [(String?, String)])
func aContentEncodingIsUnderstood(header: String?, expected: String) {
    withBytes(header ?? "") {
        switch ContentEncoding(header == nil ? nil : $0) {
        case .identity: #expect(expected == "identity")
        case .packed(let coding): #expect(expected == "\(coding)")
        case .unsupported: #expect(expected == "unsupported")
        }
    }
}

@Test(arguments: [
    ("a", "a", true), ("a", "b", false), ("", "", true), ("", "a", false), ("*", "", true),
    ("*", "anything", true),
    ("a*", "abc", true), ("a*", "ba", false), ("*a", "cba", true), ("*a", "ab", false),
    ("a*c", "abbbc", true),
    ("a*c", "abcd", false), ("*b*", "abc", true), ("*b*b*", "abcb", true), ("*b*b*", "abc", false),
    ("a**c", "ac", true), ("page-*", "page-", true), ("*ab", "aab", true), ("*a*b*c", "xaxbxbxc", true),
])
func aPatternMatches(pattern: String, text: String, expected: Bool) {
    withBytes(text) { #expect(Pattern(pattern).matches($0) == expected) }
}

@Test func aHostilePatternCostsLittle() {
    let pattern = Pattern(String(repeating: "*a", count: 100) + "b")
    withBytes(String(repeating: "a", count: 10_000)) { #expect(!pattern.matches($0)) }
}

@Test(arguments: [
    ([String](), "https://any.example", true), ([], "null", true),
    (["https://a.example"], "https://a.example", true),
    (["https://A.example"], "https://a.example", true),
    (["https://a.example"], "https://a.example:8443", false),
    (["https://a.example"], "http://a.example", false),
    (["https://*.a.example"], "https://b.a.example", true),
    (["https://*.a.example"], "https://a.example", false),
    (["https://*.a.example"], "https://ba.example", false),
    (["https://*.a.example"], "https://b.a.example.evil", false), (["*"], "null", true),
    ([], "https://a\r\nX-Evil: 1", false), ([], "", false), ([], "https://é", false),
])
func anOriginIsAllowedBySource(origins: [String], origin: String, isAllowed: Bool) {
    var source = Source(id: "a", kinds: [.web])
    source.origins = origins
    let table = SourceTable([source], recent: RecentIDs())
    withBytes(origin) {
        #expect(table[0].allows(origin: $0) == isAllowed)
        #expect(table.someWebSourceAllows(origin: $0) == isAllowed)
    }
    #expect(table[0].allows(origin: nil), "what has no origin is no page")
}

@Test func onlyEnabledWebSourcesVouchForAnOrigin() {
    var closed = Source(id: "a", kinds: [.web])
    closed.enabled = false
    let table = SourceTable([closed, Source(id: "b", kinds: [.backend])], recent: RecentIDs())
    withBytes("https://a.example") { #expect(!table.someWebSourceAllows(origin: $0)) }
}

@Test func aSourceIsFoundAmongMany() {
    let table = SourceTable((0..<1000).map { Source(id: "s\($0)", kinds: [.web]) }, recent: RecentIDs())
    for i in stride(from: 0, to: 1000, by: 37) {
        withBytes("s\(i)") { #expect(table.find($0)?.index == i) }
    }
    withBytes("s1000") { #expect(table.find($0) == nil) }
    withBytes("") { #expect(table.find($0) == nil) }
}

@Test func anOriginThatIsNotAllowedIsA401() {
    let desk = Desk([.web]) { $0.origins = ["https://shop.example"] }
    let body = #"{"source":{"id":"shop"}}"#
    withBytes("https://shop.example") { origin in
        #expect(desk.track(body) { $0.origin = origin }.status == 200)
    }
    withBytes("https://evil.example") { origin in
        #expect(desk.track(body) { $0.origin = origin }.status == 401)
    }
    #expect(desk.track(body).status == 200)
}

@Test func aDisabledSourceIsA401() {
    let desk = Desk([.web, .backend]) { $0.enabled = false }
    #expect(desk.track(#"{"source":{"id":"shop"}}"#).status == 401)
    #expect(desk.collect("/collect/a/shop", "{}").status == 401)
}

@Test func aThrottledSourceIsA429() {
    let desk = Desk()
    desk.throttle = { _ in 1 }
    #expect(desk.track(#"{"source":{"id":"shop"}}"#).status == 429)
    #expect(desk.collect("/collect/a/crm", "{}").status == 429)
    #expect(desk.track(#"{"source":{"id":"nobody"}}"#).status == 401)
}
