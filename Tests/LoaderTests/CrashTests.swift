import Foundations
import Glibc
import Payload
import Spool
import TestSupport
import Testing

@testable import Loader

/// Real crashes of real processes: each runs in a child of the test's.
@Suite(.serialized) struct CrashTests {
    private static let range = Suspicion(
        begin: LoadPosition(record: Position(rawValue: 77), part: 5), events: 9, crashes: 1)

    private func notePath() throws -> String {
        let path = try Scratch.shared.newFolder("note") + "/loading"
        setenv("WAYMARK_TEST_NOTE", path, 1)
        return path
    }

    /// What a child does under a note.
    private static func dying(_ body: () -> Void) {
        guard let path = getenv("WAYMARK_TEST_NOTE"), let note = try? LoadingNote(path: String(cString: path))
        else {
            exit(EXIT_SUCCESS)
        }
        note.trying(range, body)
        exit(EXIT_SUCCESS)
    }

    @Test func anAbortLeavesAMark() async throws {
        let path = try notePath()
        await #expect(processExitsWith: .signal(SIGABRT)) { CrashTests.dying { abort() } }
        #expect(
            try LoadingNote(path: path).suspicion()
                == Suspicion(begin: Self.range.begin, events: 9, crashes: 2))
    }

    @Test func aTrapLeavesAMark() async throws {
        let path = try notePath()
        await #expect(processExitsWith: .failure) { CrashTests.dying { fatalError("on purpose") } }
        #expect(try LoadingNote(path: path).suspicion()?.crashes == 2)
    }

    @Test func aBadAddressLeavesAMark() async throws {
        let path = try notePath()
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            CrashTests.dying { UnsafeMutablePointer<Int>(bitPattern: 8)?.pointee = 1 }
        }
        #expect(try LoadingNote(path: path).suspicion()?.crashes == 2)
    }

    @Test func aStackThatOverflowsLeavesAMark() async throws {
        let path = try notePath()
        await #expect(processExitsWith: .signal(SIGSEGV)) {
            CrashTests.dying { print(endless(0)) }
        }
        #expect(try LoadingNote(path: path).suspicion()?.crashes == 2)
    }

    /// What an operator, the kernel for want of memory, or a watchdog does to us is nobody's fault.
    @Test(arguments: [SIGKILL, SIGABRT, SIGSEGV, SIGTERM])
    func aSignalFromOutsideLeavesNone(signal: Int32) async throws {
        let path = try notePath()
        setenv("WAYMARK_TEST_SIGNAL", "\(signal)", 1)
        await #expect(processExitsWith: .failure) {
            let signal = getenv("WAYMARK_TEST_SIGNAL").flatMap { Int32(String(cString: $0)) } ?? 0
            CrashTests.dying {
                kill(getpid(), signal)
                pause(5)
            }
        }
        #expect(try LoadingNote(path: path).suspicion() == Self.range)
    }

    @Test func aCrashOfAnotherThreadLeavesNone() async throws {
        let path = try notePath()
        await #expect(processExitsWith: .signal(SIGABRT)) {
            CrashTests.dying {
                _ = try? together({ pause(5) }, { abort() })
            }
        }
        #expect(try LoadingNote(path: path).suspicion() == Self.range)
    }

    @Test func aNoteThatIsTornAccusesNobody() throws {
        let path = try notePath()
        try writeFile(path, "what is this, and why is it longer than a note?")
        #expect(try LoadingNote(path: path).suspicion() == nil)
        try writeFile(path, "")
        #expect(try LoadingNote(path: path).suspicion() == nil)
    }

    /// Kills that hit the same single event again and again never cost it.
    @Test func aStormOfKillsQuarantinesNothing() async throws {
        let path = try notePath()
        for _ in 0..<5 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                guard let path = getenv("WAYMARK_TEST_NOTE") else { return }
                let note = try LoadingNote(path: String(cString: path))
                let before = try note.suspicion()
                note.trying(Suspicion(begin: .start, events: 1, crashes: before?.crashes ?? 0)) {
                    _ = kill(getpid(), SIGKILL)
                    pause(5)
                }
            }
        }
        #expect(try LoadingNote(path: path).suspicion() == nil)
    }

    /// One event among thousands brings the process down whenever it is tried: it is found, alone, and everything
    /// else is stored.
    @Test func oneCrasherAmongThousandsIsFound() async throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        // A time that no timestamp of PostgreSQL's can be made of: the sum overflows, and Swift traps.
        let crasher = TestEvent { $0.said = Timestamp(microseconds: .min + 1) }
        let folder = try Self.write(crasher, among: 1000, database)
        setenv("WAYMARK_TEST_DATA", folder, 1)
        setenv("WAYMARK_TEST_DATABASE", database.conninfo, 1)
        var crashes = 0
        while true {
            if try LoadingNote(path: folder + "/spool/loading").suspicion()?.isFound == true { break }
            try #require(crashes < 16)
            await #expect(processExitsWith: .failure) { try CrashTests.loadAll() }
            crashes += 1
        }
        await #expect(processExitsWith: .success) { try CrashTests.loadAll() }
        #expect(try database.ledger() == [1000, 999, 0, 0, 1, 0])
        #expect(try database.rows("select id, reason from quarantine") == [["\(crasher.id)", "poison"]])
        #expect(try database.count("select count(distinct id) from event") == 999)
    }

    private static func write(_ crasher: TestEvent, among events: Int, _ database: Database) throws -> String
    {
        let node = try Node(database)
        for record in 0..<events / 40 {
            var events = (0..<40).map { _ in TestEvent() }
            if record == 17 { events[23] = crasher }
            try node.write([TestRequest(session: "s\(record)", events: events)])
        }
        try node.stop()
        return node.folder
    }

    private static func loadAll() throws {
        guard let folder = getenv("WAYMARK_TEST_DATA"), let conninfo = getenv("WAYMARK_TEST_DATABASE") else {
            return
        }
        // The one before may just be letting go of the folder.
        let node = try eventually("a server", within: 5) {
            try Node(Database(conninfo: String(cString: conninfo)), folder: String(cString: folder))
        }
        node.load()
        try node.drain()
        try node.stop()
        exit(EXIT_SUCCESS)
    }
}

@inline(never) private func endless(_ depth: Int) -> Int {
    var room = (depth, depth, depth, depth)
    return withUnsafeMutableBytes(of: &room) { endless(depth + Int($0[0]) + 1) + Int($0[1]) }
}
