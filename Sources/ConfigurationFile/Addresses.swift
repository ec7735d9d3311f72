import Foundations

extension Check {
    /// `127.0.0.1:8686`, `[::1]:8686`, `localhost:8686`, `*:8686` or `unix:/path`.
    package static func listenAddress(
        _ text: String, from directory: String
    ) throws(Refusal) -> Configuration.ListenAddress {
        let expected = "HOST:PORT such as 127.0.0.1:8686, [::1]:8686 or *:8686, or unix:/path"
        if text.hasPrefix("unix:") {
            let path = try path(String(text.dropFirst(5)), from: directory)
            if path.utf8.count <= 107 { return .unix(path: path) }
            let expected = "at most 107 bytes, not \(path.utf8.count)"
            throw Refusal("has too long a path for a socket", expected: expected)
        }
        guard let colon = text.lastIndex(of: ":") else {
            let suggestion = UInt16(text) != nil ? "127.0.0.1:\(text)" : "\(text):8686"
            throw Refusal("has no port", expected: expected, suggestion: suggestion)
        }
        var host = String(text[..<colon])
        guard let port = port(text[text.index(after: colon)...]) else {
            throw Refusal("has no port from 0 to 65535", expected: expected)
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            if host.contains(":"), IPAddress(host) != nil { return .tcp(host: host, port: port) }
        } else if host == "*" || isHostName(host) {
            return .tcp(host: host, port: port)
        } else if host.contains(":"), IPAddress(host) != nil {
            throw Refusal(
                "has an IPv6 address without brackets", expected: expected, suggestion: "[\(host)]:\(port)")
        }
        throw Refusal("is not an address to listen on", expected: expected)
    }

    /// An origin as browsers send it, or a pattern `https://*.shop.example`, or `*`.
    package static func origin(_ text: String) throws(Refusal) -> String {
        if text == "*" { return text }
        let expected = "scheme://host or scheme://host:port, https://*.shop.example, or *"
        let parts = text.lowercased().split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            let host = isHostName(text.lowercased().split(separator: ":").first.map(String.init) ?? "")
            throw Refusal("is not an origin", expected: expected, suggestion: host ? "https://\(text)" : nil)
        }
        let (scheme, authority) = (String(parts[0]), String(parts[1]))
        if let slash = authority.firstIndex(of: "/") {
            throw Refusal(
                "has a path, which origins have not", expected: expected,
                suggestion: "\(scheme)://\(authority[..<slash])")
        }
        guard scheme.utf8.first.map(isLetter) == true,
            scheme.utf8.allSatisfy({ isLetter($0) || isDigit($0) || $0 == 43 || $0 == 45 || $0 == 46 })
        else { throw Refusal("is not an origin", expected: expected) }

        var host = authority
        var number: UInt16?
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            number = port(authority[authority.index(after: colon)...])
            host = String(authority[..<colon])
            if number ?? 0 == 0 { throw Refusal("has no port from 1 to 65535", expected: expected) }
        }
        let inside = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : ""
        let literal = IPAddress(inside) != nil
        guard literal || isHostName(host.hasPrefix("*.") ? String(host.dropFirst(2)) : host) else {
            throw Refusal("has no valid host (names beyond ASCII as xn--…)", expected: expected)
        }
        // Browsers leave a scheme's own port out.
        let usual = scheme == "https" && number == 443 || scheme == "http" && number == 80
        return "\(scheme)://\(host)" + (number.map { usual ? "" : ":\($0)" } ?? "")
    }

    /// A network in CIDR notation, or one address.
    package static func network(_ text: String) throws(Refusal) -> Network {
        let expected = "a network such as 10.0.0.0/8 or fd00::/8, or an address"
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else {
            throw Refusal("is not a network", expected: expected)
        }
        let isV4 = address.isV4 && !parts[0].contains(":")
        let bits = isV4 ? 32 : 128
        var prefix = bits
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy(isDigit), let number = Int(parts[1]), number <= bits else {
                throw Refusal("has a prefix that is not 0 to \(bits)", expected: expected)
            }
            prefix = number
        }
        let network = Network(address: address, prefix: prefix + 128 - bits)
        let first = network.first
        if first != address {
            throw Refusal(
                "has bits behind its prefix", expected: "the network's first address",
                suggestion: "\(first)/\(prefix)")
        }
        return network
    }

    private static func port(_ text: Substring) -> UInt16? {
        text.utf8.allSatisfy(isDigit) ? UInt16(text) : nil
    }

    /// Letters, digits, `-` and `_` in labels of at most 63, joined by dots.
    private static func isHostName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == 45 || $0 == 95 }
            }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 32) }
    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}

extension Network {
    /// The address with all bits behind the prefix cleared.
    fileprivate var first: IPAddress {
        func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits)) }
        return IPAddress(high: address.high & mask(prefix), low: address.low & mask(prefix - 64))
    }
}
