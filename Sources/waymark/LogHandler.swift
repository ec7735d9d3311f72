import Foundations
import Glibc
import Logging

/// Writes each log event as one line of logfmt to standard error:
///
///     time=2026-11-22T03:04:05.678901Z level=info msg="listening" address=127.0.0.1:8686
///
/// Whatever stands in a message or a value stays on that line: control characters, quotes and backslashes are
/// escaped, so a client cannot forge a line.
struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    var metadataProvider: Logger.MetadataProvider?
    let clock: Clock
    let write: @Sendable ([UInt8]) -> Void

    init(
        level: Logger.Level, clock: Clock = .system,
        write: @escaping @Sendable ([UInt8]) -> Void = { writeAll($0, to: STDERR_FILENO) }
    ) {
        (logLevel, self.clock, self.write) = (level, clock, write)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line =
            "time=\(clock.now().iso8601) level=\(event.level.rawValue) msg=\(inQuotes(event.message.description))"
        var facts = metadata
        if let provided = metadataProvider?.get() { facts.merge(provided) { $1 } }
        if let own = event.metadata { facts.merge(own) { $1 } }
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            line += " \(name(key))=\(logfmt(value.description))"
        }
        if let error = event.error { line += " error=\(logfmt(String(describing: error)))" }
        write(Array("\(line)\n".utf8))
    }

    /// A value without anything special stands without quotes.
    private func logfmt(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && ![34, 61, 92].contains($0) }
        return isPlain ? text : inQuotes(text)
    }

    private func name(_ key: String) -> String {
        String(key.map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "_" })
    }

    private func inQuotes(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{2028}", "\u{2029}": result += "\\u{\(String(scalar.value, radix: 16))}"
            case _ where scalar.properties.generalCategory == .control:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// From here on, all loggers write logfmt to standard error.
func startLogging(level: String) {
    let level = Logger.Level(rawValue: level) ?? .info
    LoggingSystem.bootstrap { _ in StandardErrorLog(level: level) }
}
