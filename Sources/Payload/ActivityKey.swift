import Foundations

/// The key of an activity, made from the name that was sent: `" Purchase  Order "` → `purchase-order`.
///
/// White space is what Unicode calls so, the no-break space and the ideographic space included: it is
/// dropped at both ends, and each run inside becomes one `-`. The rest is lower-cased character by
/// character by Unicode's full mapping, independent of language and neighbours (`İ` → `i̇`, `Σ` → `σ`).
/// Nothing is normalized.
package enum ActivityKey {
    /// Appends the key of a label. False, and nothing is appended: the label is blank.
    @discardableResult
    package static func append(label: Bytes, to buffer: inout ByteBuffer) -> Bool {
        guard let base = label.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return false }
        let end = base + label.count
        let start = buffer.count
        buffer.reserve(label.count)
        var at = base
        var inSpace = false
        while at < end {
            let byte = at.pointee
            if byte < 0x80 {
                at += 1
                if byte == 32 || byte &- 9 < 5 {
                    inSpace = true
                    continue
                }
                if inSpace, buffer.count > start { buffer.append(UInt8(ascii: "-")) }
                inSpace = false
                buffer.append(byte &- 65 < 26 ? byte | 32 : byte)
            } else {
                let (scalar, length) = UTF8Text.scalar(at, end)
                at += length
                let properties = scalar.properties
                if properties.isWhitespace {
                    inSpace = true
                    continue
                }
                if inSpace, buffer.count > start { buffer.append(UInt8(ascii: "-")) }
                inSpace = false
                if properties.changesWhenLowercased {
                    for lower in properties.lowercaseMapping.unicodeScalars { buffer.append(scalar: lower) }
                } else {
                    buffer.append(scalar: scalar)
                }
            }
        }
        return buffer.count > start
    }
}
