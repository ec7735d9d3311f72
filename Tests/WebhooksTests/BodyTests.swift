import Foundations
import TestSupport
import Testing

@testable import Webhooks

/// The bytes that receivers get, held to files of `Tests/Golden/webhooks`.
@Suite struct BodyTests {
    static func golden(_ name: String) throws -> String {
        let text = String(
            decoding: try readFile("\(Tools.root)/Tests/Golden/webhooks/\(name)"), as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    static func body(
        _ samples: [(DeliveryItem, WebhookDefinition)], _ format: WebhookDefinition.Format
    ) -> String {
        let items = samples.map { item, webhook in
            var webhook = webhook
            webhook.format = format
            return ItemBody.render(item, for: webhook)
        }
        let envelope = WireBody.Envelope(format: format, panel: "acme")
        return String(
            decoding: WireBody.make(items, envelope, at: Timestamp(seconds: 1_700_000_000)), as: UTF8.self)
    }

    static let cases: [(String, [String], WebhookDefinition.Format)] = [
        ("shape-a.form", ["a"], .form), ("shape-a.json", ["a"], .json), ("shape-b.form", ["b"], .form),
        ("shape-b.json", ["b"], .json), ("bare.json", ["bare"], .json),
        ("shape-b.standard", ["b"], .standard),
        ("batch.json", ["a", "b"], .json), ("batch.standard", ["a", "b"], .standard),
    ]

    @Test(arguments: cases)
    func isTheGoldenFileByteForByte(_ name: String, _ parts: [String], _ format: WebhookDefinition.Format)
        throws
    {
        let samples = parts.map { ["a": Samples.shapeA, "b": Samples.shapeB][$0] ?? Samples.bare }
        #expect(Self.body(samples, format) == (try Self.golden(name)))
    }

    @Test(arguments: [
        ("email-open", "EMAIL_OPEN"), ("email-click", "EMAIL_CLICK"), ("email.bounce", "EMAIL_BOUNCE"),
        ("sms-delivered", "SMS_DELIVERED"), ("sms.click", "SMS_CLICK"), ("bpn-view", "BPN_VIEW"),
        ("bpn-click", "BPN_CLICK"), ("apn-view", "APN_VIEW"), ("apn-click", "APN_CLICK"),
        ("email-view", nil), ("sms-open", nil), ("email", nil), ("emails-open", nil), ("email-open-2", nil),
        ("mail-open", nil), ("product-search", nil),
    ])
    func channelsHaveAShapeOfTheirOwn(_ activity: String, _ name: String?) {
        var item = Samples.item()
        item.entry = Samples.entry(activity, "{}")
        let text = String(decoding: ItemBody.render(item, for: Samples.webhook()), as: UTF8.self)
        #expect(
            text.hasPrefix(name.map { "{\"webhook_name\":\"\($0)\"" } ?? "{\"channel\":\"custom_activity\""))
    }

    @Test func theLinkOfAnEventGoesAlongWithItsDigits() {
        var (item, webhook) = Samples.shapeA
        item.entry?.properties = Array(#"{"linkid": 18446744073709551616, "link": 12.50}"#.utf8)
        let text = String(decoding: ItemBody.render(item, for: webhook), as: UTF8.self)
        #expect(text.contains(#""linkid":18446744073709551616}"#))
        #expect(text.contains(#""link":"12.50","#))
        webhook.attributes = []
        #expect(
            String(decoding: ItemBody.render(item, for: webhook), as: UTF8.self).contains(#""att_params":{}"#)
        )
    }

    @Test func everyByteButTheUnreservedIsPercentEncoded() {
        let all = (1...255).map { UInt8($0) }
        let text = all.withUnsafeBytes { String(decoding: WireBody.form($0), as: UTF8.self) }
        let plain = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~".utf8)
        let expected = all.map { byte -> String in
            if plain.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }
        #expect(text == "data=" + expected.joined())
    }

    @Test func anEnvelopeIsReadAsItWasWritten() {
        let envelope = WireBody.Envelope(format: .standard, panel: "my panel")
        #expect(WireBody.Envelope(envelope.text) == envelope)
        #expect(WireBody.Envelope("nonsense") == nil)
    }

    /// What is queued is what arrives, for the form parsers of the languages that receivers are written in.
    @Test(arguments: ["php", "python3", "node"])
    func formParsersGiveTheTextBack(_ program: String) throws {
        guard let path = Tools.path(of: program) else {
            if program == "php" { Issue.record("php-cli is not installed: Scripts/test does it") }
            return
        }
        let scripts = [
            "php": #"""
            while (($line = fgets(STDIN)) !== false) { parse_str(rtrim($line, "\n"), $got); echo bin2hex($got['data']), "\n"; }
            """#,
            "python3": """
            import sys, urllib.parse
            for line in sys.stdin: print(urllib.parse.parse_qs(line.rstrip('\\n'))['data'][0].encode().hex())
            """,
            "node": """
            for (const line of require('fs').readFileSync(0, 'utf8').trimEnd().split('\\n'))
                console.log(Buffer.from(new URLSearchParams(line).get('data')).toString('hex'))
            """,
        ]
        var random = SeededRandom(7)
        let texts = (0..<300).map { _ in Self.randomJSON(&random) }
        let lines = texts.map { text in
            Array(text.utf8).withUnsafeBytes { String(decoding: WireBody.form($0), as: UTF8.self) }
        }
        let input = Scratch.shared.newPath("forms")
        try writeFile(input, lines.joined(separator: "\n") + "\n")
        let flag = ["php": "-r", "python3": "-c", "node": "-e"][program] ?? ""
        let command = "\"$0\" \(flag) \"$1\" < \"$2\""
        let answer = try run(["/bin/sh", "-c", command, path, scripts[program] ?? "", input])
        try #require(answer.exit == .code(0), "\(answer.output.prefix(500))")
        let back = answer.output.split(separator: "\n").map(String.init)
        let expected = texts.map { text in
            text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(back == expected)
    }

    private static func randomJSON(_ random: inout SeededRandom) -> String {
        let pieces = [
            "&", "+", "%", "%41", "=", ";", "data=", " ", "  ", "é", "日本", "👩‍👩‍👧", "\\n", "\\\"", "\\u00e9",
            "\\u0001", "#", "?",
            "<", "'", "~", "\u{2028}", "\u{FEFF}", "𝄞", "\u{7f}",
        ]
        let numbers = [
            "9990.91", "18446744073709551616", "0.1", "-0", "1e400", "1.10E+2",
            "123456789.123456789123456789",
        ]
        let members = (0..<Int.random(in: 1...8, using: &random)).map { i in
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                pieces.randomElement(using: &random)!
            }
            return Bool.random(using: &random)
                ? "\"k\(i)\":\"\(text.joined())\"" : "\"n\(i)\":\(numbers.randomElement(using: &random)!)"
        }
        return "{\"acme\":[{\(members.joined(separator: ","))}]}"
    }
}
