import Foundations

/// What can be said about a URL before anything is looked up.
package enum OutboundURL {
    /// What is wrong with it, to stand behind its name: `is neither http nor https`. Nil: nothing.
    package static func problem(of url: String) -> String? {
        guard url.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            return "has characters that must be percent-encoded"
        }
        guard url.utf8.count <= 8192 else { return "is longer than 8192 bytes" }
        guard let host = host(of: url) else { return "is neither http://host/… nor https://host/…" }
        if host.isEmpty { return "has no host" }
        if host.contains("@") { return "has a user in it, which belongs into basic or bearer" }
        return nil
    }

    /// Why its host, when it is a literal address, could never be connected to.
    package static func refusal(of url: String, allowing networks: [Network]) -> String? {
        guard var host = host(of: url) else { return nil }
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            host = host[host.index(after: host.startIndex)..<end]
        } else {
            host = host.prefix { $0 != ":" }
        }
        guard let address = IPAddress(String(host)) else { return nil }
        return AddressGuard(allowing: networks).refusal(of: address, asV6: host.contains(":"))
    }

    /// What stands between `//` and the path, port included.
    private static func host(of url: String) -> Substring? {
        let lower = url.lowercased()
        guard let scheme = ["http://", "https://"].first(where: lower.hasPrefix) else { return nil }
        return url.dropFirst(scheme.count).prefix { !"/?#\\".contains($0) }
    }
}
