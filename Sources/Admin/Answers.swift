/// The answers that endpoints share, for the description: each status that can occur, with why, headers and body.
enum Answers {
    struct Shared {
        let status: Int
        let name: String
        let why: String
        var headers: [String] = []

        func response(_ components: inout Components) -> JSONValue {
            Answers.response(why, Refusal.shape, headers: headers, &components)
        }
    }

    /// Any request may get these.
    static let always = [
        Shared(status: 400, name: "BadRequest", why: "The request, a parameter or the body is malformed."),
        Shared(
            status: 401, name: "Unauthorized", why: "There is no token, or not one of ours.",
            headers: ["WWW-Authenticate"]),
        Shared(
            status: 403, name: "Forbidden", why: "The read token was sent where the write token is needed."),
        Shared(status: 408, name: "RequestTimeout", why: "The request came too slowly."),
        Shared(status: 413, name: "ContentTooLarge", why: "The body is larger than 512 KiB."),
        Shared(status: 414, name: "URITooLong", why: "The path with its query is too long."),
        Shared(
            status: 415, name: "UnsupportedMediaType", why: "The body is not sent as plain application/json."),
        Shared(status: 417, name: "ExpectationFailed", why: "The only expectation is 100-continue."),
        Shared(status: 422, name: "UnprocessableContent", why: "The body is not what its schema says."),
        Shared(status: 431, name: "HeadersTooLarge", why: "The headers are too large or too many."),
        Shared(status: 500, name: "Failed", why: "It did not work; the server's log says why."),
        Shared(status: 501, name: "NotImplemented", why: "A method or transfer coding is not implemented."),
        Shared(
            status: 503, name: "Unavailable",
            why: "The database is away or takes too long, or too much is asked at once.",
            headers: ["Retry-After"]),
        Shared(status: 505, name: "VersionNotSupported", why: "Only HTTP/1.1 and HTTP/1.0 are spoken."),
    ]

    static let headers: [JSONValue.Member] = [
        header("X-Request-Id", "The request's own, if it sent one, or a new one."),
        header("Retry-After", "After how many seconds to try again."),
        header("WWW-Authenticate", "Bearer"),
    ]

    private static func header(_ name: String, _ why: String) -> JSONValue.Member {
        let value: JSONValue = [
            "description": .text(why), "required": true,
            "schema": name == "Retry-After"
                ? ["type": "integer", "minimum": 0] : ["type": "string", "minLength": 1],
        ]
        return .init(name: name, value: value)
    }

    /// All that an endpoint may answer, in the order of the statuses.
    static func responses(of endpoint: Endpoint, _ components: inout Components) -> [JSONValue.Member] {
        var all: [(status: Int, value: JSONValue)] = []
        let why = endpoint.status == 202 ? "It is noted and will be done." : "What was asked for."
        all.append((endpoint.status, response(why, endpoint.answer, &components)))
        for (status, why) in endpoint.refusals {
            all.append((status, response(why, Refusal.shape, &components)))
        }
        for shared in always where endpoint.mayAnswer(shared.status) {
            all.append((shared.status, ["$ref": .text("#/components/responses/\(shared.name)")]))
        }
        return all.sorted { $0.status < $1.status }.map { .init(name: "\($0.status)", value: $0.value) }
    }

    private static func response(
        _ why: String, _ shape: Shape, headers: [String] = [], _ components: inout Components
    ) -> JSONValue {
        let references = (["X-Request-Id"] + headers).map { name in
            JSONValue.Member(name: name, value: ["$ref": .text("#/components/headers/\(name)")])
        }
        return [
            "description": .text(why), "headers": .object(references),
            "content": ["application/json": ["schema": components.schema(of: shape)]],
        ]
    }
}

extension Endpoint {
    fileprivate func mayAnswer(_ status: Int) -> Bool {
        switch status {
        case 403: access == .write
        case 422: body != nil
        default: true
        }
    }
}
