/// Why a text is not JSON: what was expected, what stood there instead, and where.
///
/// The description names kinds of characters, never the text itself: answers must not repeat a payload.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    package enum Code: UInt8, Sendable {
        case value, key, colon, commaOrBrace, commaOrBracket, end, digit, hexDigits, escape, closingQuote
        case noControlCharacter, utf8, lessNesting, smallerText
    }

    package let code: Code
    /// The byte, counted from 0, at which the text stops being JSON.
    package let offset: Int
    /// What stands there; nil at the end of the text.
    package let found: UInt8?

    package init(code: Code, offset: Int, found: UInt8?) {
        self.code = code
        self.offset = offset
        self.found = found
    }

    package var description: String { "expected \(expectation), found \(finding) at byte \(offset)" }

    private var expectation: String {
        switch code {
        case .value: "a value"
        case .key: "a key in double quotes"
        case .colon: "a colon"
        case .commaOrBrace: "a comma or }"
        case .commaOrBracket: "a comma or ]"
        case .end: "nothing after the value"
        case .digit: "a digit"
        case .hexDigits: "four hexadecimal digits"
        case .escape: "an escape that JSON knows"
        case .closingQuote: "a closing quote"
        case .noControlCharacter: "control characters to be escaped"
        case .utf8: "UTF-8"
        case .lessNesting: "as many closing brackets as opening ones"
        case .smallerText: "a text of less than 2 GB"
        }
    }

    private var finding: String {
        switch found {
        case nil: "the end"
        case 9, 10, 13, 32: "white space"
        case .some(0..<32), 127: "a control character"
        case .some(48...57): "a digit"
        case .some(65...90), .some(97...122): "a letter"
        case .some(128...): "a byte outside ASCII"
        case .some(let mark): String(Unicode.Scalar(mark))
        }
    }
}
