import ConfigurationFile
import Enrolments
import Foundations
import Journeys
import Postgres
import Webhooks

/// The journeys' files that came in a body, read.
struct SentDefinitions {
    let folder: DefinitionFolder
    let set: DefinitionSet
    let zone: Zone

    static let refusals: KeyValuePairs<Int, String> = [409: "The files have mistakes: `detail` lists them."]

    init(_ inquiry: Inquiry, _ setting: RulesInForce.Setting) {
        var texts: [(name: String, text: String)] = []
        if case .list(let files)? = inquiry.body["files"] {
            texts = files.map { ($0["name"]?.asText ?? "", $0["text"]?.asText ?? "") }
        }
        folder = DefinitionFolder(texts: texts)
        var settings = PanelSettings()
        // What the configuration does not say is as in a new one.
        let usual = Configuration()
        settings.panel = setting.panel == usual.panel ? nil : setting.panel
        settings.timezone = setting.timezone == usual.timezone ? nil : setting.timezone
        settings.primaryKey = setting.primaryKey
        folder.compare(with: settings, of: "the server's configuration")
        set = DefinitionSet(folder)
        zone = Zone(folder.panel.timezone ?? setting.timezone) ?? .utc
    }

    /// Refused if there is a mistake, or no file.
    func whole() throws(Refusal) -> SentDefinitions {
        let mistakes = folder.files.isEmpty ? ["no file was sent"] : folder.mistakes
        guard mistakes.isEmpty else { throw .mistakes(mistakes) }
        return self
    }

    /// Of what was read, and of names that nobody has sent yet.
    func warnings(_ connection: Connection) throws(PostgresError) -> [String] {
        if let known = try KnownNames.read(attributes: folder.attributes, connection) {
            folder.compare(with: known)
        }
        return folder.warnings
    }
}

extension WebhookDefinition {
    /// Why this may not be applied over HTTP: it wants something that no applied webhook to the same address has.
    func wants(moreThan known: some Sequence<WebhookDefinition>) -> String? {
        let mine = privileges
        var allowed: Set<String> = []
        for webhook in known where webhook.origin == origin { allowed.formUnion(webhook.privileges) }
        let more = mine.subtracting(allowed).sorted()
        guard !more.isEmpty else { return nil }
        let what = "webhook \(name) wants \(more.joined(separator: ", "))"
        return "\(what) for an address that was not applied with it (expected `waymark journeys apply`)"
    }

    /// Scheme, host and port, as they are written.
    private var origin: String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.prefix(3).joined(separator: "/").lowercased()
    }

    /// What lets a server send something or somewhere that others may not.
    private var privileges: Set<String> {
        var texts = [url] + headers.map(\.value) + sign + (alert?.to ?? [])
        switch authorization {
        case .basic(let user, let password): texts += [user, password]
        case .bearer(let token): texts.append(token)
        case nil: break
        }
        var all = Set(texts.flatMap { text in Self.references(text) })
        all.formUnion(allowNetworks.map { "allow_networks \($0.text)" })
        if let ca { all.insert("ca \(ca)") }
        return all
    }

    /// The `${NAME}` of a text.
    private static func references(_ text: String) -> [String] {
        text.split(separator: "${", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.firstIndex(of: "}").map { "${\(part[..<$0])}" }
        }
    }
}
