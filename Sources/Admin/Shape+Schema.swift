/// The shapes that have names, as they are met while a description is written.
struct Components {
    private(set) var schemas: [JSONValue.Member] = []

    /// The shape as JSON Schema (draft 2020-12, which OpenAPI 3.1 speaks): itself, or a reference to its name.
    mutating func schema(of shape: Shape) -> JSONValue {
        guard let name = shape.name else { return inline(shape) }
        if !schemas.contains(where: { $0.name == name }) {
            let place = schemas.count
            schemas.append(JSONValue.Member(name: name, value: .null))
            var whole = shape
            (whole.name, whole.isNullable) = (nil, false)
            schemas[place] = JSONValue.Member(name: name, value: inline(whole))
        }
        let reference: JSONValue = ["$ref": .text("#/components/schemas/\(name)")]
        return shape.isNullable ? ["anyOf": [reference, ["type": "null"]]] : reference
    }

    private mutating func inline(_ shape: Shape) -> JSONValue {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue) {
            members.append(JSONValue.Member(name: name, value: value))
        }
        func add(type: JSONValue) { add("type", shape.isNullable ? [type, "null"] : type) }

        switch shape.kind {
        case .anything: break
        case .flag: add(type: "boolean")
        case .integer(let range):
            add(type: "integer")
            if let range {
                add("minimum", .integer(range.lowerBound))
                if range.upperBound != .max { add("maximum", .integer(range.upperBound)) }
            }
        case .number: add(type: "number")
        case .text(let rules):
            add(type: "string")
            members += rules.schema(isNullable: shape.isNullable)
        case .list(let element):
            add(type: "array")
            add("items", schema(of: element))
        case .object(let fields, let least):
            add(type: "object")
            add("properties", .object(fields.map { .init(name: $0.name, value: schema(of: $0.shape)) }))
            let required = fields.filter(\.isRequired).map { JSONValue.text($0.name) }
            if !required.isEmpty { add("required", .list(required)) }
            if least > 0 { add("minProperties", .integer(least)) }
            add("additionalProperties", false)
        case .map(let element):
            add(type: "object")
            add("additionalProperties", schema(of: element))
        case .either(let shapes): add("anyOf", .list(shapes.map { schema(of: $0) }))
        }
        if !shape.explanation.isEmpty { add("description", .text(shape.explanation)) }
        if let example = shape.example { add("examples", [example]) }
        return .object(members)
    }
}

extension Shape.Text {
    fileprivate func schema(isNullable: Bool) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let length {
            members.append(.init(name: "minLength", value: .integer(length.lowerBound)))
            members.append(.init(name: "maxLength", value: .integer(length.upperBound)))
        }
        if let format { members.append(.init(name: "format", value: .text(format.rawValue))) }
        if !choices.isEmpty {
            let all = choices.map { JSONValue.text($0) } + (isNullable ? [.null] : [])
            members.append(.init(name: "enum", value: .list(all)))
        }
        if let pattern { members.append(.init(name: "pattern", value: .text("^\(pattern)$"))) }
        return members
    }
}
