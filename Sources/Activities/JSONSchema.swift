import Foundations
import Payload

/// Describes an activity's properties as a JSON Schema (draft 2020-12).
///
/// Every event that the summary has seen is valid under it, and it is as strict as that allows: what was always
/// there is required, types are those that were seen, and where it is known that nothing else was there and
/// the activity is frozen, nothing else is allowed. Values are not restricted: the next price may be higher.
package enum JSONSchema {
    /// The schema's JSON text; `title` is the activity's key. `isFrozen`: what is unknown does not fit.
    package static func of(_ summary: ActivitySummary, title: String = "", isFrozen: Bool = false) -> String {
        var buffer = ByteBuffer()
        buffer.append("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"" as StaticString)
        if !title.isEmpty {
            buffer.append(",\"title\":" as StaticString)
            appendJSONString(title, to: &buffer)
        }
        buffer.append(",\"type\":\"object\"" as StaticString)
        appendObject(Shape(summary), isFrozen, to: &buffer)
        buffer.append(UInt8(ascii: "}"))
        return buffer.bytes.text
    }

    private static func append(_ shape: Shape, _ isFrozen: Bool, to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "{"))
        appendTypes(of: shape, to: &buffer)
        if let format = shape.format {
            buffer.append(",\"format\":\"\(format)\"")
        }
        if shape.types.contains(.object) { appendObject(shape, isFrozen, to: &buffer) }
        if shape.types.contains(.array), let elements = shape.elements {
            buffer.append(",\"items\":" as StaticString)
            append(elements, isFrozen, to: &buffer)
        }
        buffer.append(UInt8(ascii: "}"))
    }

    private static func appendTypes(of shape: Shape, to buffer: inout ByteBuffer) {
        let names = shape.types.names
        buffer.append("\"type\":" as StaticString)
        if names.count == 1 {
            buffer.append("\"\(names[0])\"")
        } else {
            buffer.append("[" + names.map { "\"\($0)\"" }.joined(separator: ",") + "]")
        }
    }

    private static func appendObject(_ shape: Shape, _ isFrozen: Bool, to buffer: inout ByteBuffer) {
        if !shape.members.isEmpty {
            buffer.append(",\"properties\":{" as StaticString)
            for (i, member) in shape.members.enumerated() {
                if i > 0 { buffer.append(UInt8(ascii: ",")) }
                appendJSONString(member.name, to: &buffer)
                buffer.append(UInt8(ascii: ":"))
                append(member.shape, isFrozen, to: &buffer)
            }
            buffer.append(UInt8(ascii: "}"))
        }
        let required = shape.members.filter(\.isRequired)
        if !required.isEmpty {
            buffer.append(",\"required\":[" as StaticString)
            for (i, member) in required.enumerated() {
                if i > 0 { buffer.append(UInt8(ascii: ",")) }
                appendJSONString(member.name, to: &buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        }
        buffer.append(",\"additionalProperties\":" as StaticString)
        switch shape.others {
        case .unknown: buffer.append("true" as StaticString)
        case .shape(let other): append(other, isFrozen, to: &buffer)
        case .none: buffer.append(isFrozen ? "false" : "true")
        }
    }
}
