import Foundations
import Testing

@testable import Postgres

@Suite struct ErrorTests {
    let connection: Connection

    init() throws {
        connection = try TestServer.shared.connect()
        try connection.script(
            """
            create temporary table strict (n int not null constraint small check (n < 10), t text unique);
            create temporary table parted (day int) partition by range (day);
            """)
    }

    func failure(_ body: () throws -> Void) throws -> PostgresError {
        do { try body() } catch let error as PostgresError { return error }
        Issue.record("no error was thrown")
        return PostgresError(.lost, "none", context: "")
    }

    @Test(arguments: [
        ("select 'x'::text::int", "22P02", true),
        ("select convert_from('\\xff', 'UTF8')", "22021", true),
        ("select repeat('[', 100000)::jsonb", "54001", true),
        ("insert into strict values (null)", "23502", true),
        ("insert into strict values (11)", "23514", true),
        ("insert into parted values (1)", "23514", false),
        ("insert into strict values (1, 'a'), (2, 'a')", "23505", false),
        ("select * from nowhere", "42P01", false),
        ("selec", "42601", false),
    ])
    func onlyTheDataIsToBlameForTheDatasFaults(_ sql: String, _ state: String, _ isDataFault: Bool) throws {
        let error = try failure { try connection.execute(sql) }
        #expect(error.sqlstate == state)
        #expect(error.isDataFault == isDataFault)
        #expect(!error.isConnectionLost && !error.isRetryable)
        #expect(try connection.execute("select 1").int(0, 0) == 1)
    }

    @Test func anErrorSaysWhatAndWhere() throws {
        let error = try failure {
            try connection.execute("insert into strict values (99)", context: "testing")
        }
        #expect(
            error.description
                == "testing: new row for relation \"strict\" violates check constraint \"small\" (SQLSTATE 23514)"
        )
        #expect(error.constraint == "small" && error.table == "strict")
        #expect(error.detail.contains("99"))
    }

    /// What is logged or answered quotes no value; the quarantine has the message as it came.
    @Test(arguments: [
        ("select 'se\"cr\"et'::int", #"invalid input syntax for type integer: "…" (SQLSTATE 22P02)"#),
        ("select 'secret'::date", #"invalid input syntax for type date: "…" (SQLSTATE 22007)"#),
        ("select '99999'::smallint", #"value "…" is out of range for type smallint (SQLSTATE 22003)"#),
        ("select 1/0", "division by zero (SQLSTATE 22012)"),
        ("select * from nowhere", #"relation "nowhere" does not exist (SQLSTATE 42P01)"#),
    ])
    func theDescriptionOfADataFaultQuotesNoValue(_ sql: String, _ expected: String) throws {
        let error = try failure { try connection.execute(sql, context: "testing") }
        #expect(error.description == "testing: \(expected)")
    }

    @Test func aFailedTransactionIsRolledBack() throws {
        let error = try failure {
            try connection.transaction { () throws(PostgresError) in
                try connection.execute("insert into strict values (1)")
                try connection.execute("select 1 / 0")
            }
        }
        #expect(error.sqlstate == "22012")
        #expect(!connection.isInTransaction)
        #expect(try connection.execute("select 1 from strict").isEmpty)
    }

    @Test func aCommitThatIsARollbackIsAnError() throws {
        let error = try failure {
            try connection.transaction { () throws(PostgresError) in
                try connection.execute("insert into strict values (1)")
                _ = try? connection.execute("select 1 / 0")
            }
        }
        #expect(error.sqlstate == "25P02")
        #expect(try connection.execute("select 1 from strict").isEmpty)
    }

    @Test func aSavepointUndoesItsPartOnly() throws {
        try connection.transaction { () throws(PostgresError) in
            try connection.execute("insert into strict values (1)")
            for n in [2, 30, 4] {
                try? connection.savepoint { () throws(PostgresError) in
                    _ = try connection.execute("insert into strict values ($1)", Int32(n))
                }
            }
        }
        #expect(try connection.execute("select sum(n)::int from strict").int(0, 0) == 7)
    }

    @Test func aKilledSessionIsALostConnection() throws {
        let other = try TestServer.shared.connect()
        try other.execute("select pg_terminate_backend($1, 5000)", connection.backend)
        let error = try failure { try connection.execute("select 1") }
        #expect(error.isConnectionLost && error.isRetryable && !error.isDataFault)
        #expect(!connection.isUsable)
        let again = try failure { try connection.execute("select 1") }
        #expect(again.isConnectionLost)
    }

    @Test func noticesReachTheirHandler() throws {
        let heard = Locked<[String]>([])
        connection.onNotice = { notice in heard.withLock { $0.append("\(notice.severity) \(notice.message)") }
        }
        try connection.script("do $$ begin raise warning 'beware'; end $$")
        #expect(heard.withLock { $0 } == ["WARNING beware"])
    }

    @Test func anAddressWithoutAServerIsALostConnection() throws {
        let error = try failure { _ = try Connection("host=/nowhere user=me password=secret", name: "test") }
        #expect(error.isConnectionLost)
        #expect(error.description.contains("host=/nowhere user=me"))
        #expect(!error.description.contains("secret"))
    }

    @Test(arguments: ["", "/plain-1.2_x", "two words", "it's", "back\\slash", "=", "ü"])
    func aQuotedValueIsReadAsItWasWritten(_ value: String) throws {
        let fields = try Conninfo.parse("user=me host=\(Conninfo.quoted(value)) port=1").get()
        #expect(fields["host"] == value)
    }

    @Test func aMalformedConnectionStringIsToldWithoutItsText() {
        #expect(Conninfo.problem(in: "postgres://me:secret@host/db") == nil)
        #expect(Conninfo.problem(in: "host=a b") != nil)
        #expect(Conninfo.problem(in: "passwordsecret")?.contains("secret") == false)
        #expect(Conninfo.describe("postgres://me:secret@host/db") == "host=host dbname=db user=me")
    }
}
