import Foundations

extension JSONNode {
    /// The value under a key, compared as decoded text; of repeated keys the last one wins, as in jsonb.
    /// Nil if there is none, or if this is not an object. It walks over the members: constant for each.
    @inlinable package func member(_ name: StaticString) -> JSONNode? {
        member(decoded: Bytes(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// The value under a key that is given as decoded text (where jsonb refuses something, as repaired).
    package func member(decoded name: Bytes) -> JSONNode? {
        guard kind == .object else { return nil }
        var found: UnsafePointer<JSONEntry>?
        var at = entry + 1
        let end = entry + span
        while at < end {
            let value = at + 1
            if JSONNode(entry: at, text: text).isText(name) { found = value }
            at = value + Int(value.pointee.span)
        }
        guard let found else { return nil }
        return JSONNode(entry: found, text: text)
    }

    /// Is this a string of that (decoded) text?
    @inline(__always) package func isText(_ wanted: Bytes) -> Bool {
        guard kind == .string else { return false }
        if hasEscapes { return isEscapedText(wanted) }
        let length = Int(entry.pointee.length) - 2
        guard length == wanted.count else { return false }
        guard length > 0, let other = wanted.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return true
        }
        let own = text + Int(entry.pointee.offset) + 1
        guard own.pointee == other.pointee else { return false }
        return contents.equals(wanted)
    }

    @inline(never) private func isEscapedText(_ wanted: Bytes) -> Bool {
        // No byte of a text is written with more than six.
        guard contents.count <= 6 * wanted.count else { return false }
        var characters = JSONCharacters(contents)
        var at = 0
        while let piece = characters.next() {
            switch piece {
            case .run(let run):
                guard wanted.count - at >= run.count else { return false }
                guard run.equals(wanted.slice(at..<at + run.count)) else { return false }
                at += run.count
            case .character(let scalar):
                for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                    guard at < wanted.count, wanted[at] == byte else { return false }
                    at += 1
                }
            }
        }
        return at == wanted.count
    }
}
