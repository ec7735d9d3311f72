import Foundations
import Testing

@testable import Postgres

@Suite struct CopyTests {
    let connection: Connection
    let copy = "COPY target (id, number, text, tags, payload, time) FROM STDIN (FORMAT binary)"

    init() throws {
        connection = try TestServer.shared.connect()
        try connection.script(
            """
            create temporary table target
                (id uuid, number int8 not null, text text, tags text[], payload jsonb, time timestamptz)
            """)
    }

    func write(
        _ writer: inout CopyWriter, _ n: Int, text: String = "text", payload: String = "{}"
    ) throws(PostgresError) {
        try writer.row(columns: 6)
        writer.append(UUID(high: 1, low: UInt64(n)))
        writer.append(Int64(n))
        writer.append(text)
        writer.append(["a", "b \(n)"])
        writer.json { $0.append(payload) }
        writer.append(Timestamp(seconds: Int64(n)))
    }

    func count() throws -> Int { try connection.execute("select count(*) from target").int(0, 0) }

    @Test func rowsArriveAsTheyWereWritten() throws {
        let taken = try connection.copy(copy) { writer throws(PostgresError) in
            try write(&writer, 5, text: "süß", payload: #"{"a": [1.10, "x"]}"#)
            try writer.row(columns: 6)
            writer.append(nil as UUID?)
            writer.append(6)
            writer.appendNull()
            writer.array(of: .text, count: 2, hasNull: true) { buffer in
                buffer.append(field: "x")
                buffer.append(field: nil as String?)
            }
            writer.append(nil as JSONText?)
            writer.append(nil as Timestamp?)
        }
        #expect(taken == 2)
        let rows = try connection.execute("select * from target order by number")
        #expect(rows.uuid(0, 0) == UUID(high: 1, low: 5))
        #expect(rows.string(0, 2) == "süß")
        #expect(rows.texts(0, 3) == ["a", "b 5"])
        #expect(rows.json(0, 4).text == #"{"a": [1.10, "x"]}"#)
        #expect(rows.timestamp(0, 5) == Timestamp(seconds: 5))
        #expect([0, 2, 4, 5].allSatisfy { rows.isNull(1, $0) })
        #expect(rows.texts(1, 3) == ["x", nil])
    }

    @Test func manyPiecesAreOneCopy() throws {
        let payload = #"{"text": "\#(String(repeating: "x", count: 2000))"}"#
        let taken = try connection.copy(copy) { writer throws(PostgresError) in
            for n in 0..<5000 { try write(&writer, n, payload: payload) }
        }
        #expect(taken == 5000)
        #expect(try count() == 5000)
    }

    @Test func noRowsAreNoError() throws {
        #expect(try connection.copy(copy) { _ in } == 0)
    }

    @Test(arguments: [
        ("text", "{\"a\": }", "22P02", "payload"), ("te\u{0}xt", "{}", "22021", "text"),
        ("text", "[\"\\u0000\"]", "22P05", "payload"), ("text", "1e200000", "22003", "payload"),
        ("text", String(repeating: "[", count: 50_000), "54001", "payload"),
    ])
    func aBadRowIsNamedAndTheConnectionGoesOn(
        _ text: String, _ payload: String, _ state: String, _ column: String
    ) throws {
        let failed = #expect(throws: PostgresError.self) {
            try connection.transaction { () throws(PostgresError) in
                try connection.copy(copy) { writer throws(PostgresError) in
                    for n in 1...3000 {
                        let isBad = n == 1234
                        try write(&writer, n, text: isBad ? text : "fine", payload: isBad ? payload : "{}")
                    }
                }
            }
        }
        let error = try #require(failed)
        #expect(error.sqlstate == state)
        #expect(error.isDataFault)
        #expect(error.location.contains("COPY target, line 1234, column \(column)"))
        #expect(try count() == 0)
        #expect(try connection.copy(copy) { writer throws(PostgresError) in try write(&writer, 1) } == 1)
    }

    @Test func anErrorOfTheBodyAbandonsTheCopy() throws {
        let mine = PostgresError(.server, "mine", sqlstate: "22000", context: "test")
        let failed = #expect(throws: PostgresError.self) {
            try connection.copy(copy) { writer throws(PostgresError) in
                for n in 0..<2000 { try write(&writer, n) }
                throw mine
            }
        }
        #expect(failed == mine)
        #expect(try count() == 0)
    }

    @Test func aCopyIntoNothingIsAnOrdinaryError() throws {
        let failed = #expect(throws: PostgresError.self) {
            try connection.copy("COPY nowhere FROM STDIN (FORMAT binary)") { _ in }
        }
        #expect(failed?.sqlstate == "42P01")
        #expect(try count() == 0)
    }

    @Test func aStatementThatIsNoCopyClosesTheConnection() throws {
        #expect(throws: PostgresError.self) { try connection.copy("select 1") { _ in } }
        #expect(!connection.isUsable)
    }
}
