import Foundation

/// A real `waymark` with a folder, a configuration and a port of its own.
package final class Server: @unchecked Sendable {  // `child` and `options` are owned by whoever holds `lock`
    /// The folder of its configuration (`waymark.yaml`), data (`data`) and words (`log-N`).
    package let folder: String
    private let lock = NSLock()
    private var child: Child?
    private var options: ServerOptions
    private var starts = 0

    /// Nothing is started yet.
    package init(_ options: ServerOptions) throws {
        folder = try Scratch.shared.newFolder("server")
        self.options = options
        try writeFile(configuration, options.yaml(data: data))
    }

    deinit {
        child?.end()
        if current.database == nil { for pid in embeddedPostgres() { Foundation.kill(pid, SIGKILL) } }
    }

    /// Started and ready.
    package static func ready(_ options: ServerOptions) throws -> Server {
        let server = try Server(options)
        try server.start()
        try server.awaitReady()
        return server
    }

    package var configuration: String { "\(folder)/waymark.yaml" }
    package var data: String { "\(folder)/data" }
    private var current: ServerOptions { lock.withLock { options } }
    package var process: Child? { lock.withLock { child } }

    /// All that it has said, of all its starts.
    package var log: String {
        let count = lock.withLock { starts }
        return (1...max(count, 1)).map { (try? readFile("\(folder)/log-\($0)")) ?? [] }
            .map { String(decoding: $0, as: UTF8.self) }.joined()
    }

    /// Starts it and returns when it says where it listens.
    package func start(within seconds: Double = 60) throws {
        let new = try launch()
        let address = try eventually("listening (\(configuration))", within: seconds, every: 0.002) {
            addresses(of: new).first ?? (new.isRunning ? nil : "")
        }
        if address.isEmpty { throw Failure("the server ended before it listened: \(new.said)") }
    }

    /// Starts it and does not wait for anything.
    @discardableResult
    package func launch() throws -> Child {
        try lock.withLock {
            starts += 1
            let command = options.wrapper + [Self.binary, "serve", "--config", configuration]
            let new = try Child(command, environment: options.environment, output: "\(folder)/log-\(starts)")
            child = new
            return new
        }
    }

    /// Until `/readyz` says 200.
    package func awaitReady(within seconds: Double = 90) throws {
        var last = ""
        do {
            try eventually("ready", within: seconds, every: 0.01) {
                let answer = try get("/readyz")
                last = answer.text
                return answer.status == 200
            }
        } catch {
            throw Failure("\(error); /readyz said: \(last); the log: \(log.suffix(2000))")
        }
    }

    /// Where it listens, in the order of its configuration.
    package var addresses: [String] { process.map { addresses(of: $0) } ?? [] }

    /// Where its admin API listens.
    package var adminAddress: String {
        get throws {
            try eventually("the admin API listens") {
                process.flatMap { addresses(of: $0, after: "admin listening on ").first }
            }
        }
    }

    private func addresses(of child: Child, after words: String = "listening on ") -> [String] {
        // What follows the last end of a line is being written.
        child.said.split(separator: "\n", omittingEmptySubsequences: false).dropLast().compactMap { line in
            guard line.hasPrefix(words) else { return nil }
            let word = line.dropFirst(words.count).prefix { !$0.isWhitespace }
            return word.isEmpty ? nil : String(word)
        }
    }

    package var address: String {
        get throws {
            guard let first = addresses.first else { throw Failure("the server does not listen") }
            return first
        }
    }

    /// Writes another configuration; `reload` or the next start reads it.
    package func change(_ change: (inout ServerOptions) -> Void) throws {
        try lock.withLock {
            change(&options)
            try writeFile(configuration, options.yaml(data: data))
        }
    }

    package func reload() { process?.signal(SIGHUP) }
    package func freeze() { process?.signal(SIGSTOP) }
    package func thaw() { process?.signal(SIGCONT) }

    /// `kill -9`.
    package func kill() {
        process?.end()
    }

    /// `SIGTERM`; how it ended, nil when it did not.
    package func terminate(within seconds: Double = 60) -> Child.Exit? {
        process?.signal(SIGTERM)
        return process?.exit(within: seconds)
    }

    /// Runs another command of the binary with this configuration.
    package func command(_ words: String...) throws -> (exit: Child.Exit, output: String) {
        try run([Self.binary] + words + ["--config", configuration], environment: current.environment)
    }

    /// The server's resident memory in bytes.
    package var residentMemory: Int {
        guard let pid = process?.pid, let status = try? readFile("/proc/\(pid)/status") else { return 0 }
        let words = String(decoding: status, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard let at = words.firstIndex(of: "VmRSS:"), let kilobytes = Int(words[at + 1]) else { return 0 }
        return kilobytes * 1024
    }

    /// The processes of its embedded PostgreSQL, the postmaster first; none when it does not run.
    package func embeddedPostgres() -> [pid_t] {
        for name in ["postgres/postmaster.pid", "postgres/data/postmaster.pid"] {
            let text = (try? readFile("\(data)/\(name)")).map { String(decoding: $0, as: UTF8.self) }
            guard let pid = text?.split(separator: "\n").first.flatMap({ pid_t($0) }), pid > 1 else {
                continue
            }
            let command = (try? readFile("/proc/\(pid)/cmdline")).map { String(decoding: $0, as: UTF8.self) }
            // The file may be of a cluster that was killed, and the id somebody else's by now.
            if command?.contains(data) == true { return [pid] + descendants(of: pid) }
        }
        return []
    }

    /// `WAYMARK_BINARY`, else the release build of this package, else its debug build.
    package static let binary: String = {
        if let named = ProcessInfo.processInfo.environment["WAYMARK_BINARY"] { return named }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let built = ["release", "debug"].map { "\(root)/.build/\($0)/waymark" }
        return built.first { access($0, X_OK) == 0 } ?? built[0]
    }()
}

extension Server {
    /// One request on a connection of its own.
    package func exchange(_ request: Request, patience: Double = 30) throws -> Response {
        try Client(address, patience: patience).exchange(request)
    }

    package func get(_ target: String, _ headers: [(String, String)] = []) throws -> Response {
        try exchange(Request("GET", target, headers))
    }

    /// Posts `body` as JSON, unless the headers say another type.
    package func post(
        _ target: String, _ body: String, _ headers: [(String, String)] = []
    ) throws -> Response {
        var headers = headers
        if !headers.contains(where: { $0.0.lowercased() == "content-type" }) {
            headers.append(("Content-Type", "application/json"))
        }
        return try exchange(Request("POST", target, headers, body: Array(body.utf8)))
    }

    /// Posts a tracker payload that must be taken, and returns the answer.
    package func track(_ body: String, query: String = "") throws -> JSON {
        let answer = try post("/track\(query)", body)
        guard answer.status == 200 else {
            throw Failure("\(answer.status) for \(body.prefix(500)): \(answer.text)")
        }
        return try answer.json()
    }

    /// A sample of `/metrics`, summed over its labels; nil when there is none.
    package func metric(_ name: String, _ labels: String = "") throws -> Double? {
        let lines = try get("/metrics").text.split(separator: "\n")
        let found = lines.filter {
            $0.hasPrefix("\(name) ") || $0.hasPrefix("\(name){") && $0.contains(labels)
        }
        let values = found.compactMap { $0.split(separator: " ").last.flatMap { Double($0) } }
        return values.isEmpty ? nil : values.reduce(0, +)
    }
}
