import Foundations

/// Decides which addresses a request may connect to: the public Internet, and what the operator opened.
///
/// It judges the address that was resolved, at the moment its socket connects, so that a name whose answer changes
/// between two look-ups gains nothing. It fails closed: of IPv6 only what is assigned to the public (2000::/3) passes.
package struct AddressGuard: Sendable {
    /// Private networks and loopback that may be reached all the same: `allow_networks`.
    package var allowed: [Network]

    package init(allowing networks: [Network] = []) { allowed = networks }

    /// Why an address is refused; nil: it may be connected to.
    ///
    /// - Parameter asV6: The socket is of IPv6. An IPv4 address in such a one is a mapped form, and refused.
    package func refusal(of address: IPAddress, asV6: Bool) -> String? {
        if asV6, address.isV4 { return "an IPv4 address in IPv6 (::ffff:0:0/96)" }
        if let range = Self.metadata.first(where: { $0.network.contains(address) }) { return range.name }
        if let range = Self.ranges.first(where: { $0.network.contains(address) }) {
            let isOpened = range.mayBeOpened && allowed.contains { $0.contains(address) }
            return isOpened ? nil : range.name
        }
        if address.isV4 || Self.publicV6.contains(address) { return nil }
        return "an IPv6 address that is not public"
    }

    struct Range: Sendable {
        let network: Network
        let name: String
        var mayBeOpened = false
    }

    /// Assigned to the public (RFC 4291, 2.4; RFC 3513).
    private static let publicV6 = Network(address: IPAddress(high: 0x2000 << 48, low: 0), prefix: 3)

    private static func v4(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: UInt32, _ prefix: Int) -> Network {
        Network(address: IPAddress(v4: a << 24 | b << 16 | c << 8 | d), prefix: 96 + prefix)
    }

    private static func v6(_ high: UInt64, low: UInt64 = 0, _ prefix: Int) -> Network {
        Network(address: IPAddress(high: high, low: low), prefix: prefix)
    }

    /// Where clouds hand out credentials to whoever asks from inside: never, whatever is allowed.
    static let metadata: [Range] = [
        // AWS, Google, Azure, Oracle, OpenStack and others at 169.254.169.254; containers at 169.254.170.2; …
        Range(network: v4(169, 254, 0, 0, 16), name: "a link-local address, as cloud metadata has"),
        Range(network: v6(0xfe80 << 48, 10), name: "a link-local address"),
        Range(network: v4(100, 100, 100, 200, 32), name: "a cloud metadata address (Alibaba)"),
        Range(network: v4(168, 63, 129, 16, 32), name: "a cloud metadata address (Azure)"),
        Range(network: v4(192, 0, 0, 192, 32), name: "a cloud metadata address (Oracle)"),
        Range(network: v6(0xfd00_0ec2_0000_0000, 32), name: "a cloud metadata address (AWS)"),
        Range(network: v6(0xfd20_00ce_0000_0000, low: 0x254, 128), name: "a cloud metadata address (Google)"),
        Range(
            network: v6(0xfd00_0042_0000_0000, low: 0x42, 128), name: "a cloud metadata address (Scaleway)"),
    ]

    /// The IANA registries of special-purpose addresses, and those of multicast.
    static let ranges: [Range] = [
        Range(network: v4(0, 0, 0, 0, 8), name: "“this network” (0.0.0.0/8)"),
        Range(network: v4(10, 0, 0, 0, 8), name: "a private address (10.0.0.0/8)", mayBeOpened: true),
        Range(
            network: v4(100, 64, 0, 0, 10), name: "a shared address (100.64.0.0/10)", mayBeOpened: true),
        Range(network: v4(127, 0, 0, 0, 8), name: "a loopback address (127.0.0.0/8)", mayBeOpened: true),
        Range(
            network: v4(172, 16, 0, 0, 12), name: "a private address (172.16.0.0/12)", mayBeOpened: true),
        Range(network: v4(192, 0, 0, 0, 24), name: "a reserved address (192.0.0.0/24)"),
        Range(network: v4(192, 0, 2, 0, 24), name: "a documentation address (192.0.2.0/24)"),
        Range(network: v4(192, 88, 99, 0, 24), name: "a 6to4 relay (192.88.99.0/24)"),
        Range(
            network: v4(192, 168, 0, 0, 16), name: "a private address (192.168.0.0/16)", mayBeOpened: true),
        Range(network: v4(198, 18, 0, 0, 15), name: "a benchmark address (198.18.0.0/15)"),
        Range(network: v4(198, 51, 100, 0, 24), name: "a documentation address (198.51.100.0/24)"),
        Range(network: v4(203, 0, 113, 0, 24), name: "a documentation address (203.0.113.0/24)"),
        Range(network: v4(224, 0, 0, 0, 4), name: "a multicast address (224.0.0.0/4)"),
        Range(network: v4(240, 0, 0, 0, 4), name: "a reserved address (240.0.0.0/4)"),

        Range(network: v6(0, low: 1, 128), name: "a loopback address (::1)", mayBeOpened: true),
        Range(network: v6(0, low: 0, 96), name: "an IPv4 address in IPv6 (::/96)"),
        Range(network: v6(0x0064_ff9b_0000_0000, 96), name: "a NAT64 address (64:ff9b::/96)"),
        Range(network: v6(0x0064_ff9b_0001_0000, 48), name: "a NAT64 address (64:ff9b:1::/48)"),
        Range(network: v6(0x0100 << 48, 64), name: "a discard address (100::/64)"),
        Range(network: v6(0x2001_0000_0000_0000, 23), name: "a reserved address (2001::/23)"),
        Range(network: v6(0x2001_0db8_0000_0000, 32), name: "a documentation address (2001:db8::/32)"),
        Range(network: v6(0x2002 << 48, 16), name: "a 6to4 address (2002::/16)"),
        Range(network: v6(0x3fff << 48, 20), name: "a documentation address (3fff::/20)"),
        Range(network: v6(0xfc00 << 48, 7), name: "a unique-local address (fc00::/7)", mayBeOpened: true),
        Range(network: v6(0xff00 << 48, 8), name: "a multicast address (ff00::/8)"),
    ]
}
