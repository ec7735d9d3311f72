import Dispatch
import Foundations
import Glibc
import Logging
import Postgres

@testable import Embedded

/// A PostgreSQL for all tests of this process, in a temporary folder; stopped and removed at its end.
final class TestServer: Sendable {
    static let shared = TestServer()

    let conninfo: String
    private let directory: String
    private let embedded: EmbeddedPostgres

    private init() {
        var template = Array("/tmp/waymark-tests-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { fatalError("mkdtemp: \(errno)") }
        directory = String(cString: made)
        chmod(directory, 0o755)
        embedded = EmbeddedPostgres(directory: directory, logger: Logger(label: "tests"))
        let running = DispatchSemaphore(value: 0)
        embedded.start { state in
            if case .running = state { running.signal() }
            if case .failed(let reason) = state { fatalError(reason) }
        }
        guard running.wait(timeout: .now() + 120) == .success else { fatalError("PostgreSQL does not start") }
        conninfo = EmbeddedPostgres.conninfo(directory: directory) ?? ""
        atexit { TestServer.shared.stop() }
    }

    private func stop() {
        let gone = DispatchSemaphore(value: 0)
        embedded.stop(within: 0) { gone.signal() }
        gone.wait()
        try? Files.remove(directory)
    }

    func connect(
        name: String = "test", deadline: Int = 20_000, interrupter: Interrupter = Interrupter()
    ) throws -> Connection {
        try Connection(conninfo, name: name, deadline: deadline, interrupter: interrupter)
    }

    /// The connection string of a new, empty database.
    func newDatabase() throws -> String {
        var random = RandomSource()
        let name = "test_\(random.next())"
        try connect().script("create database \(name)")
        return conninfo + " dbname=\(name)"
    }
}

/// A UTF-8 text as bytes for the duration of `body`.
func withBytes<Result>(_ text: String, _ body: (Bytes) throws -> Result) rethrows -> Result {
    var text = text
    return try text.withUTF8 { try body(Bytes($0)) }
}
