import Foundations

/// Writes the rows of a binary `COPY … FROM STDIN`: values go straight into a buffer, which is sent in pieces of
/// about 128 KiB.
///
///     stream  = "PGCOPY\n\377\r\n\0" · flags (int32 0) · extension (int32 0) · row … · int16 −1
///     row     = number of fields (int16) · field …
///     field   = length of the value (int32, −1: null) · value
package struct CopyWriter: ~Copyable {
    static var piece: Int { 128 << 10 }

    var buffer = ByteBuffer(capacity: 160 << 10)
    /// How many fields the current row still wants.
    var missing = 0
    package private(set) var rows = 0
    private let send: (Bytes) throws(PostgresError) -> Void

    init(_ send: @escaping (Bytes) throws(PostgresError) -> Void) {
        self.send = send
        buffer.append("PGCOPY\n")
        buffer.append([0xff, 0x0d, 0x0a, 0x00])
        buffer.append(big: Int32(0))
        buffer.append(big: Int32(0))
    }

    /// Begins a row; exactly so many values must follow.
    package mutating func row(columns: Int) throws(PostgresError) {
        precondition(missing == 0, "the row before lacks \(missing) columns")
        if buffer.count >= Self.piece { try flush() }
        buffer.append(big: Int16(columns))
        missing = columns
        rows += 1
    }

    package mutating func append<Value: BinaryValue>(_ value: Value) {
        missing -= 1
        buffer.append(field: value)
    }

    package mutating func appendNull() {
        missing -= 1
        buffer.append(big: Int32(-1))
    }

    // The same once more for the types of hot rows: a generic of another target is not specialized, which costs
    // about three times the call.

    package mutating func append(_ value: Int32) { value4(UInt32(bitPattern: value)) }
    package mutating func append(_ value: Int64) { value8(UInt64(bitPattern: value)) }
    package mutating func append(_ value: Timestamp) { value8(UInt64(bitPattern: value.postgres)) }

    package mutating func append(_ value: UUID) {
        missing -= 1
        buffer.append(big: Int32(16))
        buffer.append(big: value.high)
        buffer.append(big: value.low)
    }

    package mutating func append(_ text: Bytes) {
        missing -= 1
        buffer.append(big: Int32(text.count))
        buffer.append(text)
    }

    package mutating func append(_ value: Timestamp?) { if let value { append(value) } else { appendNull() } }
    package mutating func append(_ value: UUID?) { if let value { append(value) } else { appendNull() } }
    package mutating func append(_ text: Bytes?) { if let text { append(text) } else { appendNull() } }

    package mutating func append(_ json: JSONText) {
        missing -= 1
        buffer.append(big: Int32(json.text.count + 1))
        buffer.append(1)
        buffer.append(json.text)
    }

    private mutating func value4(_ word: UInt32) {
        missing -= 1
        buffer.append(big: Int32(4))
        buffer.append(big: word)
    }

    private mutating func value8(_ word: UInt64) {
        missing -= 1
        buffer.append(big: Int32(8))
        buffer.append(big: word)
    }

    /// A `jsonb` whose text `body` appends.
    package mutating func json(_ body: (inout ByteBuffer) -> Void) {
        field { buffer in
            buffer.append(1)  // the version of jsonb's binary format
            body(&buffer)
        }
    }

    /// A `text` or `bytea` whose bytes `body` appends.
    package mutating func field(_ body: (inout ByteBuffer) -> Void) {
        missing -= 1
        let start = buffer.count
        buffer.append(big: Int32(0))
        body(&buffer)
        buffer.replace(big: Int32(buffer.count - start - 4), at: start)
    }

    /// A `text[]` of `count` elements; `body` appends each with `append(field:)`.
    package mutating func array(
        of type: ColumnType, count: Int, hasNull: Bool = false, _ body: (inout ByteBuffer) -> Void
    ) {
        field { buffer in
            buffer.appendArrayHead(of: type, count: count, hasNull: hasNull)
            body(&buffer)
        }
    }

    mutating func flush() throws(PostgresError) {
        try send(buffer.bytes)
        buffer.removeAll()
    }

    mutating func end() throws(PostgresError) {
        precondition(missing == 0, "the last row lacks \(missing) columns")
        buffer.append(big: Int16(-1))
        try flush()
    }
}
