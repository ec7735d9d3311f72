import Foundations
import Payload
import Postgres

/// The numbers under which activities are known outside, also of those that the catalogue has yet to learn.
///
/// The catalogue follows the loader about a second behind; whoever needs the number of a new activity before that makes
/// its row, with nothing learnt in it yet. The catalogue finds it there. What it has no room for has no number.
package enum ActivityNumbers {
    /// An activity, and what its row begins with.
    package struct Wanted {
        package let key: String
        package let label: String
        package let source: String
        package let seen: Timestamp

        package init(key: String, label: String, source: String, seen: Timestamp) {
            (self.key, self.label, self.source, self.seen) = (key, label, source, seen)
        }
    }

    /// Numbers by key, within the caller's transaction.
    ///
    /// - Parameter most: How many activities the catalogue takes in all; 0: it learns nothing.
    package static func find(
        _ wanted: [Wanted], most: Int, _ connection: Connection
    ) throws(PostgresError) -> [String: Int] {
        var (numbers, open) = ([String: Int](), [String: Wanted]())
        for one in wanted {
            if let builtIn = BuiltInActivity.with(key: one.key) {
                numbers[one.key] = builtIn.id
            } else if open[one.key] == nil {
                open[one.key] = one
            }
        }
        if open.isEmpty { return numbers }
        try numbers.merge(known(open.keys.sorted(), connection)) { a, _ in a }
        let new = open.values.filter { numbers[$0.key] == nil }
            .sorted { ExactText($0.key) < ExactText($1.key) }
        if new.isEmpty || most == 0 { return numbers }
        try reserve(new, most: most, connection)
        try numbers.merge(known(new.map(\.key), connection)) { a, _ in a }
        return numbers
    }

    private static func known(
        _ keys: [String], _ connection: Connection
    ) throws(PostgresError) -> [String: Int] {
        let rows = try connection.execute(
            "select key, id from activity where key = any($1)", keys, context: "numbering activities")
        var numbers: [String: Int] = [:]
        for row in 0..<rows.count { numbers[rows.string(row, 0)] = rows.int(row, 1) }
        return numbers
    }

    /// Rows go in in the order of their keys, as the catalogue locks them: two servers wait for each other, at most.
    private static func reserve(
        _ new: [Wanted], most: Int, _ connection: Connection
    ) throws(PostgresError) {
        var quota = try CatalogueQuota(activities: most, connection)
        var admitted: [Wanted] = []
        for one in new where quota.admits(activityOf: ExactText(one.source)) {
            quota.add(activities: 1, parameters: 0, of: ExactText(one.source))
            admitted.append(one)
        }
        try insert(admitted, connection)
    }

    /// Rows with nothing learnt in them yet. Another server may be making the same: then they are there when this is
    /// through.
    static func insert(_ new: [Wanted], _ connection: Connection) throws(PostgresError) {
        if new.isEmpty { return }
        try connection.execute(
            """
            insert into activity (key, id, label, source, summary, events, parameters, sources, first_seen_at,
                last_seen_at, shape)
            select key, nextval('activity_id'), label, source, '', 0, 0, '{}', seen, seen, 0
            from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as q(key, label, source, seen)
            on conflict (key) do nothing
            """, new.map(\.key), new.map(\.label), new.map(\.source), new.map(\.seen),
            context: "adding activities")
    }
}
