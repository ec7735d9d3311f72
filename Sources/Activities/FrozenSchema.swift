import Foundations
import Payload

/// Why properties do not fit a frozen activity.
package struct Misfit: Hashable, Sendable {
    /// An RFC 6901 pointer into the properties.
    package let pointer: String
    package let expected: String
    package let found: String
    /// The known name that was probably meant.
    package let nearest: String?

    package init(pointer: String, expected: String, found: String, nearest: String?) {
        self.pointer = pointer
        self.expected = expected
        self.found = found
        self.nearest = nearest
    }
}

/// What an activity carried when it was frozen: the loader holds events against it.
///
/// An event fits if it is valid under the activity's JSON Schema with nothing unknown allowed.
package struct FrozenSchema: Sendable {
    var shape: Shape
    private static let version: UInt8 = 1

    package init(_ summary: ActivitySummary) { shape = Shape(summary) }

    /// Reads what `encode` wrote.
    package init(decoding bytes: Bytes) throws(SummaryError) {
        var reader = ByteReader(bytes)
        guard try reader.byte() == Self.version else { throw reader.failure("version \(Self.version)") }
        shape = try Shape(&reader, depth: 0)
        guard reader.isAtEnd else { throw reader.failure("the end") }
    }

    package func encode(to buffer: inout ByteBuffer) {
        buffer.append(Self.version)
        shape.encode(to: &buffer)
    }

    /// The objects of which not all names are known, so that any name fits there.
    package var open: [String] {
        var open: [String] = []
        shape.collectOpen([], &open)
        return open
    }

    /// Why the properties do not fit; nil: they do. Of several reasons, the first one in the text.
    package func check(_ properties: JSONNode) -> Misfit? {
        guard let fault = FrozenCheck.fault(in: properties, shape) else { return nil }
        return fault.misfit
    }

    /// Appends the properties without what is unknown; the rest stands as it came, byte for byte. False, and
    /// nothing is appended: there is nothing to drop.
    package func dropExtras(of properties: JSONNode, to buffer: inout ByteBuffer) -> Bool {
        guard FrozenTrim.hasExtras(properties, shape) else { return false }
        FrozenTrim.append(properties, shape, to: &buffer)
        return true
    }
}

extension Shape {
    fileprivate func collectOpen(_ path: [ParameterPath.Segment], _ open: inout [String]) {
        if others.isUnknown { open.append(ParameterPath(path).text) }
        for member in members { member.shape.collectOpen(path + [.name(member.name)], &open) }
        if case .shape(let shape) = others { shape.collectOpen(path + [.anyKey], &open) }
        elements?.collectOpen(path + [.element], &open)
    }

    func encode(to buffer: inout ByteBuffer) {
        buffer.append(types.rawValue)
        buffer.append(varint: members.count)
        for member in members {
            buffer.append(counted: member.name)
            buffer.append(UInt8(member.isRequired ? 1 : 0))
            member.shape.encode(to: &buffer)
        }
        switch others {
        case .none: buffer.append(UInt8(0))
        case .unknown: buffer.append(UInt8(1))
        case .shape(let shape):
            buffer.append(UInt8(2))
            shape.encode(to: &buffer)
        }
        buffer.append(UInt8(elements == nil ? 0 : 1))
        elements?.encode(to: &buffer)
    }

    init(_ reader: inout ByteReader, depth: Int) throws(SummaryError) {
        self.init()
        guard depth < 64 else { throw reader.failure("less nesting") }
        types = Types(rawValue: try reader.byte())
        for _ in 0..<(try reader.varint()) {
            let name = try reader.text()
            let isRequired = try reader.byte() != 0
            members.append(
                Member(name: name, isRequired: isRequired, shape: try Shape(&reader, depth: depth + 1)))
        }
        switch try reader.byte() {
        case 0: others = .none
        case 1: others = .unknown
        case 2: others = .shape(try Shape(&reader, depth: depth + 1))
        default: throw reader.failure("what other members are")
        }
        if try reader.byte() != 0 { elements = try Shape(&reader, depth: depth + 1) }
    }
}
