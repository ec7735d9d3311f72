import Foundations

/// What `waymark.yaml` says of the panel and of where the journeys' files are; nil where it says nothing.
///
/// The journeys' files may say the first three as well. No secret of the configuration is needed to read them, and its
/// other mistakes are not looked at: `waymark check` says those.
package struct PanelSettings: Sendable, Equatable {
    package var panel: String?
    package var timezone: String?
    package var primaryKey: String?
    /// The folder of the journeys' files.
    package var journeys: String?

    package init() {}

    package init(
        text: String, environment: @escaping (String) -> String? = processEnvironment,
        directory: String = workingDirectory()
    ) {
        let findings = Findings()
        let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        guard let root = Document(text, environment: environment, findings: findings).root,
            let section = Section(root, path: "", keys: ConfigurationReader.keys, findings: findings)
        else { return }
        panel = section.text("panel", Check.name)
        timezone = section.text("timezone") { text throws(Refusal) in try Check.timeZone(text) }
        primaryKey = section.text("primary_key", Check.name)
        journeys = section.text("journeys") { text throws(Refusal) in try Check.path(text, from: directory) }
    }

    /// Of a file that is not there nothing is said.
    package init(path: String) {
        let bytes = try? readFile(path, atMost: 1 << 20)
        self.init(text: String(decoding: bytes ?? [], as: UTF8.self))
    }
}
