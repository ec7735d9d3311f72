import ConfigurationFile
import Foundations
import Glibc

/// The webhooks that stand in a folder's files: every `*.yaml` and `*.yml` of it, of which only `webhooks` and `panel`
/// are looked at.
package enum WebhookFolder {
    package struct Found: Sendable {
        package var webhooks: [(file: String, definition: WebhookDefinition)] = []
        /// As `FILE:LINE:COLUMN: …`
        package var mistakes: [String] = []
        package var warnings: [String] = []
        /// The top-level key of the bodies, where a file names it.
        package var panel: String?
        /// In which `ts` is written, where a file names it.
        package var timezone: String?
    }

    package static func read(_ folder: String) throws(SystemError) -> Found {
        var found = Found()
        for name in try names(in: folder) {
            let path = "\(folder)/\(name)"
            let text = String(decoding: try readFile(path, atMost: 8 << 20), as: UTF8.self)
            let findings = Findings()
            let document = Document(text, environment: nil, findings: findings)
            if case .map(let entries, _) = document.root {
                for entry in entries where entry.key == "webhooks" {
                    // Relative paths start where those of `apply` do.
                    let read = WebhookReader.read(
                        entry.value, directory: workingDirectory(), findings: findings)
                    found.webhooks += read.map { (path, $0) }
                }
                found.panel = Self.text("panel", entries) ?? found.panel
                found.timezone = Self.text("timezone", entries) ?? found.timezone
            }
            found.mistakes += Findings.sorted(findings.mistakes).map { $0.text(in: path) }
            found.warnings += Findings.sorted(findings.warnings).map { $0.text(in: path) }
        }
        return found
    }

    private static func text(_ key: String, _ entries: [Entry]) -> String? {
        guard case .scalar(let scalar) = entries.first(where: { $0.key == key })?.value else { return nil }
        return scalar.text
    }

    private static func names(in folder: String) throws(SystemError) -> [String] {
        guard let directory = opendir(folder) else { throw SystemError("opendir", folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".yaml") || name.hasSuffix(".yml"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }
}
