import Foundations
import Testing

@testable import Intake

private func answer(_ origin: String?) -> String {
    withBytes(origin ?? "") { text in
        var out = ByteBuffer()
        CrossOrigin.append(origin: origin == nil ? nil : text, to: &out)
        return out.bytes.text
    }
}

private func preflight(_ origin: String?, headers: String? = nil, privateNetwork: Bool = false) -> String {
    withBytes(origin ?? "") { text in
        withBytes(headers ?? "") { requested in
            var out = ByteBuffer()
            CrossOrigin.append(
                preflight: origin == nil ? nil : text, requestedHeaders: headers == nil ? nil : requested,
                privateNetwork: privateNetwork, methods: "POST, OPTIONS", to: &out)
            return out.bytes.text
        }
    }
}

@Test func anAnswerEchoesTheOriginAndNeverAStar() {
    #expect(
        answer("https://a.example") == """
            Access-Control-Allow-Origin: https://a.example\r
            Access-Control-Allow-Credentials: true\r
            Access-Control-Expose-Headers: X-Request-Id, Retry-After\r
            Vary: Origin\r

            """)
    #expect(answer(nil) == "Vary: Origin\r\n")
}

@Test func aPreflightIsAnsweredInFull() {
    #expect(
        preflight("https://a.example", headers: "content-type, x-y", privateNetwork: true) == """
            Access-Control-Allow-Origin: https://a.example\r
            Access-Control-Allow-Credentials: true\r
            Access-Control-Allow-Methods: POST, OPTIONS\r
            Access-Control-Allow-Headers: content-type, x-y\r
            Access-Control-Allow-Private-Network: true\r
            Access-Control-Max-Age: 86400\r
            Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r

            """)
}

@Test func aPreflightOfAForeignOriginTellsNothing() {
    #expect(!preflight(nil, headers: "x").contains("Access-Control-Allow"))
}

@Test(arguments: ["", " ", "x\r\nEvil: 1", "a;b", "a:b", "é", "a\u{0}", String(repeating: "x", count: 5000)])
func onlyNamesOfHeadersAreEchoed(requested: String) {
    #expect(!preflight("https://a.example", headers: requested).contains("Access-Control-Allow-Headers"))
}

@Test func anErrorGoesByTheSourceWhereItIsKnownAndByAllOtherwise() {
    var configuration = Configuration()
    var one = Source(id: "one", kinds: [.web])
    one.origins = ["https://one.example"]
    var two = Source(id: "two", kinds: [.web])
    two.origins = ["https://two.example"]
    configuration.sources = [one, two]
    let rules = Rules(configuration, recent: RecentIDs())
    withBytes("https://two.example") { origin in
        #expect(rules.echoed(origin, for: nil)?.text == "https://two.example")
        #expect(rules.echoed(origin, for: rules.sources[0]) == nil)
        #expect(rules.echoed(origin, for: rules.sources[1])?.text == "https://two.example")
    }
    withBytes("https://three.example") { #expect(rules.echoed($0, for: nil) == nil) }
    #expect(rules.echoed(nil, for: nil) == nil)
}
