import Foundations
import Journeys
import Postgres

/// A coarse condition as SQL about the row `p` of `profile`; values are parameters, never part of the text.
struct CoarseFilter {
    private(set) var text = "true"
    private var values: [Value] = []
    private let first: Int
    private let now: Timestamp

    private enum Value {
        case texts([String])
        case moment(Timestamp)
    }

    /// What is ahead of its arrival is taken for that much, at most: so an event is received hardly before its time.
    private static let ahead: Int64 = 300

    /// - Parameter first: The number of the first parameter that is free.
    init(_ condition: CoarseCondition?, first: Int, at now: Timestamp) {
        (self.first, self.now) = (first, now)
        if let condition { text = sql(condition) }
    }

    func append(to parameters: inout Parameters) {
        for value in values {
            switch value {
            case .texts(let texts): parameters.append(texts)
            case .moment(let moment): parameters.append(moment)
            }
        }
    }

    private mutating func sql(_ condition: CoarseCondition) -> String {
        switch condition {
        case .has(let path): return "p.traits #> \(parameter(.texts(path)))::text[] is not null"
        case .isOne(let path, let texts):
            return
                "p.traits #>> \(parameter(.texts(path)))::text[] = any(\(parameter(.texts(texts)))::text[])"
        case .did(let activity, let window): return event(activity, window)
        case .all(let parts): return "(" + parts.map { sql($0) }.joined(separator: " and ") + ")"
        case .any(let parts): return "(" + parts.map { sql($0) }.joined(separator: " or ") + ")"
        }
    }

    private mutating func event(_ activity: String, _ window: Int64?) -> String {
        var text = """
            exists (select from event e where e.profile_id = any(array(select i from ids_of(p.id) i))
                and e.activity = any(\(parameter(.texts([activity])))::text[])
            """
        if let window {
            let since = now.adding(microseconds: -window)
            text += " and e.time > \(parameter(.moment(since)))"
            text += " and e.received_at >= \(parameter(.moment(since.adding(seconds: -Self.ahead))))"
        }
        return text + ")"
    }

    private mutating func parameter(_ value: Value) -> String {
        values.append(value)
        return "$\(first + values.count - 1)"
    }
}
