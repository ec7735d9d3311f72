import ArgumentParser
import ConfigurationFile
import Foundations
import Glibc

/// `--config FILE`, which every command takes.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration.", valueName: "FILE"))
    var path = "Config/waymark.yaml"

    /// Reads the file. Its mistakes go to standard error, all at once, and end the command with 78.
    func read() throws -> (configuration: Configuration, warnings: [String]) {
        do {
            return try readConfiguration(path: path)
        } catch {
            for line in error.lines { printError(line) }
            throw ExitCode.configuration
        }
    }
}

extension ExitCode {
    /// EX_CONFIG of sysexits.h.
    static let configuration = ExitCode(78)
}

/// One line on standard error, in one piece.
func printError(_ line: String) {
    writeAll(Array("\(line)\n".utf8), to: STDERR_FILENO)
}

/// Writes until all is written; gives up when nobody reads, since there is nobody to tell.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { bytes in
        var sent = 0
        while sent < bytes.count {
            let n = write(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
            if n > 0 { sent += n } else if errno != EINTR { return }
        }
    }
}
