import Foundations
import Testing

@testable import Postgres

@Suite struct ValueTests {
    let connection: Connection

    init() throws { connection = try TestServer.shared.connect() }

    @Test func scalarsComeBackAsTheyWent() throws {
        let id = UUID("0190b0a0-1111-7abc-8def-0123456789ab")
        let time = Timestamp(microseconds: 1_767_323_045_123_456)
        let rows = try connection.execute(
            "select $1, $2, $3, $4, $5, $6, $7, $8", Int16(-3), Int32.min, Int64.max, true, 1.5, "grüße 🎉",
            id, time)
        #expect(rows.int2(0, 0) == -3)
        #expect(rows.int4(0, 1) == .min)
        #expect(rows.int8(0, 2) == .max)
        #expect(rows.bool(0, 3))
        #expect(rows.double(0, 4) == 1.5)
        #expect(rows.string(0, 5) == "grüße 🎉")
        #expect(rows.uuid(0, 6) == id)
        #expect(rows.timestamp(0, 7) == time)
        #expect(rows.columns == 8 && rows.count == 1)
    }

    @Test func theServerReadsTheSameValues() throws {
        let rows = try connection.execute(
            "select $1::text || ' ' || $2::text || ' ' || ($3 at time zone 'UTC')::text || ' ' || $4::text",
            UUID("0190b0a0-1111-7abc-8def-0123456789ab"), Int64(-5), Timestamp(milliseconds: -1), -0.25)
        #expect(rows.string(0, 0) == "0190b0a0-1111-7abc-8def-0123456789ab -5 1969-12-31 23:59:59.999 -0.25")
    }

    @Test func jsonAndBytesComeBackAsTheyWent() throws {
        try withBytes(#"{"b": [1, 2.50], "a": null}"#) { json in
            try withBytes("\u{0}\u{1}x") { bytes in
                let rows = try connection.execute(
                    "select $1, $2, $1->'b'->>1, octet_length($2)", JSONText(json), ByteString(bytes))
                #expect(rows.json(0, 0).text == #"{"a": null, "b": [1, 2.50]}"#)
                #expect(rows.bytea(0, 1).equals(bytes))
                #expect(rows.string(0, 2) == "2.50")
                #expect(rows.int(0, 3) == 3)
            }
        }
    }

    @Test func nullsAreNulls() throws {
        let rows = try connection.execute(
            "select $1, $2, $3 is null", nil as UUID?, "" as String?, nil as String?)
        #expect(rows.isNull(0, 0) && rows.uuidOrNil(0, 0) == nil)
        #expect(rows.string(0, 1) == "")
        #expect(rows.bool(0, 2))
    }

    @Test func arraysKeepTheirNullsAndTheirOrder() throws {
        let rows = try connection.execute(
            "select $1, array_to_string($2, ',', '-'), cardinality($3), $4[1]", ["a", nil, "ü\"{}"],
            [Int32(1), nil, 3], [UUID](), [Timestamp(seconds: 1)])
        #expect(rows.texts(0, 0) == ["a", nil, "ü\"{}"])
        #expect(rows.string(0, 1) == "1,-,3")
        #expect(rows.int(0, 2) == 0)
        #expect(rows.timestamp(0, 3) == Timestamp(seconds: 1))
    }

    @Test func aColumnIsFilledAndReused() throws {
        var ids = ArrayColumn<Int64>()
        var texts = ArrayColumn<Bytes>()
        var parameters = Parameters()
        for round in 1...2 {
            ids.removeAll()
            texts.removeAll()
            parameters.removeAll()
            for n in 0..<1000 {
                ids.append(Int64(n * round))
                if n % 2 == 0 { withBytes("text \(n)") { texts.append($0) } } else { texts.appendNull() }
            }
            parameters.append(ids)
            parameters.append(texts)
            let rows = try connection.execute(
                "select sum(id)::int8, count(text), max(text) from unnest($1, $2) as t(id, text)",
                with: parameters)
            #expect(rows.int(0, 0) == 499_500 * round)
            #expect(rows.int(0, 1) == 500)
            #expect(rows.string(0, 2) == "text 998")
        }
    }

    @Test func aStatementTellsHowManyRowsItChanged() throws {
        try connection.script("create temporary table changed (n int)")
        #expect(try connection.execute("insert into changed select generate_series(1, 7)").affected == 7)
        #expect(try connection.execute("update changed set n = 0 where n > $1", Int32(4)).affected == 3)
        #expect(try connection.execute("select * from changed where false").isEmpty)
    }
}
