internal import CLibpq
import Foundations

/// What a statement answered, in PostgreSQL's binary format: the owner of the result's memory.
///
/// Rows and columns count from 0. A value that is null, or not of the type asked for, is a programmer's error: ask
/// `isNull` first, or take the `…OrNil` form.
package final class Rows: @unchecked Sendable {  // immutable once made
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { self.result = result }

    deinit { PQclear(result) }

    package var count: Int { Int(PQntuples(result)) }
    package var isEmpty: Bool { count == 0 }
    package var columns: Int { Int(PQnfields(result)) }
    /// How many rows an `INSERT`, `UPDATE`, `DELETE`, `MERGE` or `COPY` changed; for a `SELECT` how many it has.
    package var affected: Int { PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0 }
    /// The command's tag, such as `INSERT 0 1` or `COMMIT`.
    package var tag: String { PQcmdStatus(result).map { String(cString: $0) } ?? "" }

    package func name(ofColumn column: Int) -> String {
        PQfname(result, Int32(column)).map { String(cString: $0) } ?? ""
    }

    package func isNull(_ row: Int, _ column: Int) -> Bool {
        PQgetisnull(result, Int32(row), Int32(column)) == 1
    }

    /// The value's bytes as they came. Valid while this object lives.
    package func bytes(_ row: Int, _ column: Int) -> Bytes {
        precondition(row >= 0 && row < count && column >= 0 && column < columns, "no such row or column")
        precondition(!isNull(row, column), "column \(name(ofColumn: column)) is null")
        let length = Int(PQgetlength(result, Int32(row), Int32(column)))
        return Bytes(start: PQgetvalue(result, Int32(row), Int32(column)), count: length)
    }

    private func word<Number: FixedWidthInteger>(_ row: Int, _ column: Int, as: Number.Type) -> Number {
        let bytes = bytes(row, column)
        precondition(
            bytes.count == MemoryLayout<Number>.size, "column \(name(ofColumn: column)) is no \(Number.self)")
        return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }

    package func bool(_ row: Int, _ column: Int) -> Bool { word(row, column, as: UInt8.self) != 0 }
    package func int2(_ row: Int, _ column: Int) -> Int16 { word(row, column, as: Int16.self) }
    package func int4(_ row: Int, _ column: Int) -> Int32 { word(row, column, as: Int32.self) }
    package func int8(_ row: Int, _ column: Int) -> Int64 { word(row, column, as: Int64.self) }
    package func double(_ row: Int, _ column: Int) -> Double {
        Double(bitPattern: word(row, column, as: UInt64.self))
    }

    /// A `smallint`, `integer` or `bigint`.
    package func int(_ row: Int, _ column: Int) -> Int {
        switch bytes(row, column).count {
        case 2: Int(int2(row, column))
        case 4: Int(int4(row, column))
        default: Int(int8(row, column))
        }
    }

    /// Valid while this object lives.
    package func text(_ row: Int, _ column: Int) -> Bytes { bytes(row, column) }
    package func string(_ row: Int, _ column: Int) -> String { bytes(row, column).text }
    package func bytea(_ row: Int, _ column: Int) -> Bytes { bytes(row, column) }

    /// The text of a `jsonb` (which begins with its format's version, 1) or a `json`. Valid while this object lives.
    package func json(_ row: Int, _ column: Int) -> Bytes {
        let bytes = bytes(row, column)
        guard PQftype(result, Int32(column)) == ColumnType.jsonb.oid, bytes.count > 0 else { return bytes }
        return bytes.slice(1..<bytes.count)
    }

    package func uuid(_ row: Int, _ column: Int) -> UUID {
        let bytes = bytes(row, column)
        precondition(bytes.count == 16, "column \(name(ofColumn: column)) is no uuid")
        return UUID(
            high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    /// A `timestamptz`; `infinity` is the last moment of `Timestamp`.
    package func timestamp(_ row: Int, _ column: Int) -> Timestamp {
        let microseconds = int8(row, column)
        let (moment, tooLate) = microseconds.addingReportingOverflow(Timestamp(postgres: 0).microseconds)
        return Timestamp(microseconds: tooLate ? .max : moment)
    }

    package func stringOrNil(_ row: Int, _ column: Int) -> String? {
        isNull(row, column) ? nil : string(row, column)
    }
    package func uuidOrNil(_ row: Int, _ column: Int) -> UUID? {
        isNull(row, column) ? nil : uuid(row, column)
    }
    package func timestampOrNil(_ row: Int, _ column: Int) -> Timestamp? {
        isNull(row, column) ? nil : timestamp(row, column)
    }
    package func intOrNil(_ row: Int, _ column: Int) -> Int? { isNull(row, column) ? nil : int(row, column) }

    /// A `text[]` of one dimension; nulls stay nil.
    package func texts(_ row: Int, _ column: Int) -> [String?] {
        let bytes = bytes(row, column)
        func number(_ offset: Int) -> Int {
            Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        }
        guard number(0) > 0 else { return [] }
        precondition(number(0) == 1, "column \(name(ofColumn: column)) has several dimensions")
        var offset = 20
        return (0..<number(12)).map { _ in
            let length = number(offset)
            offset += 4
            guard length >= 0 else { return nil }
            defer { offset += length }
            return bytes.slice(offset..<offset + length).text
        }
    }
}
