import Foundations

/// The values of `$1`, `$2`, … of one statement, encoded one behind the other; may be emptied and used again.
package struct Parameters: ~Copyable {
    struct Field {
        let type: UInt32
        let offset: Int
        /// −1: null
        let length: Int32
    }

    private(set) var buffer = ByteBuffer(capacity: 256)
    private(set) var fields: [Field] = []

    package init() {}

    package init(_ values: [any BinaryValue]) {
        for value in values { append(value) }
    }

    package var count: Int { fields.count }

    package mutating func append<Value: BinaryValue>(_ value: Value) {
        let offset = buffer.count
        let isNull = value.isNull
        if !isNull { value.encode(into: &buffer) }
        finish(Value.type, from: offset, isNull: isNull)
    }

    package mutating func append<Element: BinaryValue>(_ column: borrowing ArrayColumn<Element>) {
        let offset = buffer.count
        column.encode(into: &buffer)
        finish(Element.type.array, from: offset, isNull: false)
    }

    package mutating func appendNull(_ type: ColumnType) { finish(type, from: buffer.count, isNull: true) }

    /// Keeps the memory.
    package mutating func removeAll() {
        buffer.removeAll()
        fields.removeAll(keepingCapacity: true)
    }

    private mutating func finish(_ type: ColumnType, from offset: Int, isNull: Bool) {
        let length = isNull ? -1 : Int32(buffer.count - offset)
        fields.append(Field(type: type.oid, offset: offset, length: length))
    }
}
