import Foundations

/// A column of values that becomes one array parameter, for `… FROM unnest($1, $2)`: encoded while it is filled,
/// and reused from batch to batch.
///
///     var ids = ArrayColumn(of: UUID.self)
///     ids.append(first)
///     ids.appendNull()
///     parameters.append(ids)
package struct ArrayColumn<Element: BinaryValue>: ~Copyable {
    var buffer = ByteBuffer()
    package private(set) var count = 0
    var hasNull = false

    package init(of type: Element.Type = Element.self) { buffer = ByteBuffer(capacity: 1024) }

    package mutating func append(_ value: Element) {
        if value.isNull { hasNull = true }
        buffer.append(field: value)
        count += 1
    }

    package mutating func appendNull() {
        hasNull = true
        buffer.append(big: Int32(-1))
        count += 1
    }

    /// Keeps the memory.
    package mutating func removeAll() {
        buffer.removeAll()
        count = 0
        hasNull = false
    }

    func encode(into out: inout ByteBuffer) {
        out.appendArrayHead(of: Element.type, count: count, hasNull: hasNull)
        out.append(buffer.bytes)
    }
}
