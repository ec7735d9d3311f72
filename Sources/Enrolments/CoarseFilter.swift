import Foundations
import Journeys
import Postgres

/// A coarse condition as SQL about the row `p` of `profile`; values are parameters, never part of the text.
struct CoarseFilter {
    private(set) var text = "true"
    private var values: [[String]] = []
    private let first: Int

    /// - Parameter first: The number of the first parameter that is free.
    init(_ condition: CoarseCondition?, first: Int) {
        self.first = first
        if let condition { text = sql(condition) }
    }

    func append(to parameters: inout Parameters) {
        for value in values { parameters.append(value) }
    }

    private mutating func sql(_ condition: CoarseCondition) -> String {
        switch condition {
        case .has(let path): return "p.traits #> \(parameter(path))::text[] is not null"
        case .isOne(let path, let texts):
            return
                "p.traits #>> \(parameter(path))::text[] = any(\(parameter(texts))::text[])"
        case .all(let parts): return "(" + parts.map { sql($0) }.joined(separator: " and ") + ")"
        case .any(let parts): return "(" + parts.map { sql($0) }.joined(separator: " or ") + ")"
        }
    }

    private mutating func parameter(_ value: [String]) -> String {
        values.append(value)
        return "$\(first + values.count - 1)"
    }
}
