import Foundations
import TestSupport
import Testing

@testable import Webhooks

/// Signatures, held against the library of Standard Webhooks.
@Suite struct SignatureTests {
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    static let other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    /// The example of the specification.
    @Test func theExampleOfTheSpecification() throws {
        let body = Array(#"{"test": 2432232314}"#.utf8)
        let signed = try #require(SigningSecret(Self.secret)).signature(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: body)
        #expect(signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test(arguments: [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_***", "whsec_abc", "whsk_AAAA",
    ])
    func anythingElseIsNoSecret(_ text: String) {
        #expect(SigningSecret(text) == nil)
    }

    @Test func theLibraryOfStandardWebhooksAcceptsTheBytesThatAreSent() throws {
        let now = Clock.system.now()
        var webhook = Samples.webhook()
        webhook.sign = [Self.other, "${SECRET}"]
        let endpoint = try Endpoint(webhook) { $0 == "SECRET" ? Self.secret : nil }
        let body = WireBody.make(
            [ItemBody.render(Samples.shapeB.0, for: Samples.shapeB.1)],
            WireBody.Envelope(format: .form, panel: "acme"),
            at: now)
        let request = endpoint.request(id: Samples.item().id, body: body, format: .form, at: now)
        let headers = request.headers.map { "\"\($0.name)\": \"\($0.value)\"" }.joined(separator: ", ")
        let script = """
            import sys, json
            from standardwebhooks.webhooks import Webhook, WebhookVerificationError
            body = open(sys.argv[1], 'rb').read().decode()
            headers = {\(headers)}
            for secret in sys.argv[2:]:
                # The library also parses what it verified as JSON, which a form is not.
                json.loads = lambda text: text
                assert Webhook(secret).verify(body, headers) == body
                try:
                    Webhook(secret).verify(body + ' ', headers)
                    sys.exit('a changed body was accepted')
                except WebhookVerificationError: pass
            print('verified')
            """
        let file = Scratch.shared.newPath("body")
        try writeFile(file, String(decoding: body, as: UTF8.self))
        let answer = try run([try Tools.python.get(), "-c", script, file, Self.secret, Self.other])
        #expect(answer.output == "verified\n", "\(answer.output)")
    }

    @Test func ourOwnCheckTellsRightFromWrong() throws {
        let secret = try #require(SigningSecret(Self.secret))
        let header = "v1,AAAA \(secret.signature(id: "a", timestamp: 1, body: [1, 2]))"
        #expect(secret.accepts(header: header, id: "a", timestamp: 1, body: [1, 2]))
        #expect(!secret.accepts(header: header, id: "a", timestamp: 1, body: [1, 3]))
        #expect(!secret.accepts(header: header, id: "a", timestamp: 2, body: [1, 2]))
        #expect(!secret.accepts(header: "", id: "a", timestamp: 1, body: [1, 2]))
    }

    /// RFC 9562's example for version 5 uses another namespace; what matters here: same in, same out, version and
    /// variant set, and batches differ by their members' order.
    @Test func idsAreMadeOfWhatTheyStandFor() {
        let id = DeliveryID.of(enrolment: UUID(high: 1, low: 2), step: 3, visit: 1)
        #expect(id == DeliveryID.of(enrolment: UUID(high: 1, low: 2), step: 3, visit: 1))
        #expect(id != DeliveryID.of(enrolment: UUID(high: 1, low: 2), step: 3, visit: 2))
        #expect(id.version == 5 && id.low >> 62 == 2)
        let other = Samples.item(2).id
        #expect(DeliveryID.of(batch: [id, other]) != DeliveryID.of(batch: [other, id]))
    }
}
