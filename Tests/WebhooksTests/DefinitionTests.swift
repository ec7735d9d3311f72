import ConfigurationFile
import Foundations
import Outbound
import TestSupport
import Testing

@testable import Webhooks

/// What the files of people say about webhooks.
@Suite struct DefinitionTests {
    static func read(_ yaml: String) -> (
        webhooks: [WebhookDefinition], mistakes: [String], warnings: [String]
    ) {
        let findings = Findings()
        let document = Document(yaml, environment: nil, findings: findings)
        let webhooks = document.root.map { WebhookReader.read($0, directory: "/etc", findings: findings) }
        return (
            webhooks ?? [], Findings.sorted(findings.mistakes).map { $0.text(in: "w") },
            findings.warnings.map { $0.text(in: "w") }
        )
    }

    static let everything = """
        call_centre:
          label: Call centre
          url: https://crm.example.in/api/v2/message/
          format: form
          basic: {user: acme, password: "${CC_PASSWORD}"}
          headers: {X-Tenant: acme, X-Key: "${KEY}"}
          attributes: [CITY, STATE, MBR_DOBIRTH]
          timeout: 20s
          batch: {max: 50, linger: 2s}
          order: profile
          limit: {concurrency: 4, rate: 20/s}
          alert: {to: [ops@acme.example], every: 30m, recovery: false}
          sign: ["${CC_SIGNING_SECRET}", "${CC_OLD_SECRET}"]
          success: 2xx
          retry_4xx: true
          ca: ca.pem
          allow_networks: [10.1.0.0/16, "fd00::/8"]
          disable_after: 2d
        """

    @Test func everyKeyIsRead() throws {
        let (webhooks, mistakes, warnings) = Self.read(Self.everything)
        #expect(mistakes.isEmpty && warnings.isEmpty, "\(mistakes) \(warnings)")
        let webhook = try #require(webhooks.first)
        #expect(webhook.name == "call_centre" && webhook.label == "Call centre")
        #expect(webhook.authorization == .basic(user: "acme", password: "${CC_PASSWORD}"))
        #expect(webhook.headers.map(\.name) == ["X-Tenant", "X-Key"])
        #expect(webhook.attributes == ["CITY", "STATE", "MBR_DOBIRTH"])
        #expect(webhook.timeout == 20_000_000)
        #expect(webhook.batch == WebhookDefinition.Batch(max: 50, linger: 2_000_000))
        #expect(webhook.order == .profile)
        #expect(
            webhook.limit.concurrency == 4 && webhook.limit.rate == Rate(count: 20, microseconds: 1_000_000))
        #expect(webhook.alert?.every == 1_800_000_000 && webhook.alert?.recovery == false)
        #expect(webhook.sign == ["${CC_SIGNING_SECRET}", "${CC_OLD_SECRET}"])
        #expect(webhook.success == .any2xx && webhook.retries4xx)
        #expect(webhook.ca == "/etc/ca.pem")
        #expect(webhook.allowNetworks.map(\.text) == ["10.1.0.0/16", "fd00::/8"])
        #expect(webhook.disableAfter == 2 * 86_400_000_000)
    }

    @Test(
        arguments: [
            (
                "acme", "p\r\nX-Admin: 1",
                "basic.password of webhook call_centre is no single line without control characters"
            ),
            (
                "acme", "p\n",
                "basic.password of webhook call_centre is no single line without control characters"
            ),
            ("a\rb", "p", "basic.user of webhook call_centre is no single line without control characters"),
            ("a:b", "p", "basic.user of webhook call_centre holds a colon, which ends a user's name"),
            ("", "p", "basic.user of webhook call_centre is empty"), ("acme", "p:1 ü", nil),
        ] as [(String, String, String?)])
    func whatWouldBreakAHeaderIsRefusedWhereItIsFilledIn(_ user: String, _ password: String, _ fault: String?)
    {
        let webhook = Samples.webhook { $0.authorization = .basic(user: "${USER}", password: "${PASSWORD}") }
        var found: String?
        do throws(Endpoint.Fault) {
            _ = try Endpoint(webhook) { $0 == "USER" ? user : password }
        } catch {
            found = error.description
        }
        #expect(found == fault)
    }

    @Test(arguments: ["", "t\r\nX: 1"]) func aBearerIsALine(_ token: String) {
        let webhook = Samples.webhook { $0.authorization = .bearer("${TOKEN}") }
        #expect(throws: Endpoint.Fault.self) { try Endpoint(webhook) { _ in token } }
    }

    /// Whom to tell is known without the secrets that sending takes.
    @Test func whomToTellNeedsNoOtherVariable() throws {
        let webhook = Samples.webhook {
            $0.sign = ["${SECRET}"]
            $0.alert = WebhookDefinition.Alert(to: ["${OPS}", "b@acme.example"])
        }
        func to(_ ops: String?) throws -> [String] {
            try Endpoint.alertTo(webhook) { $0 == "OPS" ? ops : nil }
        }
        #expect(try to("a@acme.example") == ["a@acme.example", "b@acme.example"])
        #expect(throws: Endpoint.Fault.self) { try to(nil) }
        #expect(throws: Endpoint.Fault.self) { try to("a@acme.example\r\nBcc: c@acme.example") }
        #expect(throws: Endpoint.Fault.self) { try Endpoint(webhook) { _ in nil } }
        #expect(try Endpoint(webhook) { $0 == "SECRET" ? SignatureTests.secret : nil }.secrets.count == 1)
    }

    /// A success was at the old address.
    @Test func anotherAddressIsUnverified() throws {
        let world = try World()
        func verified() throws -> Bool {
            try WebhookStore.find("call_centre", world.connection)?.lastSuccessAt != nil
        }
        try world.apply(Samples.webhook())
        try world.database.run("update webhook set last_success_at = now()")
        try world.apply(Samples.webhook { $0.label = "Another name" })
        #expect(try verified())
        try world.apply(Samples.webhook { $0.url = "https://elsewhere.example/hook" })
        #expect(try !verified())
    }

    @Test func theTableGivesBackWhatItWasGiven() throws {
        let all = try #require(Self.read(Self.everything).webhooks.first)
        #expect(WebhookDefinition(name: all.name, json: all.json) == all)
        let plain = WebhookDefinition(name: "feed", url: "https://feed.example.in/hook")
        #expect(plain.json == #"{"label":"feed","url":"https://feed.example.in/hook"}"#)
        #expect(WebhookDefinition(name: "feed", json: plain.json) == plain)
        #expect(WebhookDefinition(name: "feed", json: "[]") == nil)
    }

    @Test(arguments: [
        ("url: https://a.example/", "w:1:6: webhooks.x has no url (expected where deliveries are posted to)"),
        ("urls: https://a.example/", "did you mean \"url\"?"),
        ("format: xml", "expected form or json or standard"),
        ("url: ftp://a.example/", "is neither http://host/… nor https://host/…"),
        ("url: http://u:p@a.example/", "has a user in it, which belongs into basic or bearer"),
        ("url: http://10.0.0.1/", "is a private address (10.0.0.0/8)"),
        ("url: \"http://[::1]/\"", "is a loopback address (::1)"),
        ("sign: secret", "is no signing secret"),
        ("headers: {Authorization: x}", "cannot be a header here"),
        ("headers: {webhook-id: x}", "cannot be a header here"),
        ("headers: {X-A: \"a\\r\\nB: c\"}", "cannot be sent"),
        ("basic: {user: a}", "has no password"),
        ("bearer: a b\n  basic: {user: a, password: \"${P}\"}", "has both basic and bearer"),
        ("batch: {max: 101}", "a whole number from 1 to 100"),
        ("limit: {rate: 5}", "is not a rate"),
        ("alert: {every: 1h}", "has no to"),
        ("alert: {to: [ops]}", "is no mail address"),
        ("allow_networks: [10.0.0.1/8]", "has bits behind its prefix"),
        ("success: 3xx", "expected 200 or 2xx"),
        ("timeout: 0s", "is out of range"),
    ])
    func mistakesSayWhereAndWhat(_ text: String, _ expected: String) {
        let hasURL = text.hasPrefix("url") && !text.hasPrefix("urls")
        let yaml =
            expected.contains("has no url")
            ? "x: {}" : "x:\n  \(hasURL ? "" : "url: https://a.example/\n  ")\(text)"
        let mistakes = Self.read(yaml).mistakes
        #expect(mistakes.contains { $0.contains(expected.replacing("w:1:6", with: "w:1:4")) }, "\(mistakes)")
    }

    @Test func secretsInTheOpenAreWarnedOf() {
        let (_, mistakes, warnings) = Self.read(
            "x: {url: 'https://a.example/', bearer: abc, sign: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}")
        #expect(mistakes.isEmpty)
        #expect(warnings.count == 2)
        #expect(!warnings.joined().contains("MfKQ"))
    }

    @Test func variablesAreFilledInWhereItIsSent() throws {
        let webhook = try #require(Self.read(Self.everything).webhooks.first)
        let environment = [
            "CC_PASSWORD": "p", "KEY": "k", "CC_SIGNING_SECRET": SignatureTests.secret,
            "CC_OLD_SECRET": SignatureTests.other,
        ]
        let request = try Endpoint(webhook) { environment[$0] }.request(
            id: Samples.item().id, body: [1], format: .form, at: Timestamp(seconds: 1))
        #expect(request.authorization == .basic(user: "acme", password: "p"))
        #expect(request.headers.contains { $0.name == "X-Key" && $0.value == "k" })
        #expect(
            request.headers.first { $0.name == "webhook-signature" }?.value.split(separator: " ").count == 2)
        #expect(request.timeout == 20_000 && request.connectTimeout == 5000 && request.ca == "/etc/ca.pem")
        for missing in environment.keys {
            #expect(throws: Endpoint.Fault.self) {
                try Endpoint(webhook) { $0 == missing ? nil : environment[$0] }
            }
        }
        let error = #expect(throws: Endpoint.Fault.self) {
            try Endpoint(webhook) { $0 == "CC_OLD_SECRET" ? "nonsense" : environment[$0] }
        }
        #expect(error?.description == "sign of webhook call_centre is not whsec_ and base64")
        #expect(throws: Endpoint.Fault.self) {
            try Endpoint(webhook) { $0 == "KEY" ? "a\r\nb: c" : environment[$0] }
        }
    }
}
