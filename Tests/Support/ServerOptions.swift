/// What a test's server is configured with; everything else keeps its default.
package struct ServerOptions: Sendable {
    /// Each a YAML mapping on one line: `{id: shop-web, kind: web}`.
    package var sources: [String]
    /// A connection string; nil: an embedded PostgreSQL.
    package var database: String?
    package var listen = ["127.0.0.1:0"]
    /// Lines below `limits:`.
    package var limits: [String] = []
    /// More lines at the top level.
    package var settings: [String] = ["debug: true"]
    package var environment: [String: String] = [:]
    /// A program and its arguments that starts the server: `["/usr/bin/prlimit", "--fsize=4096"]`.
    package var wrapper: [String] = []

    package init(sources: [String], database: String?) {
        self.sources = sources
        self.database = database
    }

    func yaml(data: String) -> String {
        var lines = ["listen:"] + listen.map { "  - \(quoted($0))" }
        lines += ["data: \(quoted(data))"] + settings
        if let database { lines.append("database: \(quoted(database))") }
        if !limits.isEmpty { lines += ["limits:"] + limits.map { "  \($0)" } }
        lines += ["sources:"] + sources.map { "  - \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }
}
