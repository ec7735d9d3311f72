import Foundations

/// What fits where: a summary reduced to the types and names that a schema knows.
struct Shape: Sendable {
    /// The types of JSON Schema, and whether numbers must be whole.
    struct Types: OptionSet, Sendable {
        let rawValue: UInt8
        static let null = Types(rawValue: 1)
        static let boolean = Types(rawValue: 2)
        static let integer = Types(rawValue: 4)
        /// Includes `integer`.
        static let number = Types(rawValue: 12)
        static let string = Types(rawValue: 16)
        static let object = Types(rawValue: 32)
        static let array = Types(rawValue: 64)

        var names: [String] {
            var names: [String] = []
            if contains(.null) { names.append("null") }
            if contains(.boolean) { names.append("boolean") }
            if contains(.number) {
                names.append("number")
            } else if contains(.integer) {
                names.append("integer")
            }
            if contains(.string) { names.append("string") }
            if contains(.object) { names.append("object") }
            if contains(.array) { names.append("array") }
            return names
        }
    }

    struct Member: Sendable {
        let name: String
        let isRequired: Bool
        let shape: Shape
    }

    /// Members without a name of their own.
    indirect enum Others: Sendable {
        case none
        /// The members of a map.
        case shape(Shape)
        /// There are some of which nothing is known any more: anything fits.
        case unknown
    }

    var types: Types = []
    /// For texts that are always dates, or uuids.
    var format: String?
    /// In the order of their names' bytes.
    var members: [Member] = []
    var others = Others.none
    /// What fits into its arrays. Nil: nothing is known of that, so anything does.
    var elements: Shape? {
        get { box.first }
        set { box = newValue.map { [$0] } ?? [] }
    }
    private var box: [Shape] = []

    init() {}

    init(_ summary: ActivitySummary) {
        self.init(ParameterTree(summary))
    }

    private init(_ tree: ParameterTree) {
        types = tree.node.map(Self.types) ?? .object
        format = tree.node.flatMap(Self.format)
        for child in tree.named {
            guard let node = child.node, let name = node.segment.name else { continue }
            members.append(Member(name: name, isRequired: node.values == tree.objects, shape: Shape(child)))
        }
        members.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let isLong = members.count < tree.named.count
        if !tree.isComplete || isLong {
            others = .unknown
        } else if let map = tree.anyKey {
            others = .shape(Shape(map))
        }
        if tree.isComplete, let found = tree.elements { elements = Shape(found) }
    }

    private static func types(of node: PathNode) -> Types {
        node.kinds.reduce(into: Types()) { types, kind in
            switch kind.kind {
            case .null: types.formUnion(.null)
            case .boolean: types.formUnion(.boolean)
            case .integer: types.formUnion(.integer)
            case .decimal: types.formUnion(.number)
            case .object: types.formUnion(.object)
            case .array: types.formUnion(.array)
            default: types.formUnion(.string)
            }
        }
    }

    private static func format(of node: PathNode) -> String? {
        let texts = node.kinds.filter { $0.kind.family == .text }
        guard texts.count == 1 else { return nil }
        switch texts[0].kind {
        case .date: return "date"
        case .uuid: return "uuid"
        default: return nil
        }
    }
}
