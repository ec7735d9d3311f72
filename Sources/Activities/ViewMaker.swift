import Foundations
import Payload
import Postgres

/// Makes the typed views follow what is known of the activities, and spells the parameters out for SQL readers.
///
/// Each activity is a transaction of its own that waits for no lock longer than half a second: a long query on a view
/// keeps that view from being changed, and nothing else waiting. Whoever fails tries again later.
package struct ViewMaker {
    private let limits: SummaryLimits

    /// How long counts in the table `parameter` may be behind, in microseconds.
    private static let patience: Int64 = 60_000_000

    package init(limits: SummaryLimits) { self.limits = limits }

    /// So many activities are looked up at a time.
    package static let page = 100

    /// Activities whose views have to follow, then those whose counts are old. `except`: those that failed just now,
    /// which must not stand in the way of the others.
    package func pending(
        now: Timestamp, except: [String] = [], _ connection: Connection
    ) throws(PostgresError) -> [String] {
        let rows = try connection.execute(
            """
            select a.key from activity a left join activity_view v on v.activity = a.id and v.number = 0
            where octet_length(a.summary) > 0 and a.key <> all ($2::text[])
                and (v.shape is distinct from a.shape or v.events <> a.events and v.spelled_at < $1)
            order by v.shape is distinct from a.shape desc, v.spelled_at nulls first, a.id limit \(Self.page)
            """, now.adding(microseconds: -Self.patience), except, context: "looking for views to be changed")
        return (0..<rows.count).map { rows.string($0, 0) }
    }

    /// Brings an activity's views and parameters up to date. `all`: makes the views anew that are there already.
    package func follow(_ key: String, all: Bool = false, now: Timestamp, _ connection: Connection) throws {
        var failure: (any Error)?
        try Self.locked(connection) { () throws(PostgresError) in
            do {
                try follow(locked: key, all: all, now: now, connection)
            } catch let error as PostgresError {
                throw error
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// The views of the server's own activities.
    package func followBuiltIn(now: Timestamp, _ connection: Connection) throws(PostgresError) {
        for activity in BuiltInActivity.all {
            try Self.locked(connection) { () throws(PostgresError) in
                let before = try ViewStore.views(of: activity.id, connection)
                var view = activity.view
                var names = try ViewStore.names(connection)
                view.name = before.first?.name ?? names.take(activity.key, for: activity.key)
                if before.first?.columns == view.columns { return }
                try connection.script(ViewSQL.create(view, activity: activity.key))
                try ViewStore.write(
                    [view], before: before, activity: activity.id, shape: 1, events: 0, now: now, connection)
            }
        }
    }

    /// One at a time in all servers, since they may name views alike.
    private static func locked(
        _ connection: Connection, _ body: () throws(PostgresError) -> Void
    ) throws(PostgresError) {
        try connection.transaction(context: "changing a view") { () throws(PostgresError) in
            try connection.script("set local lock_timeout = '500ms'")
            try connection.execute("select pg_advisory_xact_lock(7265, 2)")
            try body()
        }
    }

    private func follow(locked key: String, all: Bool, now: Timestamp, _ connection: Connection) throws {
        let rows = try connection.execute(
            "select id, summary, shape, events from activity where key = $1", key)
        guard rows.count == 1, rows.bytea(0, 1).count > 0 else { return }
        let id = rows.int(0, 0)
        let parameters = try ActivitySummary(decoding: rows.bytea(0, 1), limits: limits).parameters
        let before = try ViewStore.views(of: id, connection)
        var names = try ViewStore.names(connection)
        var plan = ViewPlan(key: key, views: before)
        let inOrder = parameters.sorted { ($0.first.key, $0.path) < ($1.first.key, $1.path) }
        plan.follow(inOrder.map { ViewParameter($0) }, parallel: Self.tables(inOrder), names: &names)
        for (i, view) in plan.views.enumerated() where all || !before.indices.contains(i) || before[i] != view
        {
            try connection.script(ViewSQL.create(view, activity: key), context: "changing a view")
        }
        try ViewStore.write(
            plan.views, before: before, activity: id, shape: rows.int8(0, 2), events: rows.int(0, 3),
            now: now,
            connection)
        try ParameterRows.write(parameters, of: id, view: plan.views.first, connection)
    }

    /// Parallel arrays that are one table, in the order of the tables.
    private static func tables(_ parameters: [ParameterSummary]) -> [[[ViewStep]]] {
        var tables: [Int: [[ViewStep]]] = [:]
        for parameter in parameters {
            guard let table = parameter.table else { continue }
            var steps = [ViewStep](parameter.path)
            if steps.last != .elements { steps.append(.elements) }
            if !(tables[table] ?? []).contains(steps) { tables[table, default: []].append(steps) }
        }
        return tables.sorted { $0.key < $1.key }.map(\.value)
    }
}
