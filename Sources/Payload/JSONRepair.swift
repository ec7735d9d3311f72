import Foundations

/// What had to be changed so that jsonb accepts a text.
package struct Repairs: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A NUL character, which no text in PostgreSQL can hold, became U+FFFD.
    package static let nul = Repairs(rawValue: 1)
    /// Half of a surrogate pair became U+FFFD.
    package static let surrogate = Repairs(rawValue: 2)
    /// A number that `numeric` cannot hold, or only at thousands of digits, became a string of the same text.
    package static let number = Repairs(rawValue: 4)
    /// Bytes that are not UTF-8 became U+FFFD: forms and paths only, in JSON they are an error.
    package static let utf8 = Repairs(rawValue: 8)
}

extension JSONNode {
    /// Appends a string's decoded text; of any other value its JSON text. Repaired where jsonb would refuse
    /// it.
    @discardableResult
    package func appendText(to buffer: inout ByteBuffer) -> Repairs {
        guard kind == .string else { return appendJSON(to: &buffer) }
        guard hasEscapes else {
            buffer.append(contents)
            return []
        }
        var characters = JSONCharacters(contents)
        while let piece = characters.next() {
            switch piece {
            case .run(let run): buffer.append(run)
            case .character(let scalar): buffer.append(scalar: scalar)
            }
        }
        return characters.repairs
    }

    /// Appends the value as JSON that jsonb accepts: as it stands, byte for byte, where nothing has to be
    /// repaired.
    @discardableResult
    package func appendJSON(to buffer: inout ByteBuffer) -> Repairs {
        guard needsRepair else {
            buffer.append(bytes)
            return []
        }
        // Only the tokens that need it are written anew; everything between them is copied.
        var repairs: Repairs = []
        var copied = offset
        let end = entry + span
        var at = entry
        while at < end {
            let node = JSONNode(entry: at, text: text)
            if node.needsRepair, node.kind == .string || node.kind == .number {
                buffer.append(Bytes(start: text + copied, count: node.offset - copied))
                repairs.formUnion(node.appendRepairedToken(to: &buffer))
                copied = node.offset + node.bytes.count
            }
            at += 1
        }
        buffer.append(Bytes(start: text + copied, count: offset + bytes.count - copied))
        return repairs
    }

    private func appendRepairedToken(to buffer: inout ByteBuffer) -> Repairs {
        buffer.append(UInt8(ascii: "\""))
        defer { buffer.append(UInt8(ascii: "\"")) }
        guard kind == .string else {
            buffer.append(bytes)
            return .number
        }
        var characters = JSONCharacters(contents)
        var all: Repairs = []
        while characters.next() != nil {
            let repairs = characters.takeRepairs()
            if repairs.isEmpty { buffer.append(characters.written) } else { buffer.appendReplacement() }
            all.formUnion(repairs)
        }
        return all
    }
}
