import Foundations

/// Appends a text as a JSON string. Only `"`, `\` and control characters are escaped; NUL, which jsonb
/// refuses, and what is not UTF-8 become U+FFFD.
@discardableResult
package func appendJSONString(_ text: Bytes, to buffer: inout ByteBuffer) -> Repairs {
    guard let base = text.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
        buffer.append("\"\"" as StaticString)
        return []
    }
    buffer.reserve(text.count + 2)
    buffer.append(UInt8(ascii: "\""))
    var repairs: Repairs = []
    let end = base + text.count
    var at = base
    var copied = base
    while at < end {
        if end - at >= 8 {
            let found = JSONStrings.special(JSONStrings.load(at))
            at += found == 0 ? 8 : found.trailingZeroBitCount >> 3
            if found == 0 { continue }
        }
        let byte = at.pointee
        if byte >= 0x80 {
            let length = UTF8Text.length(at, end)
            if length > 0 {
                at += length
                continue
            }
        } else if byte >= 32, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            at += 1
            continue
        }
        buffer.append(Bytes(start: copied, count: at - copied))
        repairs.formUnion(appendEscape(of: byte, to: &buffer))
        at += 1
        copied = at
    }
    buffer.append(Bytes(start: copied, count: at - copied))
    buffer.append(UInt8(ascii: "\""))
    return repairs
}

/// The same for a text that is known as a `String`; off the hot path.
@discardableResult
package func appendJSONString(_ text: String, to buffer: inout ByteBuffer) -> Repairs {
    var text = text
    return text.withUTF8 { appendJSONString(Bytes($0), to: &buffer) }
}

private func appendEscape(of byte: UInt8, to buffer: inout ByteBuffer) -> Repairs {
    switch byte {
    case UInt8(ascii: "\""): buffer.append("\\\"" as StaticString)
    case UInt8(ascii: "\\"): buffer.append("\\\\" as StaticString)
    case 8: buffer.append("\\b" as StaticString)
    case 9: buffer.append("\\t" as StaticString)
    case 10: buffer.append("\\n" as StaticString)
    case 12: buffer.append("\\f" as StaticString)
    case 13: buffer.append("\\r" as StaticString)
    case 0:
        buffer.appendReplacement()
        return .nul
    case 0x80...:
        buffer.appendReplacement()
        return .utf8
    default:
        buffer.append("\\u00" as StaticString)
        buffer.append(48 + byte >> 4)
        buffer.append(byte & 15 < 10 ? 48 + byte & 15 : 87 + byte & 15)
    }
    return []
}
