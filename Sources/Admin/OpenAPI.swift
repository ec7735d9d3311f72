/// The description of the API by itself, in OpenAPI 3.1.
enum OpenAPI {
    static func document(_ endpoints: [Endpoint], version: String) -> JSONValue {
        var components = Components()
        let paths = paths(of: endpoints, &components)
        let responses = JSONValue.object(
            Answers.always.map { .init(name: $0.name, value: $0.response(&components)) })
        return [
            "openapi": "3.1.0",
            "info": ["title": "Waymark admin API", "version": .text(version), "description": .text(preface)],
            "servers": [["url": "/"]],
            "tags": .list(
                Endpoint.Tag.allCases.map {
                    ["name": .text($0.rawValue), "description": .text($0.explanation)]
                }),
            "paths": paths,
            "components": [
                "securitySchemes": [
                    "readToken": ["type": "http", "scheme": "bearer", "description": "admin.read_token"],
                    "writeToken": [
                        "type": "http", "scheme": "bearer",
                        "description": "admin.write_token, which may read as well",
                    ],
                ],
                "headers": .object(Answers.headers), "responses": responses,
                "schemas": .object(components.schemas),
            ],
        ]
    }

    private static let preface = """
        Lists are paged: send the `next` of a page as `after` to get the one behind it; `next` is null on the last \
        page. HEAD is answered wherever GET is. Times are UTC.
        """

    private static func paths(of endpoints: [Endpoint], _ components: inout Components) -> JSONValue {
        var paths: [JSONValue.Member] = []
        for endpoint in endpoints where !paths.contains(where: { $0.name == endpoint.path }) {
            let same = endpoints.filter { $0.path == endpoint.path }
            var operations: [JSONValue.Member] = []
            for endpoint in same {
                operations.append(
                    .init(
                        name: endpoint.verb.rawValue.lowercased(), value: operation(endpoint, &components)))
            }
            paths.append(.init(name: endpoint.path, value: .object(operations)))
        }
        return .object(paths)
    }

    private static func operation(_ endpoint: Endpoint, _ components: inout Components) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init(name: "operationId", value: .text(endpoint.name)),
            .init(name: "tags", value: [.text(endpoint.tag.rawValue)]),
            .init(name: "summary", value: .text(endpoint.summary)),
        ]
        if !endpoint.explanation.isEmpty {
            members.append(.init(name: "description", value: .text(endpoint.explanation)))
        }
        let security: JSONValue =
            endpoint.access == .write ? [["writeToken": []]] : [["readToken": []], ["writeToken": []]]
        members.append(.init(name: "security", value: security))
        if !endpoint.parameters.isEmpty {
            let parameters = endpoint.parameters.map { parameter($0, &components) }
            members.append(.init(name: "parameters", value: .list(parameters)))
        }
        if let body = endpoint.body {
            let content: JSONValue = ["application/json": ["schema": components.schema(of: body)]]
            members.append(.init(name: "requestBody", value: ["required": true, "content": content]))
        }
        members.append(
            .init(name: "responses", value: .object(Answers.responses(of: endpoint, &components))))
        return .object(members)
    }

    private static func parameter(_ parameter: Parameter, _ components: inout Components) -> JSONValue {
        var schema = components.schema(of: parameter.shape)
        if let fallback = parameter.fallback, case .object(let members) = schema {
            schema = .object(members + [.init(name: "default", value: fallback)])
        }
        return [
            "name": .text(parameter.name), "in": .text(parameter.place.rawValue),
            "required": .bool(parameter.place == .path), "description": .text(parameter.explanation),
            "schema": schema, "example": parameter.example,
        ]
    }
}
