import Foundations
import Testing

@testable import HTTP

@Suite struct ForwardedForTests {
    private static let proxy = "10.0.0.1"
    private static let trusted = [
        Network(address: IPAddress(high: 0, low: 0xffff_0a00_0000), prefix: 104),
        Network(address: IPAddress(high: 0xfd00 << 48, low: 0), prefix: 8),
    ]

    static let cases: [(peer: String, fields: [String], client: String)] = [
        ("192.0.2.9", ["X-Forwarded-For: 198.51.100.1"], "192.0.2.9"),
        (proxy, [], proxy),
        (proxy, ["X-Forwarded-For: 198.51.100.1"], "198.51.100.1"),
        (proxy, ["X-Forwarded-For: 6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        (proxy, ["x-forwarded-for: 6.6.6.6,198.51.100.1 , 10.9.9.9"], "198.51.100.1"),
        (proxy, ["X-Forwarded-For: 6.6.6.6", "X: y", "X-Forwarded-For: 198.51.100.1"], "198.51.100.1"),
        (proxy, ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 10.2.2.2"], "198.51.100.1"),
        (proxy, ["X-Forwarded-For: 198.51.100.1:4711"], "198.51.100.1"),
        (proxy, ["X-Forwarded-For: [2001:db8::1]:4711"], "2001:db8::1"),
        ("fd00::1", ["X-Forwarded-For: 2001:db8::1"], "2001:db8::1"),
        (proxy, ["X-Forwarded-For: 10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        (proxy, ["X-Forwarded-For: unknown"], proxy),
        (proxy, ["X-Forwarded-For: 6.6.6.6, nonsense, 10.2.2.2"], "10.2.2.2"),
        (proxy, ["X-Forwarded-For: , ,"], proxy),
    ]

    @Test(arguments: cases.indices)
    func theRightMostUntrustedAddressIsTheClient(_ index: Int) throws {
        let (peer, fields, client) = Self.cases[index]
        let head = Array(("GET / HTTP/1.1\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n").utf8)
        let found = try head.withUnsafeBytes { bytes in
            ForwardedFor.client(
                peer: try #require(IPAddress(peer)), head: bytes, trusted: Self.trusted)
        }
        #expect(found.description == client)
    }
}
