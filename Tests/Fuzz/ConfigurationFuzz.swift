import ConfigurationFile
import Foundations

/// Any text is a configuration, or its mistakes are told, with places that are in it.
func fuzzConfiguration(_ bytes: Bytes) {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    do {
        _ = try parseConfiguration(text, file: "waymark.yaml", environment: { $0 == "SET" ? "value" : nil })
    } catch {
        precondition(!error.lines.isEmpty, "refused without a reason")
    }
}
