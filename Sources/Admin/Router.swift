import Foundations
import Payload

/// Finds the endpoint that a path and a method name, and checks what was sent with them.
struct Router: Sendable {
    enum Segment: Equatable, Sendable {
        case literal(String)
        case parameter(String)
    }

    struct Route: Sendable {
        let segments: [Segment]
        var endpoints: [Endpoint]

        /// As the `Allow` header lists them; HEAD is answered wherever GET is.
        var allowed: String {
            endpoints.map { $0.verb == .get ? "GET, HEAD" : $0.verb.rawValue }.joined(separator: ", ")
        }
    }

    private let routes: [Route]

    /// `/admin/quarantine/groups` goes before `/admin/quarantine/{id}`.
    init(_ endpoints: [Endpoint]) {
        var routes: [Route] = []
        for endpoint in endpoints {
            let segments = Router.segments(of: endpoint.path)
            if let known = routes.firstIndex(where: { $0.segments == segments }) {
                routes[known].endpoints.append(endpoint)
            } else {
                routes.append(Route(segments: segments, endpoints: [endpoint]))
            }
        }
        let literals = { (route: Route) in
            route.segments.count { if case .literal = $0 { true } else { false } }
        }
        self.routes = routes.sorted { literals($0) > literals($1) }
    }

    static func segments(of template: String) -> [Segment] {
        template.split(separator: "/").map { part in
            part.hasPrefix("{") ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// What of a path stands for which parameter, and the endpoints that are there. `path` is percent-encoded: a
    /// slash in a key comes as `%2F`.
    func find(_ path: Bytes) throws(Refusal) -> (route: Route, found: [String: String]) {
        let parts = Router.parts(of: path)
        for route in routes {
            if let found = Router.match(route.segments, parts) { return (route, found) }
        }
        throw .notFound
    }

    private static func parts(of path: Bytes) -> [String] {
        var parts: [String] = []
        var from = min(1, path.count)
        for i in from...path.count where i == path.count || path[i] == UInt8(ascii: "/") {
            parts.append(decoded(path.slice(from..<i), plusIsSpace: false).text)
            from = i + 1
        }
        return parts
    }

    /// An empty part is no key.
    private static func match(_ segments: [Segment], _ parts: [String]) -> [String: String]? {
        guard segments.count == parts.count else { return nil }
        var found: [String: String] = [:]
        for (segment, part) in zip(segments, parts) {
            switch segment {
            case .literal(let text): if !text.utf8.elementsEqual(part.utf8) { return nil }
            case .parameter(let name):
                if part.isEmpty { return nil }
                found[name] = part
            }
        }
        return found
    }

    static func decoded(_ bytes: Bytes, plusIsSpace: Bool) -> (text: String, repairs: Repairs) {
        var buffer = ByteBuffer(capacity: bytes.count)
        let repairs = PercentDecoding.append(bytes, plusIsSpace: plusIsSpace, to: &buffer)
        return (buffer.bytes.text, repairs)
    }
}

extension Endpoint {
    /// The parameters of path and query, each checked; what is missing has its default. All faults are told at once.
    func arguments(path: [String: String], query: Bytes) throws(Refusal) -> [String: JSONValue] {
        var arguments: [String: JSONValue] = [:]
        var faults: [Fault] = []
        for parameter in parameters {
            if let fallback = parameter.fallback { arguments[parameter.name] = fallback }
        }
        func take(_ parameter: Parameter, _ text: String, _ place: Fault.Place) {
            do throws(Misfit) {
                arguments[parameter.name] = try parameter.value(of: text)
            } catch {
                faults.append(Fault(place: place, misfit: error))
            }
        }
        for parameter in parameters where parameter.place == .path {
            take(parameter, path[parameter.name] ?? "", .path)
        }
        var seen: Set<String> = []
        for (name, value) in Endpoint.fields(of: query) {
            guard let parameter = parameters.first(where: { $0.place == .query && $0.name == name }) else {
                faults.append(Fault(place: .query, misfit: unknown))
                continue
            }
            if seen.insert(name).inserted {
                take(parameter, value, .query)
            } else {
                let twice = Misfit(kind: "repeated", path: [.text(name)], expected: "it once")
                faults.append(Fault(place: .query, misfit: twice))
            }
        }
        guard faults.isEmpty else { throw .badParameters(faults) }
        return arguments
    }

    /// What was sent is not repeated, only what is known here.
    private var unknown: Misfit {
        let names = parameters.filter { $0.place == .query }.map(\.name)
        let expected =
            names.isEmpty ? "no parameters" : "no parameters but \(names.joined(separator: ", "))"
        return Misfit(kind: "unknown", expected: expected)
    }

    private static func fields(of query: Bytes) -> [(name: String, value: String)] {
        var fields: [(String, String)] = []
        var from = 0
        for i in 0...query.count where i == query.count || query[i] == UInt8(ascii: "&") {
            let field = query.slice(from..<i)
            from = i + 1
            if field.isEmpty { continue }
            let equals = field.firstIndex(of: UInt8(ascii: "=")) ?? field.count
            let value = field.slice(min(equals + 1, field.count)..<field.count)
            fields.append(
                (
                    Router.decoded(field.slice(0..<equals), plusIsSpace: true).text,
                    Router.decoded(value, plusIsSpace: true).text
                ))
        }
        return fields
    }

    /// The body, checked; an endpoint that takes none does not look at one.
    func readBody(_ bytes: Bytes, contentType: Bytes?, encoding: Bytes? = nil) throws(Refusal) -> JSONValue {
        guard let shape = body else { return .null }
        guard Endpoint.isJSON(contentType) else { throw .unsupportedType }
        if let encoding, !encoding.isEmpty, !encoding.equalsIgnoringCase("identity") {
            throw .unsupportedEncoding
        }
        var document = JSONDocument()
        do throws(JSONError) {
            try document.parse(bytes)
        } catch {
            throw .notJSON(error)
        }
        guard document.root.depth <= 16 else {
            throw .badBody(Misfit(kind: "too_deep", expected: "at most 16 levels"))
        }
        let value = JSONValue(document.root)
        if let misfit = shape.misfit(value) { throw .badBody(misfit) }
        return value
    }

    /// `application/json`, whatever its parameters.
    private static func isJSON(_ header: Bytes?) -> Bool {
        guard let header else { return false }
        let end = header.firstIndex(of: UInt8(ascii: ";")) ?? header.count
        return header.slice(0..<end).trimmed.equalsIgnoringCase("application/json")
    }
}
