import Foundations
import Testing

@testable import Activities

/// Personal values are found, the parameter is marked, and nothing of them is kept.
@Suite struct PersonalTests {
    static let values: [(json: String, kinds: [String])] = [
        (#""someone@example.org""#, ["email"]), (#""Some One <some.one+x@mail.example.co.uk>""#, ["email"]),
        (#""https://example.org/?mail=joe%40example.org""#, ["email"]), (#""josé@exämple.org""#, ["email"]),
        (#""4111111111111111""#, ["card"]), (#""4111 1111 1111 1111""#, ["card"]),
        (#""my card: 5555-5555-5555-4444 12/27""#, ["card"]), ("4111111111111111", ["card"]),
        ("378282246310005", ["card"]), (#""6011111111111117""#, ["card"]), ("4.111111111111111e15", ["card"]),
        (#""3530111333300000""#, ["card"]), (#""30569309025904""#, ["card"]), ("4222222222222", ["card"]),
        (#""+49 171 1234567""#, ["phone"]), (#""+1 (555) 123-4567""#, ["phone"]),
        (#""(555) 123-4567""#, ["phone"]),
        (#""call me at +49 171 1234567, please""#, ["phone"]), (#""tel:+491711234567""#, ["phone"]),
        (#""+1 (555) 123-4567 ext. 5""#, ["phone"]), (#""1-800-555-0199""#, ["phone"]),
        (#""06 12 34 56 78""#, ["phone"]), (#""01711234567""#, ["phone"]),
        (#""4111.1111.1111.1111""#, ["card"]), (#""4111  1111  1111  1111""#, ["card"]),
        ("6304000000000000", ["card"]), (#""kD8f/J2mQ9xL+vB7nT1z/R5wYc8fG2hJ4k=""#, ["token"]),
        (#""555-123-4567""#, ["phone"]), (#""0171/1234567""#, ["phone"]), (#""00491711234567""#, ["phone"]),
        (#""DE89370400440532013000""#, ["iban"]), (#""DE89 3704 0044 0532 0130 00""#, ["iban"]),
        (#""pay to GB82WEST12345698765432 please""#, ["iban"]), (#""gb82west12345698765432""#, ["iban"]),
        (#""eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N""#, ["token"]),
        (#""Bearer abcdef0123456789""#, ["token"]), (#""sk_live_4eC39HqLyjWDarjtT1zdp7dc""#, ["token"]),
        (#""5f4dcc3b5aa765d61d8327deb882cf99""#, ["token"]), (#""kD8fJ2mQ9xL4vB7nT1zR5wYc""#, ["token"]),
        // In other spellings.
        ("\"4111\u{a0}1111\u{a0}1111\u{a0}1111\"", ["card"]),
        ("\"4111\u{202f}1111\u{202f}1111\u{202f}1111\"", ["card"]),
        ("\"4111\u{2011}1111\u{2011}1111\u{2011}1111\"", ["card"]), (#""4111\t1111\t1111\t1111""#, ["card"]),
        (#""4111/1111/1111/1111""#, ["card"]), (#""https://x/?c=4111%201111%201111%201111""#, ["card"]),
        ("\"DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00\"", ["iban"]),
        ("\"+49\u{a0}171\u{202f}1234567\"", ["phone"]), ("\"555\u{2011}123\u{2011}4567\"", ["phone"]),
        (#""https://x/?phone=%2B491711234567""#, ["phone"]),
        (#""https://x/?p=%2b49%20171%201234567""#, ["phone"]),
        (#""https://user:hunter2@host/""#, ["token"]), (#""amqp://guest:guest@mq:5672/vhost""#, ["token"]),
        (#""aws_secret=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY""#, ["token"]),
        (#""https://x/?a=1&access_token=abcdefgh&b=2""#, ["token"]),
        (#""Server=db;Password=hunter22;""#, ["token"]),
    ]

    @Test(arguments: values) func aPersonalValueIsNeverKept(_ value: (json: String, kinds: [String])) throws {
        let summary = ActivitySummary(
            #"{"x":"harmless"}"#, #"{"x":17}"#, "{\"x\":\(value.json)}", #"{"x":"late"}"#)
        let parameter = try #require(summary["x"])
        #expect(parameter.personal.names == value.kinds)
        #expect(parameter.frequent.isEmpty)
        #expect(parameter.samples.isEmpty)
        #expect(parameter.numbers == nil)
        #expect(parameter.values == 4)
        // Nothing of it in what is written, in any order of merging.
        let other = ActivitySummary([Sighting("{\"x\":\(value.json)}", 9)])
        for (one, two) in [(summary, other), (other, summary)] {
            var merged = ActivitySummary([Sighting(#"{"x":"harmless"}"#, 8)])
            merged.merge(one)
            merged.merge(try two.rewritten())
            var buffer = ByteBuffer()
            merged.encode(to: &buffer)
            let bytes = Array(buffer.bytes)
            for secret in ["harmless", String(value.json.filter { $0 != "\"" }.prefix(12))] {
                #expect(!bytes.contains(Array(secret.utf8)))
            }
        }
    }

    @Test(arguments: [
        #""sofa""#, #""SKU-1029""#, #""2026-01-31""#, #""2026-01-31T10:00:00Z""#, #""192.168.0.1""#,
        #""1.2.3""#,
        #""0b8dd9a6-8c2a-4f5e-9d0e-0123456789ab""#,
        #""https://example.org/products/leather-sofa-brown-3-seater""#,
        #""4111 1111 1111 1112""#, "4111111111111112", "1763791200000", "1763791200000000", "9990.91",
        #""12 345 678""#,
        #""DE89370400440532013001""#, #""@handle""#, #""50 % off""#, #""a@b""#,
        #""iPhone-15-Pro-Max-256GB-Blue""#,
        #""living-room-furniture-and-more""#, #""asia-pacific-subscription-2024""#, #""1,234,567""#,
        #""31.01.2026""#, #""1 + 1 = 2""#, #""+5 %""#, #""C++11 or C++14""#, #""0123456789012""#,
        #""GMT+02:00""#,
        "\"31\u{a0}000\u{202f}000,50\u{a0}€\"", #""https://host/a:b@c""#, #""https://user@host/""#,
        #""https://host:8080/@handle""#, #""https://x/?utm_medium=email&utm_source=newsletter""#,
        #""tokens=5""#, #""100%25 wool 12/34/56/78""#, #""2026/11/22/10/30/00/001""#,
        #""2026-01-31T10:00:00+02:00""#, #""/living-room/Sofas/3-seater/Brown-Leather-Sofa""#,
    ])
    func whatIsHarmlessIsKept(_ json: String) throws {
        let parameter = try #require(ActivitySummary("{\"x\":\(json)}")["x"])
        #expect(parameter.personal.names == [])
        #expect(parameter.frequent.count == 1)
    }

    /// More digits than a machine's numbers have: no card, and no overflow either.
    @Test(arguments: [
        String(repeating: "1", count: 41), String(repeating: "9", count: 43),
        "-" + String(repeating: "9", count: 40), String(repeating: "1", count: 36) + "e5", "1e18", "9e18",
        "1e400", "123456789012345678901234567890123456e17", "-123456789012345678901234567890123456e7", "0e99",
        "1e-400",
    ])
    func aNumberOfAnyLengthIsLookedAt(_ number: String) throws {
        let parameter = try #require(ActivitySummary("{\"x\":\(number)}", "{\"x\":[\(number)]}")["x"])
        #expect(parameter.personal.names == [])
        #expect(parameter.values == 2)
    }

    @Test(arguments: [
        "token_count", "microphone", "phone_model", "isMobile", "discard_note", "emailed", "broken",
    ])
    func aNameThatOnlySoundsPersonalIsNot(_ name: String) {
        #expect(ActivitySummary("{\"\(name)\":\"abc\"}")[name]?.personal.names == [])
    }

    @Test(arguments: [
        ("password", "token"), ("Password", "token"), ("user_password", "token"), ("apiKey", "token"),
        ("email", "email"), ("E-Mail", "email"), ("phone", "phone"), ("phone_number", "phone"),
        ("iban", "iban"),
        ("cardNumber", "card"), ("access_token", "token"), ("customer_phone", "phone"),
        ("contactEmail", "email"), ("billing-email-address", "email"), ("deviceToken", "token"),
        ("customer_iban_2", "iban"), ("cardNo", "card"),
    ])
    func aNameSaysThatItsValuesArePersonal(_ name: String, _ kind: String) throws {
        let summary = ActivitySummary("{\"\(name)\":\"abc\",\"\(name)s\":1}")
        #expect(summary[name]?.personal.names == [kind])
        #expect(summary[name]?.samples == [])
        let inside = ActivitySummary("{\"\(name)\":{\"value\":\"abc\"}}", "{\"\(name)\":[\"abc\"]}")
        #expect(inside[name + ".value"]?.personal.names == [kind])
        #expect(inside[name + "[]"]?.personal.names == [kind])
    }

    @Test(arguments: ["phone_verified", "tokens", "mailbox", "spin", "pins", "author", "company"])
    func aNameOnlyLikeThatSaysNothing(_ name: String) {
        #expect(ActivitySummary("{\"\(name)\":\"abc\"}")[name]?.personal == [])
    }

    @Test(arguments: [
        "someone@example.org", "4111111111111111", "+49 171 1234567", "DE89370400440532013000",
        "kD8fJ2mQ9xL4vB7nT1zR5wYc",
    ])
    func aPersonalKeyIsNoName(_ key: String) {
        let summary = ActivitySummary("{\"by\":{\"\(key)\":1}}")
        #expect(summary.parameters.map(\.path.text) == ["by", "by.{*}"])
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        guard part.count > 0, count >= part.count else { return false }
        return (0...count - part.count).contains {
            self[$0] == part[0] && self[$0..<$0 + part.count].elementsEqual(part)
        }
    }
}
