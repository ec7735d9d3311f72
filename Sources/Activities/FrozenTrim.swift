import Foundations
import Payload

/// Takes out of properties what a shape does not know.
enum FrozenTrim {
    static func hasExtras(_ value: JSONNode, _ shape: Shape) -> Bool {
        switch value.kind {
        case .object:
            return value.members.contains { name, value in
                guard let known = shape.part(name) else { return !shape.others.isUnknown }
                return hasExtras(value, known)
            }
        case .array:
            guard let elements = shape.elements else { return false }
            return value.elements.contains { hasExtras($0, elements) }
        default: return false
        }
    }

    static func append(_ value: JSONNode, _ shape: Shape, to buffer: inout ByteBuffer) {
        guard hasExtras(value, shape) else {
            value.appendJSON(to: &buffer)
            return
        }
        value.kind == .object
            ? appendObject(value, shape, to: &buffer) : appendArray(value, shape, to: &buffer)
    }

    private static func appendObject(_ object: JSONNode, _ shape: Shape, to buffer: inout ByteBuffer) {
        buffer.append(UInt8(ascii: "{"))
        var isFirst = true
        for (name, value) in object.members {
            let known = shape.part(name)
            guard known != nil || shape.others.isUnknown else { continue }
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            name.appendJSON(to: &buffer)
            buffer.append(UInt8(ascii: ":"))
            if let known { append(value, known, to: &buffer) } else { value.appendJSON(to: &buffer) }
        }
        buffer.append(UInt8(ascii: "}"))
    }

    private static func appendArray(_ array: JSONNode, _ shape: Shape, to buffer: inout ByteBuffer) {
        guard let elements = shape.elements else {
            array.appendJSON(to: &buffer)
            return
        }
        buffer.append(UInt8(ascii: "["))
        var isFirst = true
        for element in array.elements {
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            append(element, elements, to: &buffer)
        }
        buffer.append(UInt8(ascii: "]"))
    }
}

extension Shape {
    /// What a member must be; nil: it has no name here, and there is no map.
    fileprivate func part(_ name: JSONNode) -> Shape? {
        if let index = index(of: name) { return members[index].shape }
        if case .shape(let shape) = others { return shape }
        return nil
    }
}

extension Shape.Others {
    var isUnknown: Bool {
        if case .unknown = self { return true }
        return false
    }
}
