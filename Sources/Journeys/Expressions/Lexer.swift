import Payload

/// The smallest pieces of an expression, with where they begin.
struct Token: Equatable {
    enum Kind: Equatable {
        case number(String)
        case text(String)
        case name(String)
        /// An operator or a bracket.
        case mark(String)
        case end
    }

    let kind: Kind
    /// In characters, from the beginning of the text.
    let range: Range<Int>

    var described: String {
        switch kind {
        case .number(let text): "the number \(text)"
        case .text: "a text"
        case .name(let name): "\"\(name)\""
        case .mark(let mark): "\"\(mark)\""
        case .end: "the end"
        }
    }
}

/// Cuts an expression's text into tokens.
struct Lexer {
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private static let pairs: Set<String> = ["==", "!=", "<=", ">=", "&&", "||"]
    private static let singles: Set<Unicode.Scalar> = [
        "(", ")", "[", "]", ",", ".", "?", ":", "+", "-", "*", "/", "!", "<", ">",
    ]

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    static func tokens(of text: String) throws(ExpressionError) -> [Token] {
        var lexer = Lexer(text)
        var tokens: [Token] = []
        while let token = try lexer.next() { tokens.append(token) }
        let end = lexer.scalars.count
        tokens.append(Token(kind: .end, range: end..<end))
        return tokens
    }

    private mutating func next() throws(ExpressionError) -> Token? {
        while at < scalars.count, scalars[at].properties.isWhitespace { at += 1 }
        guard at < scalars.count else { return nil }
        let start = at
        let kind = try kind(scalars[at])
        return Token(kind: kind, range: start..<at)
    }

    private mutating func kind(_ first: Unicode.Scalar) throws(ExpressionError) -> Token.Kind {
        if ("0"..."9").contains(first) { return try number() }
        if first == "\"" || first == "'" { return try text(until: first) }
        if Self.beginsName(first) {
            let start = at
            while at < scalars.count, Self.continuesName(scalars[at]) { at += 1 }
            return .name(string(start..<at))
        }
        if at + 1 < scalars.count, Self.pairs.contains(string(at..<at + 2)) {
            at += 2
            return .mark(string(at - 2..<at))
        }
        if Self.singles.contains(first) {
            at += 1
            return .mark(String(first))
        }
        let doubled: [Unicode.Scalar: String] = ["=": "==", "&": "&&", "|": "||"]
        throw ExpressionError(
            "\"\(first)\" has no meaning here", at: at,
            expected: doubled[first] == nil ? "an operator, a name or a value" : nil,
            suggestion: doubled[first])
    }

    static func beginsName(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isXIDStart
    }

    static func continuesName(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isXIDContinue }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    private mutating func number() throws(ExpressionError) -> Token.Kind {
        let start = at
        var seen: Set<Unicode.Scalar> = []
        while at < scalars.count {
            let scalar = scalars[at]
            let isPoint = scalar == "." && seen.isEmpty && followsDigit
            let isExponent = (scalar == "e" || scalar == "E") && !seen.contains("e")
            let isSign =
                (scalar == "+" || scalar == "-") && (scalars[at - 1] == "e" || scalars[at - 1] == "E")
            guard ("0"..."9").contains(scalar) || isPoint || isExponent || isSign else { break }
            if isPoint { seen.insert(".") }
            if isExponent { seen.insert("e") }
            at += 1
        }
        let text = string(start..<at)
        guard Decimal(text) != nil, at == scalars.count || !Self.continuesName(scalars[at]) else {
            let limit = "a number such as 20000 or 0.5, of at most \(Decimal.mostDigits) digits"
            throw ExpressionError("\"\(text)\" is no number", at: start, expected: limit)
        }
        return .number(text)
    }

    /// Is a digit behind this character? `1.any` would be no number's point.
    private var followsDigit: Bool {
        at + 1 < scalars.count && ("0"..."9").contains(scalars[at + 1])
    }

    private mutating func text(until quote: Unicode.Scalar) throws(ExpressionError) -> Token.Kind {
        let start = at
        var result = String.UnicodeScalarView()
        at += 1
        while at < scalars.count {
            let scalar = scalars[at]
            at += 1
            if scalar == quote { return .text(String(result)) }
            result.append(scalar == "\\" ? try escape() : scalar)
        }
        throw ExpressionError("this text has no end", at: start, expected: "a closing \(quote)")
    }

    private mutating func escape() throws(ExpressionError) -> Unicode.Scalar {
        let known: [Unicode.Scalar: Unicode.Scalar] = [
            "\\": "\\", "\"": "\"", "'": "'", "n": "\n", "t": "\t", "r": "\r",
        ]
        guard at < scalars.count, let meant = known[scalars[at]] else {
            throw ExpressionError(
                "a backslash that escapes nothing", at: at - 1, expected: #"\\, \", \', \n, \t or \r"#)
        }
        at += 1
        return meant
    }
}
