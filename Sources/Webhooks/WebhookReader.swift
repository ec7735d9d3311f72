import ConfigurationFile
import Foundations
import Outbound

/// Reads `webhooks` of the journeys' files: a mapping of names to definitions.
///
/// Secrets are not needed to read it: `${NAME}` stays a reference, and what contains one is checked when a server
/// fills it in (see `Endpoint`).
package struct WebhookReader {
    package static let keys = [
        "label", "url", "format", "basic", "bearer", "headers", "attributes", "timeout", "batch", "order",
        "limit",
        "alert", "sign", "success", "retry_4xx", "ca", "allow_networks", "disable_after",
    ]

    /// Nil when something in it is wrong; the mistakes are noted.
    package private(set) var definition: WebhookDefinition?
    private let findings: Findings
    private let directory: String

    /// All of `webhooks`; those with mistakes are left out.
    ///
    /// - Parameter directory: Where a relative path of `ca` starts.
    package static func read(
        _ value: Value, directory: String, findings: Findings
    ) -> [WebhookDefinition] {
        guard case .map(let entries, _) = value else {
            let expected = "a mapping: a name for each webhook, and under it its keys"
            findings.add(
                Mistake(
                    value.place, "webhooks is not a mapping", expected: expected, found: value.described()))
            return []
        }
        return entries.compactMap { entry -> WebhookDefinition? in
            do throws(Refusal) {
                let name = try Check.name(entry.key)
                let path = "webhooks.\(name)"
                let reader = WebhookReader(
                    name: name, path: path, entry.value, directory: directory, findings: findings)
                return reader.definition
            } catch {
                findings.add(
                    Mistake(
                        entry.place, "the name \(quoted(entry.key)) \(error.problem)",
                        expected: error.expected))
                return nil
            }
        }
    }

    init(name: String, path: String, _ value: Value, directory: String, findings: Findings) {
        self.findings = findings
        self.directory = directory
        let before = findings.mistakes.count
        guard let section = Section(value, path: path, keys: Self.keys, findings: findings) else { return }
        section.require("url", "where deliveries are posted to")
        let url = section.text("url") { text throws(Refusal) in try Self.url(text) }
        var read = WebhookDefinition(name: name, url: url ?? "")
        if let label = section.text("label", Check.name) { read.label = label }
        read.format = choice(section, "format", WebhookDefinition.Format.self) ?? read.format
        read.order = choice(section, "order", WebhookDefinition.Order.self) ?? read.order
        read.success = choice(section, "success", WebhookDefinition.Success.self) ?? read.success
        read.retries4xx = section.flag("retry_4xx") ?? read.retries4xx
        read.attributes = section.texts("attributes", Check.name)?.map(\.value) ?? []
        let second: Int64 = 1_000_000
        read.timeout = section.duration("timeout", in: 100_000...300 * second) ?? read.timeout
        read.disableAfter =
            section.duration("disable_after", in: 60 * second...366 * 86_400 * second) ?? read.disableAfter
        readAuthorization(section, &read)
        readHeaders(section, &read)
        readParts(section, &read)
        readSafety(section, &read)
        if findings.mistakes.count == before { definition = read }
    }

    private func choice<T: RawRepresentable & CaseIterable>(
        _ section: Section, _ key: String, _ type: T.Type
    ) -> T? where T.RawValue == String {
        section.text(key) { text throws(Refusal) in try Check.choice(text, of: type) }
    }

    private func readAuthorization(_ section: Section, _ read: inout WebhookDefinition) {
        if let value = section.value("basic"),
            let basic = Section(
                value, path: section.name("basic"), keys: ["user", "password"], findings: findings)
        {
            basic.require("user", "the user's name")
            basic.require("password", "a reference such as ${CRM_PASSWORD}")
            let user = basic.text("user") { text throws(Refusal) in try Self.headerText(text) }
            let password = basic.text("password", secret: true) { text throws(Refusal) in
                try Self.headerText(text)
            }
            if let user, let password { read.authorization = .basic(user: user, password: password) }
            if let user, user.contains(":") {
                findings.add(
                    Mistake(
                        basic.place(of: "user"),
                        "\(basic.name("user")) holds a colon, which ends a user's name"))
            }
            if let password { warn(ofLiteral: password, basic, "password") }
        }
        guard
            let bearer = section.text(
                "bearer", secret: true, { text throws(Refusal) in try Self.headerText(text) })
        else { return }
        warn(ofLiteral: bearer, section, "bearer")
        if section.has("basic") {
            findings.add(
                Mistake(
                    section.place(of: "bearer"), "\(section.path) has both basic and bearer",
                    expected: "one of them"))
        }
        read.authorization = .bearer(bearer)
    }

    private func warn(ofLiteral text: String, _ section: Section, _ key: String) {
        guard !text.contains("${") else { return }
        let name = section.name(key)
        findings.warn(
            section.place(of: key),
            "\(name) is a secret in the open: write ${NAME} and set NAME where servers run")
    }

    /// Headers that are ours to write.
    private static let reserved = [
        "host", "content-length", "content-type", "transfer-encoding", "connection", "authorization",
        "webhook-id",
        "webhook-timestamp", "webhook-signature", "expect",
    ]

    private func readHeaders(_ section: Section, _ read: inout WebhookDefinition) {
        guard let value = section.value("headers") else { return }
        guard case .map(let entries, _) = value else {
            section.refuse(
                value, section.name("headers"),
                Refusal("is not a mapping", expected: "names of headers with their values"))
            return
        }
        for entry in entries {
            let path = "\(section.name("headers")).\(entry.key)"
            guard HeaderCheck.isName(entry.key), !Self.reserved.contains(entry.key.lowercased()) else {
                let expected = "a header's name that is not one of those that Waymark sends itself"
                findings.add(
                    Mistake(entry.place, "\(quoted(entry.key)) cannot be a header here", expected: expected))
                continue
            }
            guard case .scalar(let scalar) = entry.value, !scalar.isBroken else {
                section.refuse(entry.value, path, Refusal("is not a text", expected: "a text"))
                continue
            }
            guard HeaderCheck.isValue(scalar.text) else {
                let refusal = Refusal("cannot be sent", expected: "one line without control characters")
                section.refuse(entry.value, path, refusal, true)
                continue
            }
            read.headers.append((entry.key, scalar.text))
        }
    }

    private func readParts(_ section: Section, _ read: inout WebhookDefinition) {
        let second: Int64 = 1_000_000
        if let value = section.value("batch"),
            let batch = Section(
                value, path: section.name("batch"), keys: ["max", "linger"], findings: findings)
        {
            read.batch.max = batch.number("max", in: 1...100) ?? read.batch.max
            read.batch.linger = batch.duration("linger", in: 0...300 * second) ?? read.batch.linger
        }
        if let value = section.value("limit"),
            let limit = Section(
                value, path: section.name("limit"), keys: ["concurrency", "rate"], findings: findings)
        {
            read.limit.concurrency = limit.number("concurrency", in: 1...1000) ?? read.limit.concurrency
            read.limit.rate = limit.rate("rate")
        }
        if let value = section.value("alert"),
            let alert = Section(
                value, path: section.name("alert"), keys: ["to", "every", "recovery"], findings: findings)
        {
            alert.require("to", "addresses that get the mails")
            let to = alert.texts("to", emptyAllowed: false) { text throws(Refusal) in
                if HeaderCheck.isMailAddress(text) || text.contains("${") { return text }
                throw Refusal("is no mail address", expected: "one such as ops@acme.example")
            }
            var parts = WebhookDefinition.Alert(to: to?.map(\.value) ?? [])
            parts.every = alert.duration("every", in: second...366 * 86_400 * second) ?? parts.every
            parts.recovery = alert.flag("recovery") ?? parts.recovery
            read.alert = parts
        }
    }

    private func readSafety(_ section: Section, _ read: inout WebhookDefinition) {
        let secrets = section.texts("sign") { text throws(Refusal) in
            if text.contains("${") || SigningSecret(text) != nil { return text }
            throw Refusal(
                "is no signing secret", expected: "whsec_ and base64, or a reference such as ${CC_SECRET}")
        }
        if let secrets, secrets.count > 2 {
            findings.add(
                Mistake(
                    section.place(of: "sign"), "\(section.name("sign")) has \(secrets.count) secrets",
                    expected: "one, or two while receivers change over"))
        }
        read.sign = secrets?.map(\.value) ?? []
        for secret in read.sign { warn(ofLiteral: secret, section, "sign") }
        read.ca = section.text("ca") { text throws(Refusal) in
            text.contains("${") ? text : try Check.path(text, from: directory)
        }
        for (network, place) in section.texts("allow_networks", Check.network) ?? [] {
            if network.prefix == 0 || network.prefix == 96 && network.address.isV4 {
                let name = section.name("allow_networks")
                findings.warn(
                    place, "\(name) opens every private network: name those that the receiver is in")
            }
            read.allowNetworks.append(network)
        }
        if let reason = OutboundURL.refusal(of: read.url, allowing: read.allowNetworks) {
            let expected = "a public address, or allow_networks with its network"
            findings.add(
                Mistake(section.place(of: "url"), "\(section.name("url")) is \(reason)", expected: expected))
        }
    }

    private static func url(_ text: String) throws(Refusal) -> String {
        if text.contains("${") { return text }
        if let problem = OutboundURL.problem(of: text) {
            throw Refusal(problem, expected: "a URL such as https://crm.example/hook")
        }
        return text
    }

    private static func headerText(_ text: String) throws(Refusal) -> String {
        if HeaderCheck.isValue(text), !text.isEmpty { return text }
        throw Refusal("cannot be sent in a header", expected: "one line without control characters")
    }
}
