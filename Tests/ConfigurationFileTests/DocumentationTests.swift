import Foundations
import Testing

@testable import ConfigurationFile

/// The pages for people say what the reader does.
struct DocumentationTests {
    /// The repository, found from this file.
    static let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    static func text(_ path: String) throws -> String {
        String(decoding: try readFile("\(root)/\(path)", atMost: 1 << 20), as: UTF8.self)
    }

    /// Key and default of each "### `key`" of docs/configuration.md.
    static func documented() throws -> [(key: String, fallback: String)] {
        try text("docs/configuration.md").split(separator: "\n### `").dropFirst().map { part in
            let key = part.prefix { $0 != "`" }
            let fallback = part.split(separator: "\n").first { $0.hasPrefix("Default: ") }
            return (String(key), fallback.map { String($0.dropFirst("Default: ".count)) } ?? "")
        }
    }

    @Test func everyKeyIsDocumentedOnceAndNoOther() throws {
        let keys = try DocumentationTests.documented().map(\.key)
        #expect(keys.sorted() == configurationKeys.sorted())
    }

    @Test func everyDocumentedDefaultIsTheDefault() throws {
        var defaults = Configuration()
        defaults.data = "/srv/data"
        var compared = 0
        for (key, fallback) in try DocumentationTests.documented() {
            #expect(!fallback.isEmpty, "\(key) has no line \"Default: …\"")
            guard fallback.hasPrefix("`") else { continue }
            let value = fallback.dropFirst().prefix { $0 != "`" }
            let parts = key.split(separator: ".")
            var expected = defaults
            let text: String
            switch parts.first {
            case "sources" where parts.count == 2:
                text = "sources: [{id: a, kind: web, \(parts[1]): \(value)}]"
                expected.sources = [Source(id: "a", kinds: [.web])]
            case "limits" where parts.count == 2, "admin" where parts.count == 2,
                "sessions" where parts.count == 2:
                text = "\(parts[0]): {\(parts[1]): '\(value)'}"
            case "smtp" where parts.count == 2:
                text = "smtp: {host: a, from: a@b.example, \(parts[1]): \(value)}"
                expected.smtp = Configuration.SMTP(host: "a", from: "a@b.example")
            default: text = "\(key): \(value)"
            }
            let read = try read(
                ["limits.events", "limits.depth", "limits.connections", "limits.activities"].contains(key)
                    ? text.replacing("'", with: "") : text)
            #expect(read.configuration == expected, "\(key)")
            compared += 1
        }
        #expect(compared > 25)
    }

    @Test func theConfigurationThatComesWithItHasNoMistakesAndNoWarnings() throws {
        let (configuration, warnings) = try readConfiguration(
            path: "\(DocumentationTests.root)/Config/waymark.yaml", environment: { _ in nil })
        #expect(warnings.isEmpty)
        #expect(configuration.database == nil)
        #expect(configuration.listen == [.tcp(host: "127.0.0.1", port: 8686)])
        #expect(configuration.data == workingDirectory() + "/data")
        #expect(configuration.sources.map(\.id) == ["shop-web", "crm"])
        #expect(configuration.sources.map(\.kinds) == [[.web], [.backend]])
    }

    @Test func theCommentedLinesOfThatConfigurationWorkAsWell() throws {
        let text = try DocumentationTests.text("Config/waymark.yaml")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let body = line.drop { $0 == " " }
            let isKey = ["# database:", "# key:", "# origins:", "# admin:"].contains { body.hasPrefix($0) }
            return isKey ? line.prefix(line.count - body.count) + body.dropFirst(2) : line
        }.filter { !$0.contains("origins: [\"*\"]") }
        let environment = [
            "DATABASE_PASSWORD": "p", "CRM_KEY": "0123456789abcdef",
            "WAYMARK_READ_TOKEN": "the-token-to-read", "WAYMARK_WRITE_TOKEN": "the-token-to-write",
        ]
        let configuration = try read(lines.joined(separator: "\n"), environment).configuration
        #expect(configuration.database == "postgres://waymark:p@db.example:5432/waymark")
        #expect(configuration.sources.map(\.key) == [nil, "0123456789abcdef"])
        #expect(configuration.sources[0].origins == ["https://shop.example", "https://*.shop.example"])
        #expect(configuration.admin.readToken == "the-token-to-read")
        #expect(configuration.admin.writeToken == "the-token-to-write")
    }

    @Test func theExampleOfTheReadmeWorks() throws {
        let after = try #require(
            try DocumentationTests.text("README.md").split(separator: "\n## Configuration").last)
        let example = after.split(separator: "\n", omittingEmptySubsequences: false)
            .drop { !$0.hasPrefix("    ") }.prefix { $0.isEmpty || $0.hasPrefix("    ") }
            .map { String($0.dropFirst(4)) }.joined(separator: "\n")
        let environment = ["DATABASE_PASSWORD": "p", "CRM_KEY": "0123456789abcdef"]
        let (configuration, warnings) = try read(example, environment)
        #expect(warnings.isEmpty)
        #expect(configuration.sources.map(\.id) == ["shop-web", "crm"])
        #expect(configuration.limits.spool == 20 << 30)
    }

    @Test func everyMetricIsExplained() throws {
        let source = try DocumentationTests.text("Sources/waymark/MetricsPage.swift")
        let page = try DocumentationTests.text("docs/operations.md")
        let names = Set(source.matches(of: /"waymark_([a-z_]+)"/).map { String($0.1) })
        #expect(names.count > 15)
        for name in names.sorted() {
            #expect(page.contains("`\(name)`") || page.contains("`\(name){"), "waymark_\(name)")
        }
    }
}
