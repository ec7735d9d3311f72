import Foundations
import Payload

/// A parameter as lists show it.
package struct ParameterListing: Sendable {
    package struct Value: Sendable, Equatable {
        package let text: String
        package let count: Int
        /// False: the count is an estimate.
        package let isExact: Bool
    }

    package let path: String
    /// Its column in the activity's view; nil: it has none, as an array of objects, whose parameters have theirs.
    package let column: String?
    /// Which types its values were of, and how many of each.
    package let types: [(name: String, count: Int)]
    /// `required`, `sometimes`, `rare`.
    package let presence: String
    /// In how many events it was; nil where nobody counts.
    package let events: Int?
    /// In which share of the events it was missing, 0 to 1.
    package let missing: Double
    /// Numbers as decimal text.
    package let minimum: String?
    package let maximum: String?
    package let mean: String?
    /// In characters for texts …
    package let textLength: ClosedRange<Int>?
    /// … in elements for arrays.
    package let arrayLength: ClosedRange<Int>?
    package let distinct: Int?
    package let isDistinctExact: Bool
    package let frequent: [Value]
    package let samples: [String]
    /// What personal values it had; then none of its values is kept.
    package let personal: [String]
    /// Parallel arrays with the same number are the columns of one table.
    package let table: Int?
    package let firstSeen: Timestamp?
    package let lastSeen: Timestamp?
    package let firstEvent: UUID?
    package let firstSource: String?
    package let firstClient: String?
    /// It is gone: since this event.
    package let vanishedAt: Timestamp?

    package init(_ summary: ParameterSummary, column: String?) {
        path = summary.path.text
        self.column = column
        types = summary.kinds.map { ($0.kind.name, $0.count) }
        presence = summary.presence.rawValue
        events = summary.events
        missing = summary.missing
        minimum = summary.numbers?.min
        maximum = summary.numbers?.max
        mean = summary.numbers?.mean
        textLength = summary.textLength
        arrayLength = summary.arrayLength
        distinct = summary.distinct.count
        isDistinctExact = summary.distinct.isExact
        frequent = summary.frequent.map { Value(text: $0.text, count: $0.count, isExact: $0.isExact) }
        samples = summary.samples
        personal = summary.personal.names
        table = summary.table
        firstSeen = summary.first.receivedAt
        lastSeen = summary.last.receivedAt
        firstEvent = summary.first.id
        firstSource = summary.first.source
        firstClient = summary.first.client
        vanishedAt = summary.vanished?.receivedAt
    }

    /// A parameter of the server's own events, which nobody counts.
    package init(_ parameter: BuiltInActivity.Parameter, column: String?) {
        path = parameter.name
        self.column = column
        types = [(parameter.kind.typeName, 0)]
        presence = parameter.isRequired ? "required" : "sometimes"
        missing = 0
        events = nil
        (minimum, maximum, mean, textLength, arrayLength, distinct) = (nil, nil, nil, nil, nil, nil)
        isDistinctExact = false
        (frequent, samples, personal, table) = ([], [], [], nil)
        (firstSeen, lastSeen, firstEvent, firstSource, firstClient) = (nil, nil, nil, nil, nil)
        vanishedAt = nil
    }
}

extension BuiltInActivity.Kind {
    package var typeName: String {
        switch self {
        case .string: "text"
        case .integer: "integer"
        case .timestamp: "datetime"
        }
    }
}

extension BuiltInActivity {
    package static func with(key: String) -> BuiltInActivity? { all.first { $0.key == key } }

    /// Its JSON Schema.
    var schema: String {
        var json = JSONWriter()
        json.object { json in
            json.member("$schema", "https://json-schema.org/draft/2020-12/schema")
            json.member("title", key)
            json.member("type", "object")
            json.object("properties") { json in
                for parameter in parameters {
                    json.object(parameter.name) { json in
                        json.member("type", parameter.kind == .integer ? "integer" : "string")
                        if parameter.kind == .timestamp { json.member("format", "date-time") }
                    }
                }
            }
            json.member("required", parameters.filter(\.isRequired).map(\.name))
        }
        return json.text
    }

    /// Its typed view.
    var view: TypedView {
        var view = TypedView(name: key, rows: .events)
        var names = ViewNames(taken: view.fixed)
        for parameter in parameters {
            let name = names.take(parameter.name, for: parameter.name)
            let kind: ViewColumn.Kind = parameter.kind == .integer ? .numeric : .text
            view.columns.append(
                ViewColumn(name: name, steps: [.member(ExactText(parameter.name))], kind: kind))
        }
        return view
    }
}
