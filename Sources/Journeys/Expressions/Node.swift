import Payload

/// One part of a parsed expression; immutable, with where it stands in the text.
final class Node: Sendable {
    let kind: Kind
    /// In characters of the expression.
    let range: Range<Int>
    /// How deep the tree under it is: evaluation recurses that deep and no deeper.
    let depth: Int

    init(_ kind: Kind, _ range: Range<Int>) {
        (self.kind, self.range) = (kind, range)
        depth = 1 + (kind.children.map(\.depth).max() ?? 0)
    }

    indirect enum Kind: Sendable {
        case number(Decimal)
        case text(Name)
        case flag(Bool)
        case list([Node])
        /// A property of the event under test, or of the element inside a function over an array.
        case property(Name)
        /// The element itself.
        case it
        case entry
        case attributes
        case eventType, eventTime, eventSource
        case scoreBand(String), scorePoints(String)
        case member(Node, Name)
        case not(Node), minus(Node)
        case and([Node]), or([Node])
        case choice(Node, Node, Node)
        case compare(Comparison, Node, Node)
        case isIn(Node, Node), matches(Node, Node), contains(Node, Node)
        case arithmetic(Arithmetic, Node, Node)
        /// Over an array; the argument is evaluated for each element.
        case over(Aggregate, Node, Node?)
        case rows([Column])
        case exists(Node)
        case inSegment(String)
        case did(activity: String, condition: Node?, window: Int64?)
        case last(activity: String)
        case now, hour
    }

    struct Column: Sendable {
        let name: Name
        let node: Node
    }

    enum Comparison: String, Sendable, CaseIterable {
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case lessOrEqual = "<="
        case more = ">"
        case moreOrEqual = ">="
    }

    enum Arithmetic: String, Sendable, CaseIterable { case plus = "+", minus = "-", times = "*", over = "/" }

    enum Aggregate: String, Sendable, CaseIterable {
        case any, all, none, count, sum, min, max, avg
        case minBy = "min_by"
        case maxBy = "max_by"
        case first, last
    }
}

/// A name or a text of an expression, ready to be compared with bytes.
struct Name: Sendable, Equatable {
    let text: String
    let bytes: [UInt8]

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }
}

extension Node.Kind {
    var children: [Node] {
        switch self {
        case .list(let nodes), .and(let nodes), .or(let nodes): nodes
        case .member(let node, _), .not(let node), .minus(let node), .exists(let node): [node]
        case .choice(let a, let b, let c): [a, b, c]
        case .compare(_, let a, let b), .arithmetic(_, let a, let b): [a, b]
        case .isIn(let a, let b), .matches(let a, let b), .contains(let a, let b): [a, b]
        case .over(_, let node, let argument): [node] + (argument.map { [$0] } ?? [])
        case .rows(let columns): columns.map(\.node)
        case .did(_, let condition, _): condition.map { [$0] } ?? []
        default: []
        }
    }

    /// Does it ask for the type, the time or the source of the event, anywhere in it?
    var asksForTheEvent: Bool {
        switch self {
        case .eventType, .eventTime, .eventSource: true
        default: children.contains { $0.kind.asksForTheEvent }
        }
    }

    /// What it can be, as far as that can be told without values.
    var type: ExpressionType {
        switch self {
        case .number, .minus, .arithmetic, .did, .hour, .scorePoints: .number
        case .text, .scoreBand, .eventType, .eventSource: .text
        case .flag, .not, .and, .or, .compare, .isIn, .matches, .contains, .exists, .inSegment: .flag
        case .list, .rows: .list
        case .now, .eventTime: .time
        case .last, .entry, .attributes: .object
        case .choice(_, let a, let b): a.kind.type == b.kind.type ? a.kind.type : .any
        case .over(let aggregate, _, _):
            switch aggregate {
            case .any, .all, .none: .flag
            case .count, .sum, .avg: .number
            default: .any
            }
        default: .any
        }
    }
}

enum ExpressionType: String { case any, flag, number, text, list, time, object }
