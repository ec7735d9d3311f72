import Foundations
import Payload
import Postgres

/// The catalogue, as commands and the admin API read it.
package enum Catalogue {
    /// The activities in the order of their keys, the server's own among them; `after`: the last key of the page before.
    package static func list(
        limit: Int, after: String?, _ connection: Connection
    ) throws(PostgresError) -> CataloguePage<ActivityListing> {
        let rows = try connection.execute(
            columns + " where $1::text is null or a.key > $1 order by a.key limit $2", after,
            Int64(limit + 1),
            context: "listing activities")
        var items = (0..<rows.count).map { listing(rows, $0) }
        items += try builtIn(connection).filter { item in
            after.map { ExactText($0) < ExactText(item.key) } ?? true
        }
        items.sort { ExactText($0.key) < ExactText($1.key) }
        let page = Array(items.prefix(limit))
        return CataloguePage(items: page, next: items.count > limit ? page.last?.key : nil)
    }

    /// The number of activities that were discovered, and of their parameters.
    package static func size(
        _ connection: Connection
    ) throws(PostgresError) -> (activities: Int, parameters: Int) {
        let rows = try connection.execute(
            "select count(*), coalesce(sum(parameters), 0)::bigint from activity")
        return (rows.int(0, 0), rows.int(0, 1))
    }

    /// One activity by its key; nil: there is none.
    package static func activity(_ key: String, _ connection: Connection) throws -> ActivityDetail? {
        if let builtIn = BuiltInActivity.with(key: key) { return try detail(of: builtIn, connection) }
        let rows = try connection.execute(columns + " where a.key = $1", key, context: "reading an activity")
        guard rows.count == 1, let summary = try summary(of: key, connection) else { return nil }
        let views = try ViewStore.views(of: rows.int(0, 1), connection)
        let parameters = summary.parameters.map { parameter in
            ParameterListing(parameter, column: views.first?.column(for: [ViewStep](parameter.path))?.name)
        }
        return ActivityDetail(
            listing: listing(rows, 0), truncated: summary.truncated, parameters: parameters, views: views)
    }

    /// What is known of an activity; nil: there is none.
    package static func summary(of key: String, _ connection: Connection) throws -> ActivitySummary? {
        let rows = try connection.execute("select summary from activity where key = $1", key)
        guard rows.count == 1, rows.bytea(0, 0).count > 0 else { return nil }
        return try ActivitySummary(decoding: rows.bytea(0, 0), limits: SummaryLimits(connection))
    }

    private static func detail(
        of activity: BuiltInActivity, _ connection: Connection
    ) throws(PostgresError) -> ActivityDetail? {
        guard let listing = try builtIn(connection).first(where: { $0.id == activity.id }) else { return nil }
        let view = activity.view
        let parameters = zip(activity.parameters, view.columns).map { ParameterListing($0, column: $1.name) }
        return ActivityDetail(listing: listing, truncated: 0, parameters: parameters, views: [view])
    }

    /// An activity's history, the newest first; nil: there is no such activity.
    package static func drift(
        _ key: String, limit: Int, after: String?, _ connection: Connection
    ) throws(PostgresError) -> CataloguePage<DriftListing>? {
        if BuiltInActivity.with(key: key) != nil { return CataloguePage(items: [], next: nil) }
        let found = try connection.execute("select id from activity where key = $1", key)
        guard found.count == 1 else { return nil }
        let rows = try connection.execute(
            """
            select id, found_at, change, path, "from", "to", nearest, event, event_at, source, client
            from drift where activity = $1 and id < $2 order by id desc limit $3
            """, Int32(found.int(0, 0)), after.flatMap { Int64($0) } ?? .max, Int64(limit + 1),
            context: "reading the history")
        let items = (0..<min(rows.count, limit)).map { i in
            DriftListing(
                id: rows.int(i, 0), foundAt: rows.timestamp(i, 1), change: rows.string(i, 2),
                path: rows.stringOrNil(i, 3), from: rows.stringOrNil(i, 4), to: rows.stringOrNil(i, 5),
                nearest: rows.stringOrNil(i, 6), event: rows.uuid(i, 7), eventAt: rows.timestamp(i, 8),
                source: rows.string(i, 9), client: rows.string(i, 10))
        }
        return CataloguePage(items: items, next: rows.count > limit ? items.last.map { "\($0.id)" } : nil)
    }

    /// The JSON Schema of an activity's properties; nil: there is no such activity.
    package static func schema(_ key: String, _ connection: Connection) throws -> String? {
        if let builtIn = BuiltInActivity.with(key: key) { return builtIn.schema }
        let rows = try connection.execute("select frozen_at is not null from activity where key = $1", key)
        guard rows.count == 1, let summary = try summary(of: key, connection) else { return nil }
        return JSONSchema.of(summary, title: key, isFrozen: rows.bool(0, 0))
    }

    /// The key of what people wrote: a key as it is, a label as its key. `Product Purchase` → `product-purchase`.
    package static func key(of text: String) -> String {
        var text = text
        var buffer = ByteBuffer()
        text.withUTF8 { _ = ActivityKey.append(label: Bytes($0), to: &buffer) }
        return buffer.bytes.text
    }

    /// All keys, to find what was probably meant.
    package static func keys(_ connection: Connection) throws(PostgresError) -> [String] {
        let rows = try connection.execute("select key from activity order by key")
        return BuiltInActivity.all.map(\.key) + (0..<rows.count).map { rows.string($0, 0) }
    }

    /// What the catalogue did not take, by source.
    package static func overflows(
        _ connection: Connection
    ) throws(PostgresError) -> [(source: String, overflow: Overflow)] {
        let rows = try connection.execute(
            "select source, events, activity from catalogue_overflow order by source")
        return (0..<rows.count).map { i in
            (rows.string(i, 0), Overflow(events: rows.int(i, 1), activity: rows.string(i, 2)))
        }
    }

    /// When events were lost to the catalogue before it could read them; nil: none were.
    package static func gap(_ connection: Connection) throws(PostgresError) -> Timestamp? {
        try connection.execute("select max(gap_at) from catalogue_position").timestampOrNil(0, 0)
    }

    // MARK: Rows

    private static let columns = """
        select a.key, a.id, a.label, a.events, a.parameters, a.sources, a.first_seen_at, a.last_seen_at, a.rate,
            a.frozen_at, a.frozen_extra, v.name
        from activity a left join activity_view v on v.activity = a.id and v.number = 0
        """

    private static func listing(_ rows: Rows, _ i: Int) -> ActivityListing {
        let extra = rows.stringOrNil(i, 10).flatMap { Freeze.Extra(rawValue: $0) } ?? .quarantine
        return ActivityListing(
            key: rows.string(i, 0), id: rows.int(i, 1), label: rows.string(i, 2), events: rows.int(i, 3),
            parameters: rows.int(i, 4), sources: rows.texts(i, 5).compactMap { $0 },
            firstSeen: rows.timestamp(i, 6), lastSeen: rows.timestamp(i, 7),
            rate: rows.isNull(i, 8) ? nil : rows.double(i, 8),
            frozen: rows.timestampOrNil(i, 9).map { Freeze(since: $0, extra: extra) },
            view: rows.stringOrNil(i, 11))
    }

    private static func builtIn(_ connection: Connection) throws(PostgresError) -> [ActivityListing] {
        let rows = try connection.execute(
            "select activity, name from activity_view where activity <= 100 and number = 0")
        var views: [Int: String] = [:]
        for i in 0..<rows.count { views[rows.int(i, 0)] = rows.string(i, 1) }
        return BuiltInActivity.all.map { activity in
            ActivityListing(
                key: activity.key, id: activity.id, label: activity.label, events: nil,
                parameters: activity.parameters.count, sources: [BuiltInActivity.source], firstSeen: nil,
                lastSeen: nil, rate: nil, frozen: nil, view: views[activity.id])
        }
    }
}
