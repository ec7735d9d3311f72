import Foundations
import Testing

@testable import Outbound

/// Every range that must not be reached, with its edges.
@Suite struct GuardTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let first: String
        let last: String
        /// The neighbours just outside; nil: they are in another refused range.
        var before: String?
        var after: String?
        var opened = false
        var testDescription: String { "\(first)–\(last)" }
    }

    static let ranges: [Case] = [
        Case(first: "0.0.0.0", last: "0.255.255.255", after: "1.0.0.0"),
        Case(
            first: "10.0.0.0", last: "10.255.255.255", before: "9.255.255.255", after: "11.0.0.0",
            opened: true),
        Case(
            first: "100.64.0.0", last: "100.127.255.255", before: "100.63.255.255", after: "100.128.0.0",
            opened: true),
        Case(
            first: "127.0.0.0", last: "127.255.255.255", before: "126.255.255.255", after: "128.0.0.0",
            opened: true),
        Case(first: "169.254.0.0", last: "169.254.255.255", before: "169.253.255.255", after: "169.255.0.0"),
        Case(
            first: "172.16.0.0", last: "172.31.255.255", before: "172.15.255.255", after: "172.32.0.0",
            opened: true),
        Case(first: "192.0.0.0", last: "192.0.0.255", before: "191.255.255.255", after: "192.0.1.0"),
        Case(first: "192.0.2.0", last: "192.0.2.255", before: "192.0.1.255", after: "192.0.3.0"),
        Case(first: "192.88.99.0", last: "192.88.99.255", before: "192.88.98.255", after: "192.88.100.0"),
        Case(
            first: "192.168.0.0", last: "192.168.255.255", before: "192.167.255.255", after: "192.169.0.0",
            opened: true),
        Case(first: "198.18.0.0", last: "198.19.255.255", before: "198.17.255.255", after: "198.20.0.0"),
        Case(first: "198.51.100.0", last: "198.51.100.255", before: "198.51.99.255", after: "198.51.101.0"),
        Case(first: "203.0.113.0", last: "203.0.113.255", before: "203.0.112.255", after: "203.0.114.0"),
        Case(first: "224.0.0.0", last: "239.255.255.255", before: "223.255.255.255"),
        Case(first: "240.0.0.0", last: "255.255.255.255"),
        Case(first: "100.100.100.200", last: "100.100.100.200"),
        Case(first: "168.63.129.16", last: "168.63.129.16", before: "168.63.129.15", after: "168.63.129.17"),
        Case(first: "::", last: "::"),
        Case(first: "::1", last: "::1", opened: true),
        Case(first: "::2", last: "::ffff:ffff"),
        Case(first: "::ffff:0:0", last: "::ffff:ffff:ffff"),
        Case(first: "64:ff9b::", last: "64:ff9b::ffff:ffff"),
        Case(first: "64:ff9b:1::", last: "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
        Case(first: "100::", last: "100::ffff:ffff:ffff:ffff"),
        Case(first: "1fff:ffff::", last: "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", after: "2000::"),
        Case(
            first: "2001::", last: "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", before: "2000:ffff::",
            after: "2001:200::"),
        Case(
            first: "2001:db8::", last: "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
            before: "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", after: "2001:db9::"),
        Case(
            first: "2002::", last: "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            before: "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", after: "2003::"),
        Case(
            first: "3fff::", last: "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
            before: "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", after: "3fff:1000::"),
        Case(first: "4000::", last: "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Case(first: "fc00::", last: "fc00::1", opened: true),
        Case(first: "fdff::", last: "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", opened: true),
        Case(first: "fd00:ec2::254", last: "fd00:ec2::254"),
        Case(first: "fd20:ce::254", last: "fd20:ce::254"),
        Case(first: "fe80::", last: "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Case(first: "fec0::", last: "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        Case(first: "ff00::", last: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ]

    private func isRefused(_ text: String, _ addressGuard: AddressGuard = AddressGuard()) throws -> Bool {
        let address = try #require(IPAddress(text), "\(text)")
        return addressGuard.refusal(of: address, asV6: text.contains(":")) != nil
    }

    @Test(arguments: ranges)
    func isRefusedFromItsFirstToItsLastAddress(_ range: Case) throws {
        #expect(try isRefused(range.first))
        #expect(try isRefused(range.last))
        if let before = range.before { #expect(try !isRefused(before)) }
        if let after = range.after { #expect(try !isRefused(after)) }
    }

    /// `allow_networks` opens private networks and loopback, and nothing else, however much it names.
    @Test(arguments: ranges)
    func onlyPrivateNetworksAndLoopbackCanBeOpened(_ range: Case) throws {
        let all = [
            Network(address: try #require(IPAddress("::")), prefix: 0),
            Network(address: try #require(IPAddress("0.0.0.0")), prefix: 96),
        ]
        let opened = AddressGuard(allowing: all)
        #expect(try isRefused(range.first, opened) == !range.opened)
        #expect(try isRefused(range.last, opened) == !range.opened)
    }

    @Test func onlyTheNamedNetworkIsOpened() throws {
        let network = Network(address: try #require(IPAddress("10.1.0.0")), prefix: 96 + 16)
        let opened = AddressGuard(allowing: [network])
        #expect(try !isRefused("10.1.0.0", opened))
        #expect(try !isRefused("10.1.255.255", opened))
        #expect(try isRefused("10.0.255.255", opened))
        #expect(try isRefused("10.2.0.0", opened))
        #expect(try isRefused("::ffff:10.1.0.0", opened))
    }

    @Test(arguments: [
        "169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254", "fd00:42::42", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::",
        "fe80::a9fe:a9fe",
    ])
    func metadataIsNeverReached(_ address: String) throws {
        let everything = ["::", "0.0.0.0", "169.254.0.0", "fd00::", "100.64.0.0"].compactMap(IPAddress.init)
            .map {
                Network(address: $0, prefix: 0)
            }
        #expect(try isRefused(address, AddressGuard(allowing: everything)))
    }

    @Test(arguments: [
        "8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::8", "2620:fe::fe",
    ])
    func thePublicInternetIsReached(_ address: String) throws {
        #expect(try !isRefused(address))
    }

    @Test func theReasonNamesTheRange() throws {
        let loopback = try #require(IPAddress("127.0.0.1"))
        #expect(AddressGuard().refusal(of: loopback, asV6: false) == "a loopback address (127.0.0.0/8)")
    }
}
