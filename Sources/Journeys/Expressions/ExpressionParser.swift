import ConfigurationFile
import Foundations
import Payload

/// The one parser of expressions: recursive descent over the grammar of the contract, with errors that point at the
/// character.
struct ExpressionParser {
    /// Brackets, choices and the like inside each other.
    static let deepest = 64
    /// Longer texts are no expressions of people.
    static let longest = 16_384

    let tokens: [Token]
    private let purpose: Expression.Purpose
    var at = 0
    var nesting = 0
    /// Inside how many functions over arrays, or conditions on other events.
    var elements = 0
    /// The activity whose events the innermost condition on others is about, and how deep that one is.
    var asked: (activity: String, elements: Int)?
    private(set) var mentions: [Expression.Mention] = []

    init(_ text: String, _ purpose: Expression.Purpose) throws(ExpressionError) {
        guard text.utf8.count <= Self.longest else {
            throw ExpressionError("too long", at: 0, expected: "at most \(Self.longest) bytes")
        }
        tokens = try Lexer.tokens(of: text)
        self.purpose = purpose
    }

    /// The whole text.
    mutating func expression() throws(ExpressionError) -> Node {
        if peek.kind == .end { throw ExpressionError("the expression is empty", at: 0, expected: "a value") }
        let node = try choice()
        guard peek.kind == .end else { throw unexpected("an operator or the end") }
        if purpose != .value { try wantCondition(node) }
        return node
    }

    // MARK: Precedence, from the loosest on

    mutating func choice() throws(ExpressionError) -> Node {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.deepest else {
            throw ExpressionError("nested too deeply", at: peek.range.lowerBound, expected: deepest)
        }
        let condition = try or()
        guard take("?") else { return condition }
        try wantCondition(condition)
        let yes = try choice()
        try want(":", "a colon and the value for otherwise")
        let no = try choice()
        return try node(.choice(condition, yes, no), from: condition)
    }

    var deepest: String { "at most \(Self.deepest) levels" }

    mutating func or() throws(ExpressionError) -> Node {
        var nodes = [try and()]
        while take("||") { nodes.append(try and()) }
        guard nodes.count > 1 else { return nodes[0] }
        for node in nodes { try wantCondition(node) }
        return try node(.or(nodes), from: nodes[0])
    }

    mutating func and() throws(ExpressionError) -> Node {
        var nodes = [try comparison()]
        while take("&&") { nodes.append(try comparison()) }
        guard nodes.count > 1 else { return nodes[0] }
        for node in nodes { try wantCondition(node) }
        return try node(.and(nodes), from: nodes[0])
    }

    mutating func comparison() throws(ExpressionError) -> Node {
        let left = try sum()
        guard let kind = try comparisonKind(left) else { return left }
        let result = try node(kind, from: left)
        if isComparison(peek) {
            throw ExpressionError(
                "comparisons do not chain", at: peek.range.lowerBound, expected: "&& between two of them")
        }
        return result
    }

    func isComparison(_ token: Token) -> Bool {
        switch token.kind {
        case .mark(let mark): Node.Comparison(rawValue: mark) != nil
        case .name(let name): ["in", "matches", "contains"].contains(name)
        default: false
        }
    }

    mutating func comparisonKind(_ left: Node) throws(ExpressionError) -> Node.Kind? {
        guard isComparison(peek) else { return nil }
        let token = peek
        at += 1
        let right = try sum()
        switch token.kind {
        case .mark(let mark):
            guard let comparison = Node.Comparison(rawValue: mark) else { return nil }
            return .compare(comparison, normalized(left, by: right), normalized(right, by: left))
        case .name("in"): return .isIn(left, normalized(right, by: left))
        case .name("matches"): return .matches(left, right)
        default: return .contains(left, right)
        }
    }

    /// `event.type == "Add to cart"` means the activity, as everywhere.
    func normalized(_ node: Node, by other: Node) -> Node {
        guard case .eventType = other.kind else { return node }
        switch node.kind {
        case .text(let name): return Node(.text(Name(activityKey(name.text) ?? name.text)), node.range)
        case .list(let nodes): return Node(.list(nodes.map { normalized($0, by: other) }), node.range)
        default: return node
        }
    }

    mutating func sum() throws(ExpressionError) -> Node {
        var left = try product()
        while let mark = takeMark("+", "-") {
            left = try node(.arithmetic(mark == "+" ? .plus : .minus, left, try product()), from: left)
        }
        return left
    }

    mutating func product() throws(ExpressionError) -> Node {
        var left = try unary()
        while let mark = takeMark("*", "/") {
            left = try node(.arithmetic(mark == "*" ? .times : .over, left, try unary()), from: left)
        }
        return left
    }

    mutating func unary() throws(ExpressionError) -> Node {
        let start = peek.range.lowerBound
        guard let mark = takeMark("!", "-") else { return try postfix() }
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.deepest else {
            throw ExpressionError("nested too deeply", at: start, expected: deepest)
        }
        let operand = try unary()
        if mark == "!" { try wantCondition(operand) }
        return Node(mark == "!" ? .not(operand) : .minus(operand), start..<operand.range.upperBound)
    }

    // MARK: Members and functions over arrays

    mutating func postfix() throws(ExpressionError) -> Node {
        var result = try atom()
        while take(".") {
            let (name, range) = try wantName()
            if take("(") {
                result = try method(result, name, range)
            } else {
                result = try member(result, name, range)
            }
        }
        return result
    }

    mutating func member(
        _ object: Node, _ name: String, _ range: Range<Int>
    ) throws(ExpressionError) -> Node {
        switch object.kind {
        case .attributes: mention(.attribute, name, range)
        case .entry: mention(.entryProperty, name, range)
        default: break
        }
        return try node(.member(object, Name(name)), from: object)
    }

    mutating func method(
        _ object: Node, _ name: String, _ range: Range<Int>
    ) throws(ExpressionError) -> Node {
        if name == "prop" {
            let (key, place) = try wantText("the property's name")
            try want(")", "a closing bracket")
            return try member(object, key, place)
        }
        guard let aggregate = Node.Aggregate(rawValue: name) else {
            let known = Node.Aggregate.allCases.map(\.rawValue) + ["prop"]
            throw ExpressionError(
                "unknown function \"\(name)\" of an array", at: range.lowerBound,
                expected: "one of \(known.joined(separator: ", "))",
                suggestion: nearest(to: name, among: known))
        }
        var argument: Node?
        if !take(")") {
            elements += 1
            let node = try choice()
            elements -= 1
            switch aggregate {
            case .any, .all, .none, .count, .first, .last: try wantCondition(node)
            default: break
            }
            try want(")", "a closing bracket")
            argument = node
        }
        if argument == nil, aggregate == .minBy || aggregate == .maxBy {
            throw ExpressionError(
                "\(name) has no expression", at: range.lowerBound,
                expected: "what to compare, as in items.\(name)(price)")
        }
        return try node(.over(aggregate, object, argument), from: object)
    }

    // MARK: Atoms

    mutating func atom() throws(ExpressionError) -> Node {
        let token = peek
        at += 1
        switch token.kind {
        case .number(let text): return Node(.number(Decimal(text) ?? .zero), token.range)
        case .text(let text): return Node(.text(Name(text)), token.range)
        case .mark("("):
            let inside = try choice()
            try want(")", "a closing bracket")
            return Node(inside.kind, token.range.lowerBound..<tokens[at - 1].range.upperBound)
        case .mark("["): return try list(token)
        case .name(let name): return try named(name, token)
        default:
            at -= 1
            throw unexpected("a value")
        }
    }

    mutating func list(_ opening: Token) throws(ExpressionError) -> Node {
        var nodes: [Node] = []
        if !take("]") {
            repeat { nodes.append(try choice()) } while take(",")
            try want("]", "a comma or ]")
        }
        return Node(.list(nodes), opening.range.lowerBound..<tokens[at - 1].range.upperBound)
    }

    mutating func named(_ name: String, _ token: Token) throws(ExpressionError) -> Node {
        if take("(") { return try function(name, token) }
        switch name {
        case "true", "false": return Node(.flag(name == "true"), token.range)
        case "in", "matches", "contains":
            throw ExpressionError("\(name) has nothing on its left", at: token.range.lowerBound)
        case "it":
            guard elements > 0 else {
                throw ExpressionError(
                    "there is no element here", at: token.range.lowerBound,
                    expected: "it inside a function over an array; prop(\"it\") is the property")
            }
            return Node(.it, token.range)
        case "entry":
            try forbidInSegment(token, "a segment knows no entry event")
            return Node(.entry, token.range)
        case "attr" where peek.kind == .mark("."): return Node(.attributes, token.range)
        case "event" where peek.kind == .mark("."): return try eventField(token)
        case "score" where peek.kind == .mark("."): return try score(token)
        default: return try property(name, token.range)
        }
    }

    mutating func property(_ name: String, _ range: Range<Int>) throws(ExpressionError) -> Node {
        if elements == 0 {
            if purpose == .segment {
                throw ExpressionError(
                    "a segment is about profiles and knows no event's properties", at: range.lowerBound,
                    suggestion: "attr.\(name)")
            }
            mention(.property, name, range)
        } else if let asked, asked.elements == elements {
            mention(.propertyOf(asked.activity), name, range)
        }
        return Node(.property(Name(name)), range)
    }

    mutating func eventField(_ token: Token) throws(ExpressionError) -> Node {
        try forbidInSegment(token, "a segment knows no event")
        at += 1
        let (name, range) = try wantName()
        let whole = token.range.lowerBound..<range.upperBound
        switch name {
        case "type": return Node(.eventType, whole)
        case "time": return Node(.eventTime, whole)
        case "source": return Node(.eventSource, whole)
        default:
            throw ExpressionError(
                "event has no \"\(name)\"", at: range.lowerBound,
                expected: "event.type, event.time or event.source; a property is written without event.",
                suggestion: nearest(to: name, among: ["type", "time", "source"]))
        }
    }

    mutating func score(_ token: Token) throws(ExpressionError) -> Node {
        at += 1
        let (name, place) = try wantName()
        try want(".", "score.\(name).band")
        let (field, range) = try wantName()
        mention(.score, name, place)
        let whole = token.range.lowerBound..<range.upperBound
        switch field {
        case "band": return Node(.scoreBand(name), whole)
        case "points": return Node(.scorePoints(name), whole)
        default:
            throw ExpressionError(
                "a score has no \"\(field)\"", at: range.lowerBound, expected: "band or points",
                suggestion: nearest(to: field, among: ["band", "points"]))
        }
    }

    // MARK: Tokens

    var peek: Token { tokens[min(at, tokens.count - 1)] }

    mutating func take(_ mark: String) -> Bool {
        guard peek.kind == .mark(mark) else { return false }
        at += 1
        return true
    }

    mutating func takeMark(_ a: String, _ b: String) -> String? { take(a) ? a : take(b) ? b : nil }

    mutating func want(_ mark: String, _ expected: String) throws(ExpressionError) {
        if !take(mark) { throw unexpected(expected) }
    }

    mutating func wantName() throws(ExpressionError) -> (String, Range<Int>) {
        guard case .name(let name) = peek.kind else { throw unexpected("a name behind the point") }
        defer { at += 1 }
        return (name, peek.range)
    }

    mutating func wantText(_ expected: String) throws(ExpressionError) -> (String, Range<Int>) {
        guard case .text(let text) = peek.kind else { throw unexpected(expected) }
        defer { at += 1 }
        return (text, peek.range)
    }

    func unexpected(_ expected: String) -> ExpressionError {
        ExpressionError(
            "\(peek.described) cannot stand here", at: peek.range.lowerBound, expected: expected)
    }

    func forbidInSegment(_ token: Token, _ problem: String) throws(ExpressionError) {
        if purpose == .segment, elements == 0 { throw ExpressionError(problem, at: token.range.lowerBound) }
    }

    mutating func mention(_ kind: Expression.Mention.Kind, _ name: String, _ range: Range<Int>) {
        mentions.append(Expression.Mention(kind: kind, name: name, offset: range.lowerBound))
    }

    /// A node that ends where the last token ended.
    func node(_ kind: Node.Kind, from first: Node) throws(ExpressionError) -> Node {
        let node = Node(kind, first.range.lowerBound..<tokens[at - 1].range.upperBound)
        guard node.depth <= 4 * Self.deepest else {
            throw ExpressionError(
                "too many operators in a row", at: first.range.lowerBound, expected: deepest)
        }
        return node
    }

    func wantCondition(_ node: Node) throws(ExpressionError) {
        let type = node.kind.type
        guard type != .any, type != .flag else { return }
        let names: [ExpressionType: String] = [
            .number: "a number", .text: "a text", .list: "a list", .time: "a time", .object: "an event",
        ]
        var help = "a condition, with a comparison such as == or >="
        if case .did = node.kind { help = "a condition, such as did(…) > 0" }
        if type == .object { help = "a condition, such as exists(…)" }
        throw ExpressionError(
            "this is \(names[type] ?? "no condition")", at: node.range.lowerBound, expected: help)
    }
}
