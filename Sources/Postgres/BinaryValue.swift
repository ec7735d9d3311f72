import Foundations

/// A type of PostgreSQL: its object id, and that of arrays of it.
package struct ColumnType: Hashable, Sendable {
    package let oid: UInt32
    /// 0: there is none (arrays of arrays are not made here).
    package let arrayOID: UInt32

    package init(oid: UInt32, arrayOID: UInt32) {
        self.oid = oid
        self.arrayOID = arrayOID
    }

    package var array: ColumnType { ColumnType(oid: arrayOID, arrayOID: 0) }

    package static let bool = ColumnType(oid: 16, arrayOID: 1000)
    package static let bytea = ColumnType(oid: 17, arrayOID: 1001)
    package static let int8 = ColumnType(oid: 20, arrayOID: 1016)
    package static let int2 = ColumnType(oid: 21, arrayOID: 1005)
    package static let int4 = ColumnType(oid: 23, arrayOID: 1007)
    package static let text = ColumnType(oid: 25, arrayOID: 1009)
    package static let float8 = ColumnType(oid: 701, arrayOID: 1022)
    package static let timestamptz = ColumnType(oid: 1184, arrayOID: 1185)
    package static let uuid = ColumnType(oid: 2950, arrayOID: 2951)
    package static let jsonb = ColumnType(oid: 3802, arrayOID: 3807)
}

/// A value that knows its binary form in PostgreSQL: for parameters, arrays and `COPY` alike.
///
/// `Optional` and `Array` of such values are such values too, so `[UUID?]` is a `uuid[]` with nulls.
package protocol BinaryValue {
    static var type: ColumnType { get }
    var isNull: Bool { get }
    /// The bytes of the value, without their length.
    func encode(into buffer: inout ByteBuffer)
}

extension BinaryValue {
    package var isNull: Bool { false }
}

extension ByteBuffer {
    /// The value behind its length in four bytes, as binary `COPY` and arrays want it; null is the length −1.
    package mutating func append<Value: BinaryValue>(field value: Value) {
        if value.isNull {
            append(big: Int32(-1))
            return
        }
        let start = count
        append(big: Int32(0))
        value.encode(into: &self)
        replace(big: Int32(count - start - 4), at: start)
    }
}

extension Int16: BinaryValue {
    package static var type: ColumnType { .int2 }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(big: self) }
}

extension Int32: BinaryValue {
    package static var type: ColumnType { .int4 }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(big: self) }
}

extension Int64: BinaryValue {
    package static var type: ColumnType { .int8 }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(big: self) }
}

/// `bigint`
extension Int: BinaryValue {
    package static var type: ColumnType { .int8 }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(big: Int64(self)) }
}

extension Double: BinaryValue {
    package static var type: ColumnType { .float8 }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(big: bitPattern) }
}

extension Bool: BinaryValue {
    package static var type: ColumnType { .bool }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(self ? 1 : 0) }
}

extension String: BinaryValue {
    package static var type: ColumnType { .text }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(self) }
}

/// Bytes are `text`: they must be UTF-8 without NUL, or the server answers 22021.
extension UnsafeRawBufferPointer: BinaryValue {
    package static var type: ColumnType { .text }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(self) }
}

extension UUID: BinaryValue {
    package static var type: ColumnType { .uuid }
    package func encode(into buffer: inout ByteBuffer) {
        buffer.append(big: high)
        buffer.append(big: low)
    }
}

extension Timestamp: BinaryValue {
    package static var type: ColumnType { .timestamptz }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(big: postgres) }
}

/// JSON text that goes into a `jsonb`.
package struct JSONText: BinaryValue {
    package let text: Bytes
    package init(_ text: Bytes) { self.text = text }
    package static var type: ColumnType { .jsonb }
    package func encode(into buffer: inout ByteBuffer) {
        buffer.append(1)  // the version of jsonb's binary format
        buffer.append(text)
    }
}

/// Bytes that go into a `bytea`.
package struct ByteString: BinaryValue {
    package let bytes: Bytes
    package init(_ bytes: Bytes) { self.bytes = bytes }
    package static var type: ColumnType { .bytea }
    package func encode(into buffer: inout ByteBuffer) { buffer.append(bytes) }
}

extension Optional: BinaryValue where Wrapped: BinaryValue {
    package static var type: ColumnType { Wrapped.type }
    package var isNull: Bool { self == nil || self?.isNull == true }
    package func encode(into buffer: inout ByteBuffer) { self?.encode(into: &buffer) }
}

/// One dimension, from index 1.
extension Array: BinaryValue where Element: BinaryValue {
    package static var type: ColumnType { Element.type.array }

    package func encode(into buffer: inout ByteBuffer) {
        let hasNull = contains { $0.isNull }
        buffer.appendArrayHead(of: Element.type, count: count, hasNull: hasNull)
        for value in self { buffer.append(field: value) }
    }
}

extension ByteBuffer {
    /// Dimensions, whether there are nulls, the element's type, and for the only dimension its size and first index.
    mutating func appendArrayHead(of type: ColumnType, count: Int, hasNull: Bool) {
        append(big: Int32(count == 0 ? 0 : 1))
        append(big: Int32(hasNull ? 1 : 0))
        append(big: type.oid)
        guard count > 0 else { return }
        append(big: Int32(count))
        append(big: Int32(1))
    }
}
