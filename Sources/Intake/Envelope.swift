import Foundations
import Payload

/// What a tracker payload says about itself, apart from its events. Texts are slices, trimmed.
struct Envelope {
    var source = Bytes.empty
    /// Empty: none was sent.
    var session = Bytes.empty
    var profile = Bytes.empty
    var context: JSONNode?
    var events: JSONNode?
    var eventCount = 0
    var sentAt: Timestamp?
    var wantsDebugger = false
    var wantsProfile = false
    var savesSession = true
    var savesEvents = true
}

/// The longest id or key that is kept, in bytes.
let longestText = 256

/// Texts of a request that had to be decoded, in a room of fixed size so that slices of it stay where they are.
struct Texts: ~Copyable {
    private static let longestRaw = 2048
    private static let room = 32 << 10
    private var buffer = ByteBuffer(capacity: Texts.room)
    private var repairs: Repairs = []

    var mark: Int { buffer.count }
    mutating func back(to mark: Int) { buffer.truncate(to: mark) }

    /// Forgets the request before.
    mutating func removeAll() {
        back(to: 0)
        repairs = []
    }

    /// What had to be replaced in them since this was asked last.
    mutating func takeRepairs() -> Repairs {
        defer { repairs = [] }
        return repairs
    }

    /// The trimmed text of a string or a number; nil when it is longer than any text that we keep.
    mutating func text(of node: JSONNode) -> Bytes? {
        let raw = node.contents
        if node.kind == .string, !node.hasEscapes, !node.needsRepair { return Texts.short(raw.trimmed) }
        guard raw.count <= Texts.longestRaw, Texts.room - buffer.count >= raw.count + 64 else { return nil }
        if node.kind == .number { return Texts.short(raw) }
        let start = buffer.count
        repairs.formUnion(node.appendText(to: &buffer))
        return Texts.short(buffer[start..<buffer.count].trimmed)
    }

    /// A percent-decoded segment of a path, trimmed; nil when an escape is malformed or what comes out is not
    /// UTF-8. Of a segment that is far too long, only so much that this can be seen.
    mutating func decoded(_ segment: Bytes) -> Bytes? {
        guard segment.count <= Texts.longestRaw else { return segment.prefix(longestText + 1) }
        guard Texts.isEscaped(segment), Texts.room - buffer.count >= segment.count * 3 else { return nil }
        let start = buffer.count
        let replaced = PercentDecoding.append(segment, to: &buffer)
        if replaced.contains(.utf8) { return nil }
        repairs.formUnion(replaced)
        return buffer[start..<buffer.count].trimmed
    }

    /// The activity's key of a label; nil when it is too long, empty when the label is blank.
    mutating func activity(of label: Bytes) -> Bytes? {
        guard Texts.room - buffer.count >= label.count * 3 else { return nil }
        let start = buffer.count
        ActivityKey.append(label: label, to: &buffer)
        return Texts.short(buffer[start..<buffer.count])
    }

    /// A header's value, trimmed; what is not UTF-8 in it becomes U+FFFD, for the database takes nothing else, which
    /// is said of a value that `isNoted`.
    mutating func header(_ value: Bytes?, longest: Int, isNoted: Bool = false) -> Bytes {
        guard let value = value?.trimmed.prefix(longest), !value.isEmpty else { return .empty }
        if value.allSatisfy({ $0 < 0x80 }) { return value }
        guard Texts.room - buffer.count >= value.count * 3 else { return .empty }
        let start = buffer.count
        buffer.append(value.text)
        let text = buffer[start..<buffer.count]
        if isNoted, !text.equals(value) { repairs.insert(.utf8) }
        return text
    }

    /// A uuid's text.
    mutating func text(of id: UUID) -> Bytes {
        let start = buffer.count
        buffer.append(id)
        return buffer[start..<start + 36]
    }

    /// Every percent sign is followed by two hexadecimal digits (RFC 3986, 2.1).
    private static func isEscaped(_ segment: Bytes) -> Bool {
        func isHex(_ i: Int) -> Bool {
            guard i < segment.count else { return false }
            return switch segment[i] {
            case 48...57, 65...70, 97...102: true
            default: false
            }
        }
        for i in 0..<segment.count where segment[i] == UInt8(ascii: "%") {
            if !isHex(i + 1) || !isHex(i + 2) { return false }
        }
        return true
    }

    private static func short(_ text: Bytes) -> Bytes? { text.count <= longestText ? text : nil }
}
