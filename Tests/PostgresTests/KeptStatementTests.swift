import Foundations
import Testing

@testable import Postgres

/// Statements that the server keeps prepared.
struct KeptStatementTests {
    private func kept(_ connection: Connection) throws -> Int {
        try connection.execute("select count(*) from pg_prepared_statements").int(0, 0)
    }

    @Test func whatIsUsedOftenIsKept() throws {
        let connection = try TestServer.shared.connect()
        try connection.keepStatements()
        for i in 0..<10 {
            #expect(try connection.execute("select $1 + 1", Int32(i)).int4(0, 0) == Int32(i) + 1)
            _ = try connection.execute("select \(i)")
        }
        #expect(try kept(connection) == 1)
        // The same text with values of other types is another statement.
        #expect(try connection.execute("select $1 + 1", Int64(7)).int8(0, 0) == 8)
    }

    @Test func nothingIsKeptUnasked() throws {
        let connection = try TestServer.shared.connect()
        for i in 0..<10 { _ = try connection.execute("select $1 + 1", Int32(i)) }
        #expect(try kept(connection) == 0)
    }

    /// A migration by another server changes what a statement returns: it fails once, and works again.
    @Test func aTableMayChange() throws {
        let connection = try Connection(TestServer.shared.newDatabase(), name: "test")
        try connection.keepStatements()
        try connection.script("create table thing (a int); insert into thing values (1)")
        for _ in 0..<10 { _ = try connection.execute("select * from thing") }
        try connection.script("alter table thing add b text default 'x'")
        #expect(throws: PostgresError.self) { try connection.execute("select * from thing") }
        for _ in 0..<10 { #expect(try connection.execute("select * from thing").string(0, 1) == "x") }
    }

    /// What fails in a transaction is prepared all the same, and does its work in the next one.
    @Test func aRollbackLeavesThePreparedOnes() throws {
        let connection = try Connection(TestServer.shared.newDatabase(), name: "test")
        try connection.keepStatements()
        try connection.script("create table thing (a int primary key)")
        let sql = "insert into thing values ($1)"
        for i in 0..<8 {
            try connection.begin()
            try connection.execute(sql, Int32(i))
            #expect(throws: PostgresError.self) { try connection.execute(sql, Int32(i)) }
            try connection.rollback()
        }
        #expect(try connection.execute("select count(*) from thing").int(0, 0) == 0)
        try connection.execute(sql, Int32(1))
        #expect(try connection.execute("select count(*) from thing").int(0, 0) == 1)
    }

    @Test func aPlanIsMadeAnewAfterAWhile() {
        var kept = KeptStatements()
        #expect((0..<3).map { _ in kept.use("select") == nil } == [true, true, false])
        kept.keep("select", KeptStatements.Statement(name: "a", types: [], since: 100))
        #expect(kept.expired("select", at: 10_000_000_100) == nil)
        #expect(kept.find("select", [])?.name == "a")
        #expect(kept.expired("select", at: 10_000_000_101) == "a")
        #expect(kept.find("select", []) == nil)
        // At once, and under another name.
        #expect(kept.use("select") == "waymark_2")
    }

    @Test func textsThatNeverComeAgainDoNotPileUp() {
        var kept = KeptStatements()
        for i in 0..<10_000 { #expect(kept.use("select \(i)") == nil) }
        for i in 0..<500 {
            for _ in 0..<5 where kept.use("insert \(i)") != nil {
                kept.keep("insert \(i)", KeptStatements.Statement(name: "x", types: [], since: 0))
            }
        }
        #expect((0..<500).count { kept.find("insert \($0)", []) != nil } <= 200)
    }
}
