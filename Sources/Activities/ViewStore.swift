import Foundations
import Payload
import Postgres

/// The tables `activity_view` and `activity_column`: which typed views there are, with their columns in order.
enum ViewStore {
    /// The views of an activity, its own first.
    static func views(of activity: Int, _ connection: Connection) throws(PostgresError) -> [TypedView] {
        let rows = try connection.execute(
            "select name, steps, arrays from activity_view where activity = $1 order by number",
            Int32(activity))
        var views = (0..<rows.count).map { i in
            TypedView(name: rows.string(i, 0), rows: Self.rows(rows, i, isFirst: i == 0))
        }
        let columns = try connection.execute(
            """
            select view, name, steps, type, is_any from activity_column where activity = $1 order by view, number
            """, Int32(activity))
        for i in 0..<columns.count where views.indices.contains(columns.int(i, 0)) {
            views[columns.int(i, 0)].columns.append(
                ViewColumn(
                    name: columns.string(i, 1), steps: steps(columns.texts(i, 2)),
                    kind: ViewColumn.Kind(rawValue: columns.string(i, 3)) ?? .jsonb, isAny: columns.bool(i, 4)
                ))
        }
        return views
    }

    private static func rows(_ rows: Rows, _ i: Int, isFirst: Bool) -> TypedView.Rows {
        if isFirst { return .events }
        guard !rows.isNull(i, 2) else { return .elements(steps(rows.texts(i, 1))) }
        var document = JSONDocument()
        guard (try? document.parse(rows.json(i, 2))) != nil else { return .places([]) }
        return .places(
            document.root.elements.map { array in
                array.elements.map { step in
                    var buffer = ByteBuffer()
                    _ = step.appendText(to: &buffer)
                    return ViewStep(text: buffer.bytes.text)
                }
            })
    }

    private static func steps(_ texts: [String?]) -> [ViewStep] { texts.map { ViewStep(text: $0 ?? "") } }

    /// Names of all views that there are.
    static func names(_ connection: Connection) throws(PostgresError) -> ViewNames {
        let rows = try connection.execute("select name from activity_view")
        return ViewNames(taken: (0..<rows.count).map { rows.string($0, 0) })
    }

    /// Writes the views of an activity and the columns that are new.
    static func write(
        _ views: [TypedView], before: [TypedView], activity: Int, shape: Int64, events: Int, now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) {
        for (number, view) in views.enumerated() {
            try write(view, number, activity, shape, events, now, connection)
            let known = before.indices.contains(number) ? before[number].columns.count : 0
            for (place, column) in view.columns.enumerated().dropFirst(known) {
                try connection.execute(
                    """
                    insert into activity_column (activity, view, number, name, path, steps, type, is_any)
                    values ($1, $2, $3, $4, $5, $6, $7, $8)
                    """, Int32(activity), Int32(number), Int32(place), column.name, column.steps.path,
                    column.steps.map(\.text), column.kind.rawValue, column.isAny, context: "adding a column")
            }
        }
    }

    private static func write(
        _ view: TypedView, _ number: Int, _ activity: Int, _ shape: Int64, _ events: Int, _ now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) {
        var steps: [String] = []
        var arrays = JSONWriter()
        switch view.rows {
        case .events: break
        case .elements(let path): steps = path.map(\.text)
        case .places(let paths):
            arrays.array { json in
                for path in paths { json.array { json in for step in path { json.element(step.text) } } }
            }
        }
        var values = Parameters()
        values.append(Int32(activity))
        values.append(Int32(number))
        values.append(view.name)
        values.append(steps)
        if arrays.bytes.count > 0 { values.append(JSONText(arrays.bytes)) } else { values.appendNull(.jsonb) }
        values.append(shape)
        values.append(Int64(events))
        values.append(now)
        try connection.execute(
            """
            insert into activity_view (activity, number, name, steps, arrays, shape, events, spelled_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (activity, number) do update set arrays = excluded.arrays, shape = excluded.shape,
                events = excluded.events, spelled_at = excluded.spelled_at
            """, with: values, context: "noting a view")
    }
}
