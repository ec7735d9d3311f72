import Foundations
import Payload

/// The key of an activity that is named as people write it: `Add to cart` → `add-to-cart`; nil for a blank name.
package func activityKey(_ label: String) -> String? {
    var buffer = ByteBuffer(capacity: 64)
    var label = label
    let isNamed = label.withUTF8 { ActivityKey.append(label: Bytes($0), to: &buffer) }
    if !isNamed { return nil }
    // The server's own events have keys that nobody's label becomes.
    switch buffer.bytes.text {
    case "session-start": return "session.start"
    case "session-end": return "session.end"
    case let key: return key
    }
}
