import ArgumentParser
import Foundations

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say every mistake of the configuration at once.",
        discussion: """
            Mistakes go to standard error as FILE:LINE:COLUMN with what was expected and the nearest known key; the \
            exit status is then 78. Warnings do not change the status. Nothing is started and nothing is connected to.

            EXAMPLES
              waymark check
              waymark check --config /etc/waymark/waymark.yaml && systemctl reload waymark
            """)

    @OptionGroup var file: ConfigurationOption

    func run() throws {
        let (configuration, warnings) = try file.read()
        for warning in warnings { printError("warning: \(warning)") }
        print("\(file.path): OK")
        for line in summary(of: configuration) { print("  \(line)") }
    }
}

/// What a configuration comes to, in a few lines; no secrets.
func summary(of configuration: Configuration) -> [String] {
    let sources = configuration.sources.map { source in
        let kinds = source.kinds.map(\.rawValue).sorted().joined(separator: " and ")
        return "\(source.id) (\(kinds)\(source.enabled ? "" : ", disabled"))"
    }
    return [
        "listen    \(configuration.listen.map(\.description).joined(separator: ", "))",
        "data      \(configuration.data)",
        "database  \(configuration.database == nil ? "embedded PostgreSQL, under data" : "as configured")",
        "sources   \(sources.isEmpty ? "none" : sources.joined(separator: ", "))",
    ]
}

extension Configuration.ListenAddress {
    fileprivate var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
