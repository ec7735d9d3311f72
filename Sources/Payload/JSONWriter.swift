import Foundations

/// Writes a JSON text value by value and sets the commas: for answers and `--json`, off the hot path.
///
///     var json = JSONWriter()
///     json.object { json in
///         json.member("key", "page-view")
///         json.array("sources") { json in
///             for source in sources { json.element(source) }
///         }
///     }
///
/// A nil is `null`, a time `2026-11-22T03:04:05.678901Z`, and a number that JSON has no word for is `null`.
package struct JSONWriter: ~Copyable {
    private var buffer: ByteBuffer
    /// Does a value stand before the next one in the same container?
    private var follows = false

    package init(capacity: Int = 1024) { buffer = ByteBuffer(capacity: capacity) }

    /// What is written so far. Valid until the next change.
    package var bytes: Bytes { buffer.bytes }
    package var text: String { buffer.bytes.text }

    // MARK: Containers

    package mutating func object(_ body: (inout JSONWriter) -> Void) { container("{", "}", body) }
    package mutating func array(_ body: (inout JSONWriter) -> Void) { container("[", "]", body) }

    package mutating func object(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        container("{", "}", body, isMember: true)
    }

    package mutating func array(_ name: String, _ body: (inout JSONWriter) -> Void) {
        key(name)
        container("[", "]", body, isMember: true)
    }

    // MARK: Members and elements

    package mutating func member(_ name: String, _ value: String?) { key(name); scalar(value) }
    package mutating func member(_ name: String, _ value: Int?) { key(name); scalar(value) }
    package mutating func member(_ name: String, _ value: Double?) { key(name); scalar(value) }
    package mutating func member(_ name: String, _ value: Bool?) { key(name); scalar(value) }
    package mutating func member(_ name: String, _ value: UUID?) { key(name); scalar(value?.description) }
    package mutating func member(_ name: String, _ value: Timestamp?) { key(name); scalar(value?.iso8601) }
    package mutating func member(_ name: String, _ values: [String]) {
        array(name) { json in for value in values { json.element(value) } }
    }
    /// JSON text as it is; nothing at all is `null`.
    package mutating func member(_ name: String, json: Bytes) { key(name); raw(json) }

    package mutating func element(_ value: String?) { comma(); scalar(value) }
    package mutating func element(_ value: Int?) { comma(); scalar(value) }
    package mutating func element(_ value: Double?) { comma(); scalar(value) }
    package mutating func element(_ value: Bool?) { comma(); scalar(value) }
    /// JSON text as it is; nothing at all is `null`.
    package mutating func element(json: Bytes) { comma(); raw(json) }

    // MARK: Inside

    private mutating func container(
        _ open: StaticString, _ close: StaticString, _ body: (inout JSONWriter) -> Void,
        isMember: Bool = false
    ) {
        if !isMember { comma() }
        buffer.append(open)
        follows = false
        body(&self)
        buffer.append(close)
        follows = true
    }

    private mutating func comma() {
        if follows { buffer.append(UInt8(ascii: ",")) }
        follows = true
    }

    private mutating func key(_ name: String) {
        comma()
        _ = appendJSONString(name, to: &buffer)
        buffer.append(UInt8(ascii: ":"))
    }

    private mutating func scalar(_ value: String?) {
        guard let value else { return null() }
        _ = appendJSONString(value, to: &buffer)
    }

    private mutating func scalar(_ value: Int?) {
        guard let value else { return null() }
        buffer.append(decimal: value)
    }

    private mutating func scalar(_ value: Double?) {
        guard let value, value.isFinite else { return null() }
        let isWhole = value.rounded() == value && abs(value) < 1e15
        buffer.append(isWhole ? String(Int64(value)) : value.description)
    }

    private mutating func scalar(_ value: Bool?) {
        guard let value else { return null() }
        buffer.append(value ? "true" : "false")
    }

    private mutating func raw(_ json: Bytes) { if json.count > 0 { buffer.append(json) } else { null() } }

    private mutating func null() { buffer.append("null" as StaticString) }
}
