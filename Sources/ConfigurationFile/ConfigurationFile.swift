import Foundations
import Glibc

/// Reads and checks a configuration file; all its mistakes come at once. Relative paths in it start at the working
/// directory, and `${NAME}` is taken from the environment.
package func readConfiguration(
    path: String, environment: @escaping (String) -> String? = processEnvironment
) throws(ConfigurationErrors) -> (configuration: Configuration, warnings: [String]) {
    func refuse(_ text: String, expected: String? = nil) -> ConfigurationErrors {
        ConfigurationErrors(file: path, mistakes: [Mistake(nil, text, expected: expected)])
    }
    let bytes: [UInt8]
    do {
        bytes = try readFile(path, atMost: 1 << 20)
    } catch {
        switch error.code {
        case ENOENT:
            let help = "name yours with --config FILE (docs/configuration.md says what is in it)"
            throw refuse("there is no such file; \(help)")
        case EFBIG: throw refuse("too large for a configuration", expected: "at most 1MiB")
        default: throw refuse("cannot be read: \(String(cString: strerror(error.code)))")
        }
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw refuse("is not UTF-8 text") }
    return try parseConfiguration(text, file: path, environment: environment)
}

/// The same for a text; `file` is what the mistakes call it, `directory` where relative paths start.
package func parseConfiguration(
    _ text: String, file: String, environment: @escaping (String) -> String? = processEnvironment,
    directory: String = workingDirectory()
) throws(ConfigurationErrors) -> (configuration: Configuration, warnings: [String]) {
    let findings = Findings()
    let text = text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    let document = Document(text, environment: environment, findings: findings)
    // A text that is not YAML has one mistake; what a reader of nothing would miss is none.
    if document.root == nil, !findings.mistakes.isEmpty {
        throw ConfigurationErrors(file: file, mistakes: findings.mistakes)
    }
    let reader = ConfigurationReader(document.root, directory: directory, findings: findings)
    guard findings.mistakes.isEmpty else {
        throw ConfigurationErrors(file: file, mistakes: Findings.sorted(findings.mistakes))
    }
    return (reader.configuration, Findings.sorted(findings.warnings).map { $0.text(in: file) })
}

/// What the process was started with.
@Sendable package func processEnvironment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// Without a slash at its end: what is put behind it brings one.
package func workingDirectory() -> String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    let text = String(cString: path)
    return text == "/" ? "" : text
}

/// A whole small file.
package func readFile(_ path: String, atMost limit: Int) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor(open: path, O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    var count = 0
    while count < bytes.count {
        let more = try retrying("read", path) {
            bytes.withUnsafeMutableBytes {
                read(file.raw, $0.baseAddress.map { $0 + count }, $0.count - count)
            }
        }
        if more == 0 { break }
        count += more
    }
    if count > limit { throw SystemError(code: EFBIG, "read", path) }
    return Array(bytes[..<count])
}
