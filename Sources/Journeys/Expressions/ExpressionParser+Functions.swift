import ConfigurationFile
import Foundations
import Payload

/// Functions with a name before their bracket, which is taken already.
extension ExpressionParser {
    private static let functions = [
        "exists", "in_segment", "did", "last", "now", "hour", "prop", "rows",
    ]

    mutating func function(_ name: String, _ token: Token) throws(ExpressionError) -> Node {
        let kind: Node.Kind
        switch name {
        case "exists": kind = .exists(try choice())
        case "in_segment":
            let (segment, range) = try wantText("the segment's name")
            mention(.segment, segment, range)
            kind = .inSegment(segment)
        case "did": kind = try did()
        case "last":
            kind = .last(activity: try activity())
        case "now":
            mention(.now, name, token.range)
            kind = .now
        case "hour":
            mention(.hour, name, token.range)
            kind = .hour
        case "prop":
            let (key, range) = try wantText("the property's name")
            kind = try property(key, range).kind
        case "rows": kind = try rows()
        default:
            let isMethod = Node.Aggregate(rawValue: name) != nil
            throw ExpressionError(
                "unknown function \"\(name)\"", at: token.range.lowerBound,
                expected: isMethod
                    ? "an array before it, as in items.\(name)(…)"
                    : "one of \(Self.functions.joined(separator: ", "))",
                suggestion: isMethod ? nil : nearest(to: name, among: Self.functions))
        }
        try want(")", "a closing bracket")
        return Node(kind, token.range.lowerBound..<tokens[at - 1].range.upperBound)
    }

    private mutating func activity() throws(ExpressionError) -> String {
        let (label, range) = try wantText("the activity's name in quotes")
        guard let key = activityKey(label) else {
            throw ExpressionError("an activity without a name", at: range.lowerBound)
        }
        mention(.activity, key, range)
        return key
    }

    private mutating func did() throws(ExpressionError) -> Node.Kind {
        let activity = try activity()
        var (condition, window): (Node?, Int64?)
        while take(",") {
            // A text that goes on is the beginning of a condition.
            if case .text(let text) = peek.kind, window == nil, endsArgument(tokens[at + 1]) {
                let place = peek.range.lowerBound
                at += 1
                guard let length = Quantity.duration(text), length > 0 else {
                    throw ExpressionError(
                        "\"\(text)\" is no duration", at: place, expected: "a duration such as 30d or 2h10m")
                }
                window = length
            } else if condition == nil, window == nil {
                let outer = asked
                elements += 1
                asked = (activity, elements)
                let node = try choice()
                elements -= 1
                asked = outer
                try wantCondition(node)
                condition = node
            } else {
                throw unexpected("a closing bracket: did(\"activity\", condition, \"30d\")")
            }
        }
        return .did(activity: activity, condition: condition, window: window)
    }

    private func endsArgument(_ token: Token) -> Bool {
        [.mark(")"), .mark(","), .end].contains(token.kind)
    }

    private mutating func rows() throws(ExpressionError) -> Node.Kind {
        var columns: [Node.Column] = []
        repeat {
            let node = try postfix()
            switch node.kind {
            case .property(let name), .member(_, let name):
                columns.append(Node.Column(name: name, node: node))
            default:
                throw ExpressionError(
                    "a column of rows needs a name", at: node.range.lowerBound,
                    expected: "properties, as in rows(product_name, product_price)")
            }
        } while take(",")
        return .rows(columns)
    }
}
