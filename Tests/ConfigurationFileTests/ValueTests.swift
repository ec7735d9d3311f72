import Foundations
import Testing

@testable import ConfigurationFile

struct ValueTests {
    @Test(arguments: [
        ("0", 0), ("4000000", 4_000_000), ("4MB", 4_000_000), ("4MiB", 4 << 20), ("64KiB", 64 << 10),
        ("1 GiB", 1 << 30),
        ("10B", 10), ("2tb", 2_000_000_000_000), ("", nil), ("MiB", nil), ("-1", nil), ("1.5MiB", nil),
        ("4 M", nil),
        ("99999999999TiB", nil), ("٣", nil),
    ])
    func sizes(text: String, bytes: Int?) { #expect(Quantity.size(text) == bytes) }

    @Test(arguments: [
        ("500ms", 500_000), ("10s", 10_000_000), ("2h10m", 7_800_000_000), ("30d", 2_592_000_000_000),
        ("1w", 604_800_000_000), ("1m1s1ms", 61_001_000), ("0s", 0), ("", nil), ("10", nil), ("s", nil),
        ("10m2h", nil), ("1h1h", nil), ("1.5h", nil), ("-1s", nil), ("99999999999999w", nil), ("1 s", nil),
    ])
    func durations(text: String, microseconds: Int64?) { #expect(Quantity.duration(text) == microseconds) }

    @Test(arguments: [
        ("100/s", Rate(count: 100, microseconds: 1_000_000)),
        ("6000/m", Rate(count: 6000, microseconds: 60_000_000)),
        ("50/10s", Rate(count: 50, microseconds: 10_000_000)), ("0/s", nil), ("100", nil), ("/s", nil),
        ("1/", nil),
        ("1/0s", nil), ("1/s/s", nil), ("1k/s", nil),
    ])
    func rates(text: String, rate: Rate?) { #expect(Quantity.rate(text) == rate) }

    @Test(arguments: [Int64(1_000), 500_000, 10_000_000, 7_800_000_000, 2_592_000_000_000, 90_061_001_000])
    func aDurationIsWrittenAsItIsRead(microseconds: Int64) {
        #expect(Quantity.duration(microseconds.durationText) == microseconds)
    }

    @Test(arguments: [
        ("127.0.0.1:8686", Configuration.ListenAddress.tcp(host: "127.0.0.1", port: 8686)),
        ("[::1]:8686", .tcp(host: "::1", port: 8686)), ("*:0", .tcp(host: "*", port: 0)),
        ("localhost:80", .tcp(host: "localhost", port: 80)), ("unix:/run/w.sock", .unix(path: "/run/w.sock")),
        ("unix:w.sock", .unix(path: "/srv/w.sock")), ("8686", nil), (":8686", nil), ("::1:8686", nil),
        ("a:", nil),
        ("a:65536", nil), ("a:+1", nil), ("[127.0.0.1]:1", nil), ("[x]:1", nil), ("a b:1", nil),
        ("unix:", nil),
        ("unix:/" + String(repeating: "x", count: 107), nil), ("http://a:1", nil),
    ])
    func listenAddresses(text: String, address: Configuration.ListenAddress?) {
        #expect((try? Check.listenAddress(text, from: "/srv")) == address)
    }

    @Test(arguments: [
        ("https://shop.example", "https://shop.example"), ("HTTPS://Shop.Example", "https://shop.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://[::1]:3000", "http://[::1]:3000"), ("http://[::1]", "http://[::1]"), ("*", "*"),
        ("https://*.shop.example", "https://*.shop.example"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("shop.example", nil), ("https://", nil), ("https://shop.example/", nil),
        ("https://a*.shop.example", nil),
        ("https://shop.example:0", nil), ("https://shop.example:x", nil), ("https://user@shop.example", nil),
        ("https://bücher.example", nil), ("null", nil), ("https://*", nil), ("*.shop.example", nil),
    ])
    func origins(text: String, origin: String?) { #expect((try? Check.origin(text)) == origin) }

    @Test(arguments: [
        ("10.0.0.0/8", "::ffff:a00:0", 104), ("127.0.0.1", "::ffff:7f00:1", 128), ("fd00::/8", "fd00::", 8),
        ("::1", "::1", 128), ("0.0.0.0/0", "::ffff:0:0", 96), ("::/0", "::", 0),
    ])
    func networks(text: String, address: String, prefix: Int) throws {
        let expected = Network(address: try #require(IPAddress(address)), prefix: prefix)
        #expect(try Check.network(text) == expected)
    }

    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "fd00::/129", "proxy.example", "", "10.0/8",
    ])
    func thisIsNoNetwork(text: String) { #expect(throws: Refusal.self) { try Check.network(text) } }

    @Test(arguments: [
        ("Purchase Order", "purchase-order"), (" page   view ", "page-view"), ("purchase-*", "purchase-*"),
        ("*", "*"), ("ÄRGER", "ärger"),
    ])
    func aPatternTakesTheFormOfTheKeys(text: String, pattern: String) throws {
        #expect(try Check.pattern(text) == pattern)
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT+5", "America/Argentina/Buenos_Aires"])
    func aTimeZoneOfTheSystemPasses(text: String) throws { #expect(try Check.timeZone(text) == text) }

    @Test(arguments: ["Nowhere", "../UTC", "/UTC", "Europe", "Europe/", "zone.tab", "a b", ""])
    func thisIsNoTimeZone(text: String) { #expect(throws: Refusal.self) { try Check.timeZone(text) } }

    @Test func withoutTheFolderOfTimeZonesOnlyTheFormCounts() throws {
        #expect(try Check.timeZone("Mars/Olympus", folder: "/nowhere") == "Mars/Olympus")
        #expect(throws: Refusal.self) { try Check.timeZone("../x", folder: "/nowhere") }
    }

    @Test(arguments: [
        ("plain", "plain"), ("${A}", "1"), ("x${A}y${A}z", "x1y1z"), ("$${A}", "${A}"), ("$$${A}", "$${A}"),
        ("$A $", "$A $"), ("${B:-two}", "two"), ("${EMPTY:-two}", "two"), ("${B:-}", ""), ("${A:-two}", "1"),
        ("${REF}", "${A}"), ("${EMPTY}", ""), ("${B:-a:-b}", "a:-b"), ("ü${A}ü", "ü1ü"),
    ])
    func variablesAreFilledIn(text: String, result: String) {
        let environment = ["A": "1", "EMPTY": "", "REF": "${A}"]
        guard case .text(let filled, _) = expand(text, { environment[$0] }) else {
            Issue.record("\(text) is refused")
            return
        }
        #expect(filled == result)
    }

    @Test(arguments: [
        ("${B}", "the environment has no variable B"), ("${}", "not a variable's name"),
        ("${1A}", "not a variable's name"), ("${A", "a variable has no end"),
        ("${A:x}", "not a variable's name"),
        ("${A B}", "not a variable's name"),
    ])
    func aVariableThatCannotBeFilledInIsNamed(text: String, problem: String) {
        guard case .mistake(let found, _) = expand(text, { ["A": "1"][$0] }) else {
            Issue.record("\(text) is taken")
            return
        }
        #expect(found == problem)
    }

    @Test(arguments: [
        ("lisen", "listen"), ("databse", "database"), ("Time_Zone", "timezone"), ("source", "sources"),
        ("xyz", nil), ("", nil), ("primarykey", "primary_key"),
    ])
    func theNearestNameIsSuggested(name: String, suggestion: String?) {
        #expect(nearest(to: name, among: ConfigurationReader.keys) == suggestion)
    }
}
