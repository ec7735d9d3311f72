import Dispatch
import Foundations
import Glibc
import Testing

@testable import Postgres

/// Servers that do not answer, for real: stopped processes, silent sockets, locks.
@Suite struct DeadlineTests {
    /// Milliseconds that `body` takes, and its error.
    func measure(_ body: () throws -> Void) -> (milliseconds: Int, error: PostgresError?) {
        let begun = Clock.system.monotonic()
        var failure: PostgresError?
        do { try body() } catch { failure = error as? PostgresError }
        return (Int((Clock.system.monotonic() - begun) / 1_000_000), failure)
    }

    @Test func aStoppedBackendIsGivenUpAtTheDeadline() throws {
        let connection = try TestServer.shared.connect(deadline: 200)
        let backend = connection.backend
        kill(backend, SIGSTOP)
        defer { kill(backend, SIGCONT) }
        let (milliseconds, error) = measure { try connection.execute("select 1") }
        #expect(error?.origin == .deadline)
        #expect(error?.isConnectionLost == true && error?.isRetryable == true)
        #expect((200..<10_000).contains(milliseconds))
        #expect(!connection.isUsable)
    }

    @Test func aBackendThatStopsDuringACopyIsGivenUpAtTheDeadline() throws {
        let connection = try TestServer.shared.connect(deadline: 300)
        let backend = connection.backend
        try connection.script("create temporary table sink (text text)")
        defer { kill(backend, SIGCONT) }
        let text = String(repeating: "x", count: 10_000)
        let (milliseconds, error) = measure {
            try connection.copy("COPY sink FROM STDIN (FORMAT binary)") { writer throws(PostgresError) in
                for n in 0..<10_000 {
                    if n == 100 { kill(backend, SIGSTOP) }
                    try writer.row(columns: 1)
                    writer.append(text)
                }
            }
        }
        #expect(error?.origin == .deadline)
        #expect(milliseconds < 10_000)
        #expect(!connection.isUsable)
    }

    @Test(arguments: ["host=127.0.0.1", "host=localhost", "hostaddr=127.0.0.1"])
    func aSilentServerIsGivenUpWhileConnecting(_ host: String) throws {
        let silent = try SilentServer()
        let (milliseconds, error) = measure {
            _ = try Connection("\(host) port=\(silent.port)", name: "test", connectTimeout: 200)
        }
        // With a name there is the look-up of the name as well, which may take up all of a busy machine's time.
        #expect(error?.isConnectionLost == true)
        #expect(error?.origin == .deadline || !host.hasPrefix("hostaddr="))
        #expect((100..<10_000).contains(milliseconds))
    }

    @Test func aSilentServerDoesNotKeepUsFromTheNextOne() throws {
        let silent = try SilentServer()
        let (milliseconds, error) = measure {
            let folder = TestServer.shared.conninfo.split(separator: " ")[0].dropFirst("host=".count)
            let connection = try Connection(
                "host=127.0.0.1,\(folder) port=\(silent.port),5432 dbname=waymark user=waymark", name: "test",
                connectTimeout: 1000)
            #expect(try connection.execute("select 1").int(0, 0) == 1)
        }
        #expect(error == nil)
        #expect((400..<10_000).contains(milliseconds))
    }

    @Test func aNameThatNobodyKnowsIsALostConnection() throws {
        let (milliseconds, error) = measure {
            _ = try Connection("host=nowhere.invalid", name: "test", connectTimeout: 500)
        }
        #expect(error?.isConnectionLost == true)
        #expect(milliseconds < 4500)
    }

    @Test func anInterruptEndsAWaitAtOnce() throws {
        let connection = try TestServer.shared.connect()
        DispatchQueue.global().asyncAfter(deadline: .now() + 0.1) { connection.interrupt() }
        let (milliseconds, error) = measure { try connection.execute("select pg_sleep(15)") }
        #expect(error?.origin == .interrupted)
        #expect((100..<12_000).contains(milliseconds))
        #expect(!connection.isUsable)
    }

    @Test func anInterrupterForbidsNewConnectionsToo() throws {
        let interrupter = Interrupter()
        interrupter.interrupt()
        let (_, error) = measure { _ = try TestServer.shared.connect(interrupter: interrupter) }
        #expect(error?.origin == .interrupted)
    }

    @Test func theServerItselfGivesUpALockedStatementOfATransaction() throws {
        let holder = try TestServer.shared.connect()
        try holder.script("create table if not exists locked (n int)")
        try holder.script("begin; lock table locked")
        defer { try? holder.script("rollback; drop table locked") }
        let connection = try TestServer.shared.connect(deadline: 150)
        let (_, error) = measure {
            try connection.transaction { () throws(PostgresError) in
                _ = try connection.execute("select * from locked")
            }
        }
        #expect(error?.sqlstate == "57014")
        #expect(error?.isRetryable == true && error?.isConnectionLost == false)
        #expect(try connection.execute("select 1").int(0, 0) == 1)
    }
}

/// Listens on a port of this machine, and never says a word.
final class SilentServer {
    private let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let port: UInt16

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, size) != 0 || listen(listener, 8) != 0
                    || getsockname(listener, pointer, &size) != 0
            }
        }
        if failed { throw SystemError("listen") }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(listener) }
}
