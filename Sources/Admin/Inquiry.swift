import Foundations

/// What was asked of an endpoint, checked: every parameter is what its shape says, and so is the body.
struct Inquiry: Sendable {
    var arguments: [String: JSONValue] = [:]
    /// Null when the endpoint takes none.
    var body: JSONValue = .null
    /// The write token was shown: private things may be told.
    var mayWrite = false

    func text(_ name: String) -> String? { arguments[name]?.asText }

    func flag(_ name: String) -> Bool? {
        if case .bool(let flag)? = arguments[name] { flag } else { nil }
    }

    func integer(_ name: String) -> Int? {
        if case .integer(let number)? = arguments[name] { number } else { nil }
    }

    func id(_ name: String) -> UUID? { text(name).flatMap { UUID($0) } }
    func moment(_ name: String) -> Timestamp? { text(name).flatMap { Shape.Text.moment($0) } }

    /// A parameter of the path: it is always there.
    func key(_ name: String) -> String { text(name) ?? "" }

    var limit: Int { integer("limit") ?? 50 }
}

extension Inquiry {
    /// A page of what was read with one row more than is asked for: by that it is known whether more follows.
    func page<Row>(
        _ rows: [Row], cursor: (Row) -> String, _ item: (Row) -> JSONValue
    ) -> JSONValue {
        let shown = rows.prefix(limit)
        let next = rows.count > limit ? shown.last.map(cursor) : nil
        return ["items": .list(shown.map(item)), "next": JSONValue(next)]
    }
}
