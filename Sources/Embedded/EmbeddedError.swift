import Foundations

/// Why the embedded PostgreSQL does not run, as a sentence for the operator.
struct EmbeddedError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
    init(_ error: SystemError) { description = error.description }
}
