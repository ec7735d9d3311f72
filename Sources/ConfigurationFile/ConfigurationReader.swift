import Foundations

/// Reads the top of the file.
struct ConfigurationReader {
    static let keys = [
        "listen", "data", "database", "panel", "timezone", "primary_key", "debug", "log",
        "proxies", "deduplicate", "sessions", "country", "identities", "traits", "sources", "limits", "smtp",
        "journeys", "admin",
    ]
    static let sessionKeys = ["timeout"]

    /// Where relative paths start: the working directory.
    let directory: String
    let findings: Findings
    private(set) var configuration = Configuration()

    init(_ root: Value?, directory: String, findings: Findings) {
        (self.directory, self.findings) = (directory, findings)
        configuration.data = "\(directory)/data"
        let root = root ?? .map([], Place(1, 1))
        guard let section = Section(root, path: "", keys: ConfigurationReader.keys, findings: findings) else {
            return
        }
        readAddresses(section)
        readTexts(section)
        readParts(section)
        readJourneys(section)
    }

    private mutating func readAddresses(_ section: Section) {
        let addresses = section.texts("listen", emptyAllowed: false) { text throws(Refusal) in
            try Check.listenAddress(text, from: directory)
        }
        if let addresses {
            configuration.listen = []
            for (address, place) in addresses {
                if configuration.listen.contains(address) {
                    findings.add(
                        Mistake(place, "listen names this address twice", expected: "each address once"))
                }
                configuration.listen.append(address)
            }
        }
        for (network, place) in section.texts("proxies", Check.network) ?? [] {
            let everyone = network.prefix == 0 || network.prefix == 96 && network.address.isV4
            if everyone {
                findings.warn(place, "proxies believes everyone: any client can claim any address")
            }
            configuration.trustedProxies.append(network)
        }
    }

    private mutating func readTexts(_ section: Section) {
        let data = section.text("data") { text throws(Refusal) in try Check.path(text, from: directory) }
        configuration.data = data ?? configuration.data
        configuration.database = section.text("database", secret: true, Check.database)
        let panel = section.text("panel", Check.name)
        configuration.panel = panel ?? configuration.panel
        let timezone = section.text("timezone") { text throws(Refusal) in try Check.timeZone(text) }
        configuration.timezone = timezone ?? configuration.timezone
        configuration.primaryKey = section.text("primary_key", Check.name)
        configuration.debug = section.flag("debug") ?? configuration.debug
        let level = section.text("log", Check.logLevel)
        configuration.logLevel = level ?? configuration.logLevel
        let deduplicate = section.text("deduplicate", Check.deduplicate)
        configuration.deduplicate = deduplicate ?? configuration.deduplicate
    }

    private mutating func readParts(_ section: Section) {
        configuration.identity = IdentityConfiguration(section, primaryKey: configuration.primaryKey)
        if let value = section.value("sessions"),
            let sessions = Section(
                value, path: "sessions", keys: ConfigurationReader.sessionKeys, findings: findings)
        {
            let timeout = sessions.duration("timeout", in: 1_000_000...86_400_000_000)
            configuration.sessionTimeout = timeout ?? configuration.sessionTimeout
        }
        if let value = section.value("sources") {
            configuration.sources = SourceReader(value, findings: findings).sources
            configuration.identity.check(configuration.sources, section)
        } else {
            findings.warn(nil, "there are no sources: all events will be answered 401")
        }
        if let value = section.value("limits"),
            let limits = Section(value, path: "limits", keys: Limits.keys, findings: findings)
        {
            configuration.limits = Limits(limits)
        }
        if let value = section.value("smtp") {
            if case .map = value {
                if let smtp = Section(value, path: "smtp", keys: Configuration.SMTP.keys, findings: findings)
                {
                    configuration.smtp = Configuration.SMTP(smtp, directory: directory)
                }
            } else {
                section.refuse(value, "smtp", Refusal("is not a mapping", expected: "a mapping"), true)
            }
        }
        if let value = section.value("admin"),
            let admin = Section(
                value, path: "admin", keys: Configuration.Admin.keys, findings: findings)
        {
            configuration.admin = Configuration.Admin(admin, directory: directory)
        }
    }

    /// Where the commands look for the journeys' files; the server runs what was applied.
    private mutating func readJourneys(_ section: Section) {
        configuration.journeys = section.text("journeys") { text throws(Refusal) in
            try Check.path(text, from: directory)
        }
    }
}

/// Every key there is, with where it stands: `listen`, `sources.id`, `limits.body`.
package let configurationKeys: [String] =
    ConfigurationReader.keys + SourceReader.keys.map { "sources.\($0)" } + Limits.keys.map { "limits.\($0)" }
    + Configuration.Admin.keys.map { "admin.\($0)" }
    + Configuration.SMTP.keys.map { "smtp.\($0)" }
    + ConfigurationReader.sessionKeys.map { "sessions.\($0)" }
    + IdentityKind.keys.map { "identities.\($0)" } + TraitRule.keys.map { "traits.\($0)" }
    + IdentityPoint.keys.map { "sources.identify.\($0)" } + TraitMapping.keys.map { "sources.traits.\($0)" }
    + OutsideLookup.keys.map { "sources.lookup.\($0)" }
