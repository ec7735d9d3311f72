/// Why a text is not an expression: the problem, the character at which it shows, and the name that was probably meant.
package struct ExpressionError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    /// Counted in characters (Unicode scalars) from 0.
    package let offset: Int
    package let expected: String?
    package let suggestion: String?

    package init(_ problem: String, at offset: Int, expected: String? = nil, suggestion: String? = nil) {
        self.problem = problem
        self.offset = offset
        self.expected = expected
        self.suggestion = suggestion
    }

    package var description: String {
        let more = [expected.map { "expected \($0)" }, suggestion.map { "did you mean \"\($0)\"?" }]
            .compactMap { $0 }.joined(separator: "; ")
        return "character \(offset + 1): \(problem)" + (more.isEmpty ? "" : " (\(more))")
    }

    /// The same error in a longer text, so many characters further on.
    func moved(by count: Int) -> ExpressionError {
        ExpressionError(problem, at: offset + count, expected: expected, suggestion: suggestion)
    }
}
