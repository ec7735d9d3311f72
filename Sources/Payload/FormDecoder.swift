import Foundations

/// Turns a form (`application/x-www-form-urlencoded`) or a query string into a JSON object of strings.
///
/// Keys keep the order in which they first come; a repeated key becomes a list of its values. A key without
/// `=` has the value "". It is meant to be reused: warm, it allocates nothing.
package struct FormDecoder: ~Copyable {
    private struct Field {
        /// The decoded key, in `keys`.
        var key: Range<UInt32>
        /// The value as it stands in the form.
        var value: Range<UInt32>
        /// The next field of the same key + 1; 0: none.
        var next: UInt32
        /// Of a key's first field, its last one + 1; 0: not the first.
        var last: UInt32
    }

    private var keys = ByteBuffer(capacity: 256)
    private var value = ByteBuffer(capacity: 256)
    private var fields: [Field] = []
    private var slots: [UInt32] = []
    private let hash = SipHash()

    private static let kept = 1 << 16

    package init() {}

    /// Appends the form as the text of a JSON object.
    @discardableResult
    package mutating func appendJSON(_ form: Bytes, to buffer: inout ByteBuffer) -> Repairs {
        var repairs = collect(form)
        buffer.append(UInt8(ascii: "{"))
        var isFirst = true
        for i in fields.indices where fields[i].last != 0 {
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            appendJSONString(keys[Int(fields[i].key.lowerBound)..<Int(fields[i].key.upperBound)], to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            repairs.formUnion(appendValues(from: i, of: form, to: &buffer))
        }
        buffer.append(UInt8(ascii: "}"))
        giveBack()
        return repairs
    }

    private mutating func appendValues(from first: Int, of form: Bytes, to buffer: inout ByteBuffer)
        -> Repairs
    {
        let isList = fields[first].next != 0
        var repairs: Repairs = []
        if isList { buffer.append(UInt8(ascii: "[")) }
        var at = first
        while true {
            let field = fields[at]
            value.removeAll()
            let raw = form.slice(Int(field.value.lowerBound)..<Int(field.value.upperBound))
            repairs.formUnion(PercentDecoding.append(raw, plusIsSpace: true, to: &value))
            appendJSONString(value.bytes, to: &buffer)
            guard field.next != 0 else { break }
            buffer.append(UInt8(ascii: ","))
            at = Int(field.next) - 1
        }
        if isList { buffer.append(UInt8(ascii: "]")) }
        return repairs
    }

    // MARK: - Fields

    /// Cuts the form at `&` and `=` and chains the fields of one key.
    private mutating func collect(_ form: Bytes) -> Repairs {
        var repairs: Repairs = []
        clearSlots(64)
        var at = 0
        while at < form.count {
            var end = at
            var equals: Int?
            while end < form.count, form[end] != UInt8(ascii: "&") {
                if equals == nil, form[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if end > at {
                let start = keys.count
                let key = form.slice(at..<(equals ?? end))
                repairs.formUnion(PercentDecoding.append(key, plusIsSpace: true, to: &keys))
                let value = min((equals ?? end) + 1, end)..<end
                add(
                    Field(
                        key: UInt32(start)..<UInt32(keys.count),
                        value: UInt32(value.lowerBound)..<UInt32(value.upperBound), next: 0, last: 0))
            }
            at = end + 1
        }
        return repairs
    }

    private mutating func add(_ field: Field) {
        var field = field
        let number = UInt32(fields.count) + 1
        if 2 * fields.count >= slots.count { rehash() }
        let slot = slot(of: field)
        if slots[slot] == 0 {
            slots[slot] = number
            field.last = number
        } else {
            let first = Int(slots[slot]) - 1
            fields[Int(fields[first].last) - 1].next = number
            fields[first].last = number
        }
        fields.append(field)
    }

    private func slot(of field: Field) -> Int {
        let key = keys[Int(field.key.lowerBound)..<Int(field.key.upperBound)]
        let mask = slots.count - 1
        var at = Int(truncatingIfNeeded: hash.hash(key)) & mask
        while slots[at] != 0 {
            let other = fields[Int(slots[at]) - 1].key
            if keys[Int(other.lowerBound)..<Int(other.upperBound)].equals(key) { break }
            at = (at + 1) & mask
        }
        return at
    }

    // MARK: - Memory

    private mutating func clearSlots(_ size: Int) {
        slots.removeAll(keepingCapacity: true)
        slots.append(contentsOf: repeatElement(0, count: size))
    }

    private mutating func rehash() {
        clearSlots(slots.count * 2)
        for i in fields.indices where fields[i].last != 0 { slots[slot(of: fields[i])] = UInt32(i) + 1 }
    }

    private mutating func giveBack() {
        keys.removeAll()
        keys.shrink(to: Self.kept)
        value.removeAll()
        value.shrink(to: Self.kept)
        fields.removeAll(keepingCapacity: fields.capacity <= 4_096)
        if slots.capacity > Self.kept { slots = [] }
    }
}
