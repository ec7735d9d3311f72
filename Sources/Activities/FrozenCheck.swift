import Foundations
import Payload

/// Holds values against a shape.
enum FrozenCheck {
    /// What does not fit, and the way to it: the last step first.
    struct Fault {
        var steps: [String] = []
        let expected: String
        let found: String
        var nearest: String?

        init(_ expected: String, _ found: String, nearest: String? = nil) {
            self.expected = expected
            self.found = found
            self.nearest = nearest
        }

        func at(_ step: String) -> Fault {
            var fault = self
            fault.steps.append(step)
            return fault
        }

        var misfit: Misfit {
            let pointer = steps.reversed().map { "/" + Self.escaped($0) }.joined()
            return Misfit(pointer: pointer, expected: expected, found: found, nearest: nearest)
        }

        /// RFC 6901, section 3.
        private static func escaped(_ name: String) -> String {
            var text = ""
            for scalar in name.unicodeScalars {
                switch scalar {
                case "~": text += "~0"
                case "/": text += "~1"
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }
    }

    static func fault(in value: JSONNode, _ shape: Shape) -> Fault? {
        let type = type(of: value)
        guard shape.types.isSuperset(of: type) else {
            return Fault(shape.types.names.joined(separator: " or "), name(of: value, type))
        }
        switch value.kind {
        case .object: return fault(inObject: value, shape)
        case .array: return shape.elements.flatMap { fault(inArray: value, $0) }
        default: return nil
        }
    }

    private static func fault(inArray array: JSONNode, _ shape: Shape) -> Fault? {
        var index = 0
        for element in array.elements {
            if let fault = fault(in: element, shape) { return fault.at("\(index)") }
            index += 1
        }
        return nil
    }

    private static func fault(inObject object: JSONNode, _ shape: Shape) -> Fault? {
        withUnsafeTemporaryAllocation(of: Bool.self, capacity: shape.members.count) { seen in
            seen.initialize(repeating: false)
            for (name, value) in object.members {
                if let fault = fault(inMember: name, value, of: object, shape, seen) { return fault }
            }
            for i in 0..<seen.count where shape.members[i].isRequired && !seen[i] {
                let member = shape.members[i]
                return Fault(member.shape.types.names.joined(separator: " or "), "nothing").at(member.name)
            }
            return nil
        }
    }

    private static func fault(
        inMember name: JSONNode, _ value: JSONNode, of object: JSONNode, _ shape: Shape,
        _ seen: UnsafeMutableBufferPointer<Bool>
    ) -> Fault? {
        if let i = shape.index(of: name) {
            seen[i] = true
            guard let fault = fault(in: value, shape.members[i].shape) else { return nil }
            return isLast(name, value, object) ? fault.at(shape.members[i].name) : nil
        }
        switch shape.others {
        case .unknown: return nil
        case .shape(let other):
            guard let fault = fault(in: value, other) else { return nil }
            return isLast(name, value, object) ? fault.at(name.string) : nil
        case .none:
            let text = name.string
            return Fault("a known parameter", named(value), nearest: shape.nearest(to: text)).at(text)
        }
    }

    /// Of a name that comes twice, the last value counts.
    private static func isLast(_ name: JSONNode, _ value: JSONNode, _ object: JSONNode) -> Bool {
        var text = name.string
        return text.withUTF8 { object.member(decoded: Bytes($0))?.offset == value.offset }
    }

    // MARK: - Types

    private static func type(of value: JSONNode) -> Shape.Types {
        switch value.kind {
        case .null: return .null
        case .true, .false: return .boolean
        case .string: return .string
        case .object: return .object
        case .array: return .array
        case .number:
            var isInteger = false
            let number = Numeral(value.bytes, isInteger: &isInteger)
            // To JSON Schema, 1.0 is an integer.
            return number.exponent >= 0 ? .integer : .number
        }
    }

    private static func name(of value: JSONNode, _ type: Shape.Types) -> String {
        type == .number ? "number with a fraction" : type.names.first ?? "nothing"
    }

    private static func named(_ value: JSONNode) -> String {
        let name = name(of: value, type(of: value))
        return ("aeiou".contains(name.prefix(1)) ? "an " : "a ") + name
    }
}

extension Shape {
    /// Which member a name in a text stands for.
    func index(of name: JSONNode) -> Int? {
        guard name.hasEscapes else { return index(of: name.contents) }
        var text = name.string
        return text.withUTF8 { index(of: Bytes($0)) }
    }

    private func index(of name: Bytes) -> Int? {
        var (low, high) = (0, members.count)
        while low < high {
            let middle = (low + high) / 2
            switch Self.compare(members[middle].name, name) {
            case 0: return middle
            case ..<0: low = middle + 1
            default: high = middle
            }
        }
        return nil
    }

    private static func compare(_ name: String, _ other: Bytes) -> Int {
        var name = name
        return name.withUTF8 { name in
            for i in 0..<min(name.count, other.count) where name[i] != other[i] {
                return name[i] < other[i] ? -1 : 1
            }
            return name.count - other.count
        }
    }

    /// The known name that was probably meant.
    func nearest(to name: String) -> String? {
        var best: (name: String, distance: Int)?
        for member in members {
            guard let distance = Similarity.distance(name, member.name) else { continue }
            if distance < best?.distance ?? .max { best = (member.name, distance) }
        }
        return best?.name
    }
}

extension JSONNode {
    /// Its decoded text; off the hot path.
    var string: String {
        var buffer = ByteBuffer(capacity: contents.count)
        appendText(to: &buffer)
        return buffer.bytes.text
    }
}
