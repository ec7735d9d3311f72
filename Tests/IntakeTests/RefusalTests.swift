import Foundations
import Payload
import Testing

@testable import Intake

private func body(_ refusal: Refusal, faults: String = "") -> String {
    withBytes(faults) { faults in
        var out = ByteBuffer()
        refusal.appendBody(faults: faults, to: &out)
        return out.bytes.text
    }
}

private func headers(_ refusal: Refusal) -> String {
    var out = ByteBuffer()
    refusal.appendHeaders(to: &out)
    return out.bytes.text
}

@Test func aRefusalsBodyHasEveryKeyThatClientsLookFor() {
    #expect(
        body(.unauthorized) == """
            {"detail":"unknown or disabled source, wrong key, or an origin that is not allowed",\
            "error":"unknown or disabled source, wrong key, or an origin that is not allowed",\
            "code":"unauthorized",\
            "message":"unknown or disabled source, wrong key, or an origin that is not allowed","status":401}
            """)
    #expect(
        body(.invalid, faults: #"{"type":"missing"}"#) == """
            {"detail":[{"type":"missing"}],"error":"the request has members that are missing or of the wrong type",\
            "code":"invalid","message":"the request has members that are missing or of the wrong type","status":422}
            """)
}

@Test func whatIsNotJSONIsToldWithItsPlace() {
    let error = JSONError(code: .colon, offset: 17, found: UInt8(ascii: "}"))
    #expect(
        body(.notJSON(error)).contains(
            #""message":"the body is not JSON: expected a colon, found } at byte 17","status":400"#))
}

@Test(
    arguments: [
        (Refusal.notFound, 404, ""),
        (.methodNotAllowed("GET, HEAD, OPTIONS"), 405, "Allow: GET, HEAD, OPTIONS\r\n"),
        (.unauthorized, 401, "WWW-Authenticate: Bearer\r\n"), (.notAnObject, 400, ""),
        (.badEncoding, 400, ""),
        (.badPath("the type is blank"), 400, ""), (.tooLarge, 413, ""), (.unsupportedType, 415, ""),
        (.unsupportedEncoding, 415, "Accept-Encoding: gzip, deflate\r\n"), (.invalid, 422, ""),
        (.tooMany(wait: 1), 429, "Retry-After: 1\r\n"),
        (.tooMany(wait: 1_500_000_000), 429, "Retry-After: 2\r\n"),
        (.tooMany(wait: .max), 429, "Retry-After: 86400\r\n"),
        (.unavailable("the spool is full", seconds: 10), 503, "Retry-After: 10\r\n"),
    ] as [(Refusal, Int, String)])
func aRefusalHasItsStatusAndHeaders(refusal: Refusal, status: Int, expected: String) {
    #expect(refusal.status == status)
    #expect(headers(refusal) == expected)
    #expect(body(refusal).hasSuffix(#""status":\#(status)}"#))
    #expect(body(refusal).contains(#""code":"\#(refusal.code)""#))
}
