import ArgumentParser
import Foundations
import Testing

@testable import waymark

struct CommandTests {
    @Test(arguments: ["serve", "check", "database", "version"])
    func everyCommandTakesAConfiguration(name: String) throws {
        let command = try Waymark.parseAsRoot([name, "--config", "/etc/w.yaml"])
        let path =
            switch command {
            case let command as ServeCommand: command.file.path
            case let command as CheckCommand: command.file.path
            case let command as DatabaseCommand: command.file.path
            case let command as VersionCommand: command.file.path
            default: ""
            }
        #expect(path == "/etc/w.yaml")
    }

    @Test(arguments: ["serve", "check", "database", "version"])
    func everyCommandHasHelpWithAnExample(name: String) throws {
        let error = #expect(throws: (any Error).self) {
            var command = try Waymark.parseAsRoot([name, "--help"])
            try command.run()
        }
        let text = Waymark.fullMessage(for: try #require(error))
        #expect(text.contains("EXAMPLE"))
        #expect(text.contains("--config"))
    }

    @Test(arguments: [["chek"], ["check", "--conf", "x"], ["check", "extra"], ["serve", "--config"]])
    func wrongUsageExitsWith64(arguments: [String]) throws {
        let error = #expect(throws: (any Error).self) { _ = try Waymark.parseAsRoot(arguments) }
        #expect(Waymark.exitCode(for: try #require(error)).rawValue == 64)
    }

    @Test(arguments: ["check", "serve", "database"])
    func aMistakeInTheConfigurationExitsWith78(name: String) throws {
        var command = try Waymark.parseAsRoot([name, "--config", "/nowhere/w.yaml"])
        let error = #expect(throws: (any Error).self) { try command.run() }
        #expect(Waymark.exitCode(for: try #require(error)).rawValue == 78)
    }

    @Test func withoutItTheConfigurationIsTheRepositorys() throws {
        let command = try #require(try Waymark.parseAsRoot(["check"]) as? CheckCommand)
        #expect(command.file.path == "Config/waymark.yaml")
    }

    @Test func theSummaryKeepsSecrets() {
        var configuration = Configuration()
        configuration.database = "postgres://u:s3cr3t@h/d"
        configuration.listen = [.tcp(host: "::1", port: 1), .unix(path: "/w")]
        var source = Source(id: "crm", kinds: [.web, .backend])
        source.key = "s3cr3t"
        source.enabled = false
        configuration.sources = [source]
        let text = summary(of: configuration).joined(separator: "\n")
        #expect(!text.contains("s3cr3t"))
        #expect(text.contains("[::1]:1, unix:/w"))
        #expect(text.contains("crm (backend and web, disabled)"))
    }
}
