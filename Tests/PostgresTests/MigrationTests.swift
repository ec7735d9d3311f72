import Dispatch
import Foundations
import Testing

@testable import Postgres

@Suite struct MigrationTests {
    let conninfo: String
    let steps = [
        Migration(
            number: 1, name: "first", sql: "create table counted (n int); insert into counted values (1)"),
        Migration(number: 2, name: "second", sql: "insert into counted values (2); select pg_sleep(0.1)"),
        Migration(number: 3, name: "third", sql: "insert into counted values (3)"),
    ]

    init() throws { conninfo = try TestServer.shared.newDatabase() }

    func connect() throws -> Connection { try Connection(conninfo, name: "migration test") }
    func counted() throws -> [Int] {
        let rows = try connect().execute("select n from counted order by n")
        return (0..<rows.count).map { rows.int($0, 0) }
    }

    @Test func stepsAreAppliedOnceAndInOrder() throws {
        #expect(try migrate(connect(), Array(steps.prefix(2))) == [1, 2])
        #expect(try migrate(connect(), steps) == [3])
        #expect(try migrate(connect(), steps) == [])
        #expect(try counted() == [1, 2, 3])
        let rows = try connect().execute(
            "select number, name, applied_at, checksum from migration order by number")
        #expect(rows.count == 3)
        #expect(rows.string(1, 1) == "second")
        #expect(rows.string(2, 3).utf8.count == 16)
    }

    @Test func threeAtATimeApplyEachStepOnce() throws {
        let done = Locked<[Int]>([])
        let failures = Locked<[String]>([])
        DispatchQueue.concurrentPerform(iterations: 3) { _ in
            do {
                let applied = try migrate(connect(), steps)
                done.withLock { $0 += applied }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(done.withLock { $0.sorted() } == [1, 2, 3])
        #expect(try counted() == [1, 2, 3])
    }

    @Test func aStepThatFailsLeavesNothingOfItself() throws {
        let broken = Migration(number: 2, name: "broken", sql: "insert into counted values (2); select 1 / 0")
        let failed = #expect(throws: MigrationError.self) { try migrate(connect(), [steps[0], broken]) }
        guard case .database(let error) = failed else { throw TestFailure() }
        #expect(error.description == "migration 2 (broken): division by zero (SQLSTATE 22012)")
        #expect(try counted() == [1])
        #expect(try migrate(connect(), steps) == [2, 3])
    }

    @Test func anAppliedStepThatWasEditedIsRefused() throws {
        try migrate(connect(), steps)
        let edited = Migration(number: 2, name: "second", sql: "insert into counted values (22)")
        #expect(throws: MigrationError.changed(number: 2, name: "second")) {
            try migrate(connect(), [steps[0], edited, steps[2]])
        }
    }

    @Test func aDatabaseNewerThanTheBinaryIsRefused() throws {
        try migrate(connect(), steps)
        let failed = #expect(throws: MigrationError.newer(applied: 3, known: 2)) {
            try migrate(connect(), Array(steps.prefix(2)))
        }
        #expect(
            failed?.description
                == "the database has migration 3, this binary knows 2: it needs the newer release")
    }

    @Test func aDatabaseThatIsNotUTF8IsRefused() throws {
        try connect().script("create database latin encoding 'LATIN1' locale 'C' template template0")
        let latin = try Connection(conninfo + " dbname=latin", name: "migration test")
        #expect(throws: MigrationError.encoding("LATIN1")) { try migrate(latin, steps) }
    }

    struct TestFailure: Error {}
}
