/// What a value is. Each value is counted under one kind, the finest: a text that looks like a date under
/// `date`, although it is a text all the same.
package enum ValueKind: UInt8, CaseIterable, Sendable, Comparable {
    case null, boolean, integer, decimal, text, date, datetime, uuid, url, email, object, array

    /// As it is shown and kept.
    package var name: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .integer: "integer"
        case .decimal: "decimal"
        case .text: "text"
        case .date: "date"
        case .datetime: "datetime"
        case .uuid: "uuid"
        case .url: "url"
        case .email: "email"
        case .object: "object"
        case .array: "array"
        }
    }

    package var family: ValueFamily {
        switch self {
        case .null: .null
        case .boolean: .boolean
        case .integer, .decimal: .number
        case .text, .date, .datetime, .uuid, .url, .email: .text
        case .object: .object
        case .array: .array
        }
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The kinds that a column, or a condition, need not tell apart.
package enum ValueFamily: UInt8, CaseIterable, Sendable {
    case null, boolean, number, text, object, array

    package var name: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .text: "text"
        case .object: "object"
        case .array: "array"
        }
    }
}

/// How often a parameter was of a kind, and the first event in which it was.
package struct KindCount: Hashable, Sendable {
    package let kind: ValueKind
    package var count: Int
    package var first: EventMark

    package init(kind: ValueKind, count: Int, first: EventMark) {
        self.kind = kind
        self.count = count
        self.first = first
    }
}
