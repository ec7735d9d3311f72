import Foundations
import Payload

/// A profile's attributes as JSON text.
package enum Attributes {
    /// Of a trait: private ones stand in an object of their own. Nil takes it away.
    package static func setting(trait: String, to json: [UInt8]?, in attributes: [UInt8]) -> [UInt8] {
        let prefix = "private."
        guard trait.hasPrefix(prefix) else { return setting(trait, to: json, in: attributes) }
        let reading = Reading(attributes)
        defer { withExtendedLifetime(reading) {} }
        let own = reading.root.member(Name("private")).map { Array($0.bytes) } ?? Array("{}".utf8)
        let inner = setting(String(trait.dropFirst(prefix.count)), to: json, in: own)
        return setting("private", to: inner, in: attributes)
    }

    static func setting(_ name: String, to json: [UInt8]?, in attributes: [UInt8]) -> [UInt8] {
        let reading = Reading(attributes)
        defer { withExtendedLifetime(reading) {} }
        let wanted = Name(name)
        var buffer = ByteBuffer(capacity: attributes.count + (json?.count ?? 0) + 64)
        buffer.append(UInt8(ascii: "{"))
        for (key, value) in reading.root.members where !wanted.bytes.withUnsafeBytes({ key.isText($0) }) {
            if buffer.count > 1 { buffer.append(UInt8(ascii: ",")) }
            buffer.append(key.bytes)
            buffer.append(UInt8(ascii: ":"))
            buffer.append(value.bytes)
        }
        if let json {
            if buffer.count > 1 { buffer.append(UInt8(ascii: ",")) }
            appendJSONString(name, to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            buffer.append(json)
        }
        buffer.append(UInt8(ascii: "}"))
        return Array(buffer.bytes)
    }
}
