/// The SQL of typed views. Whatever is stored, a view never raises an error: what does not fit is null.
enum ViewSQL {
    /// `CREATE OR REPLACE VIEW`, which takes columns more at the end only.
    static func create(_ view: TypedView, activity key: String) -> String {
        let row = Row(view)
        let columns = view.columns.map { "\(row.value(of: $0)) as \(identifier($0.name))" }
        let list = (row.fixed + columns).joined(separator: ",\n    ")
        return """
            create or replace view activities.\(identifier(view.name)) as
            select \(list)
            from event e\(row.joins)
            where e.activity = \(literal(key))
            """
    }

    /// A name in quotes. Scalar by scalar: a quote with an accent on it is another character, but a quote for SQL.
    static func identifier(_ name: String) -> String {
        var result = "\""
        for scalar in name.unicodeScalars {
            if scalar == "\"" { result += "\"" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    /// A text in quotes that means the same whatever `standard_conforming_strings` says.
    static func literal(_ text: String) -> String {
        var result = "E'"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "'": result += "''"
            case "\\": result += "\\\\"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "'"
    }

    /// The value at the end of the steps, as `jsonb`; arrays on the way become arrays of what is found in each element.
    static func json(_ value: String, _ steps: ArraySlice<ViewStep>, level: Int = 1) -> String {
        guard let step = steps.first else { return value }
        let rest = steps.dropFirst()
        switch step {
        case .member(let name): return json("\(value) -> \(literal(name.text))", rest, level: level)
        case .longMember(_, let digest):
            return json("activities.long_member(\(value), \(literal(digest)))", rest, level: level)
        case .anyMember: return "case when jsonb_typeof(\(value)) = 'object' then \(value) end"
        case .elements:
            let inner = json("v\(level).value", rest, level: level + 1)
            return """
                case when jsonb_typeof(\(value)) = 'array' then (select coalesce(jsonb_agg(\(inner)), '[]') \
                from activities.elements(\(value)) as v\(level)(value)) end
                """
        }
    }
}

/// What a row of a view is made from: the joins that make it, and its columns' values.
private struct Row {
    private(set) var fixed = [
        "e.id as event_id", "e.time", "e.profile_id", "e.session_id", "e.source",
    ]
    private(set) var joins = ""
    private let view: TypedView
    /// The row's own value, and the steps that led to it.
    private var value = "e.properties"
    private var base: [ViewStep] = []

    init(_ view: TypedView) {
        self.view = view
        switch view.rows {
        case .events: break
        case .elements(let steps): join(steps)
        case .places(let arrays): join(arrays)
        }
    }

    /// An array in an array: one more row for each element of each.
    private mutating func join(_ steps: [ViewStep]) {
        var from = 0
        var names = view.fixed.dropFirst(5).makeIterator()
        for end in steps.indices where steps[end] == .elements {
            let array = ViewSQL.json(value, steps[from..<end])
            let alias = "a\(end)"
            let elements = "activities.elements(\(array)) with ordinality"
            joins += "\ncross join lateral \(elements) as \(alias)(value, place)"
            fixed.append("\(alias).place as \(ViewSQL.identifier(names.next() ?? "index"))")
            (value, from) = ("\(alias).value", end + 1)
        }
        base = steps
    }

    /// Arrays side by side: as many rows as the longest has elements.
    private mutating func join(_ arrays: [[ViewStep]]) {
        let lengths = arrays.map { "activities.length(\(ViewSQL.json(value, $0.dropLast())))" }
        let length = "greatest(\(lengths.joined(separator: ", ")))"
        joins = "\ncross join lateral generate_series(1, \(length)) as r(place)"
        fixed.append("r.place::bigint as index")
    }

    func value(of column: ViewColumn) -> String {
        if case .places = view.rows { return place(of: column) }
        let steps = column.steps[base.count...]
        switch column.kind {
        case .jsonb: return ViewSQL.json(value, steps)
        case .numeric: return cast("numeric", ViewSQL.json(value, steps))
        case .text: return cast("text", ViewSQL.json(value, steps))
        case .boolean: return cast("boolean", ViewSQL.json(value, steps))
        case .numerics: return list("numeric", steps)
        case .texts: return list("text", steps)
        case .booleans: return list("boolean", steps)
        }
    }

    private func cast(_ type: String, _ json: String) -> String { "activities.as_\(type)(\(json))" }

    private func list(_ type: String, _ steps: ArraySlice<ViewStep>) -> String {
        guard let array = steps.firstIndex(of: .elements) else { return "null::\(type)[]" }
        let found = ViewSQL.json(value, steps[..<array])
        let element = ViewSQL.json("v.value", steps[(array + 1)...])
        return """
            case when jsonb_typeof(\(found)) = 'array' then array(select \(cast(type, element)) \
            from activities.elements(\(found)) as v(value)) end
            """
    }

    private func place(of column: ViewColumn) -> String {
        let element = "\(ViewSQL.json(value, column.steps.dropLast())) -> (r.place - 1)"
        switch column.kind {
        case .numeric, .text, .boolean: return cast(column.kind.rawValue, element)
        case .jsonb, .numerics, .texts, .booleans: return element
        }
    }
}
