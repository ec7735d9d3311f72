import Foundations

/// One place at which a server may be: what is set beyond the connection string. A string may name several hosts,
/// and a host may have several addresses; each gets its share of the time, as one that is silent would use it all.
struct Target {
    var host: String?
    var address: String?
    var port: String?

    var settings: [(String, String)] {
        [("host", host), ("hostaddr", address), ("port", port)].compactMap { key, value in
            value.map { (key, $0) }
        }
    }

    /// The places a connection string means, in its order; hosts whose names are not known are left out.
    static func all(of conninfo: String, until end: UInt64, _ interrupter: Interrupter) -> [Target] {
        guard let fields = try? Conninfo.parse(conninfo).get(), let hosts = fields["host"] else {
            return [Target()]
        }
        // With addresses given there is nothing to look up: all of it is libpq's matter.
        if fields["hostaddr"]?.isEmpty == false { return [Target()] }
        let names = hosts.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let ports = (fields["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(
            String.init)
        if names.count == 1, isLocal(names[0]) { return [Target()] }
        var targets: [Target] = []
        for (index, name) in names.enumerated() {
            let port = ports.count == names.count ? ports[index] : ports.first
            if isLocal(name) {
                targets.append(Target(host: name, address: "", port: port))
                continue
            }
            for address in HostLookup.addresses(of: name, until: end, interrupter) ?? [] {
                targets.append(Target(host: name, address: address, port: port))
            }
        }
        return targets
    }

    /// A socket's folder, or its abstract name, or the default.
    private static func isLocal(_ name: String) -> Bool {
        name.isEmpty || name.hasPrefix("/") || name.hasPrefix("@")
    }
}
