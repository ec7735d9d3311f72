import Foundations

/// A value in a scanned text: two pointers, passed around freely, valid while the document and its bytes are.
package struct JSONNode {
    @usableFromInline let entry: UnsafePointer<JSONEntry>
    @usableFromInline let text: UnsafePointer<UInt8>

    @inlinable init(entry: UnsafePointer<JSONEntry>, text: UnsafePointer<UInt8>) {
        self.entry = entry
        self.text = text
    }

    @inlinable package var kind: JSONKind {
        JSONKind(rawValue: UInt8(truncatingIfNeeded: entry.pointee.info & 7)) ?? .null
    }
    @inlinable package var isNull: Bool { kind == .null }

    /// The value as it stands in the text, quotes or brackets included.
    @inlinable package var bytes: Bytes {
        Bytes(start: text + Int(entry.pointee.offset), count: Int(entry.pointee.length))
    }
    /// What stands between a string's quotes, escapes and all; of any other value its text.
    @inlinable package var contents: Bytes {
        guard kind == .string else { return bytes }
        return Bytes(start: text + Int(entry.pointee.offset) + 1, count: Int(entry.pointee.length) - 2)
    }
    /// Where the value begins, counted in bytes from the beginning of the text.
    @inlinable package var offset: Int { Int(entry.pointee.offset) }

    /// A string with at least one backslash: its `contents` are not its text.
    @inlinable package var hasEscapes: Bool { entry.pointee.info & 8 != 0 }
    /// Something in this value is refused by jsonb: its text must not be stored as it is.
    @inlinable package var needsRepair: Bool { entry.pointee.info & 16 != 0 }
    /// 0 for a scalar, 1 for a container of scalars or an empty one, and so on.
    @inlinable package var depth: Int { Int(entry.pointee.info >> 8) }

    /// How many elements or members it has, repeated keys counted each time; 0 for a scalar. It counts them.
    package var count: Int {
        var count = 0
        var at = entry + 1
        let end = entry + Int(entry.pointee.span)
        while at < end {
            count += 1
            at += Int(at.pointee.span)
        }
        return kind == .object ? count / 2 : count
    }

    /// How many values there are in it, itself and keys included.
    @inlinable package var span: Int { Int(entry.pointee.span) }

    /// The elements of an array; of any other value, none.
    @inlinable package var elements: JSONElements {
        JSONElements(at: entry + 1, end: kind == .array ? entry + span : entry + 1, text: text)
    }
    /// The members of an object in the order of the text, repeated keys included; of any other value, none.
    @inlinable package var members: JSONMembers {
        JSONMembers(at: entry + 1, end: kind == .object ? entry + span : entry + 1, text: text)
    }

    /// A null that is in no text.
    nonisolated(unsafe) static let null: JSONNode = {  // never changed, never freed
        let word: StaticString = "null"
        let entry = UnsafeMutablePointer<JSONEntry>.allocate(capacity: 1)
        entry.initialize(to: JSONEntry(offset: 0, length: 4, span: 1, info: UInt32(JSONKind.null.rawValue)))
        return JSONNode(entry: entry, text: word.utf8Start)
    }()
}

/// An array's elements.
package struct JSONElements: Sequence, IteratorProtocol {
    @usableFromInline var at: UnsafePointer<JSONEntry>
    @usableFromInline let end: UnsafePointer<JSONEntry>
    @usableFromInline let text: UnsafePointer<UInt8>

    @inlinable init(
        at: UnsafePointer<JSONEntry>, end: UnsafePointer<JSONEntry>, text: UnsafePointer<UInt8>
    ) {
        self.at = at
        self.end = end
        self.text = text
    }

    @inlinable package mutating func next() -> JSONNode? {
        guard at < end else { return nil }
        defer { at += Int(at.pointee.span) }
        return JSONNode(entry: at, text: text)
    }
}

/// An object's members.
package struct JSONMembers: Sequence, IteratorProtocol {
    @usableFromInline var at: UnsafePointer<JSONEntry>
    @usableFromInline let end: UnsafePointer<JSONEntry>
    @usableFromInline let text: UnsafePointer<UInt8>

    @inlinable init(
        at: UnsafePointer<JSONEntry>, end: UnsafePointer<JSONEntry>, text: UnsafePointer<UInt8>
    ) {
        self.at = at
        self.end = end
        self.text = text
    }

    @inlinable package mutating func next() -> (key: JSONNode, value: JSONNode)? {
        guard at < end else { return nil }
        let value = at + 1
        defer { at = value + Int(value.pointee.span) }
        return (JSONNode(entry: at, text: text), JSONNode(entry: value, text: text))
    }
}
