import Foundations
import Payload
import Postgres

/// The catalogue's tables, as servers write them: what each learnt is merged into the same rows.
///
/// A row is locked while it is merged, and rows are locked in the order of their keys.
package struct CatalogueStore {
    private let limits: SummaryLimits
    private var quota: CatalogueQuota

    package struct Result {
        /// Activities whose views have to follow.
        package var changed: [ExactText] = []
        package var entries = 0
        package var overflows: [ExactText: Overflow] = [:]

        package init() {}
    }

    package init(limits: SummaryLimits, activities: Int) {
        self.limits = limits
        quota = CatalogueQuota(activities: activities)
    }

    /// The row of an activity, locked.
    private struct Row {
        let id: Int
        var summary: ActivitySummary?
        let source: ExactText
        let parameters: Int
        let shape: Int64
    }

    /// Merges what was learnt, inside of the caller's transaction.
    package mutating func merge(
        _ learnt: [Learnt], now: Timestamp, _ connection: Connection
    ) throws -> Result {
        var result = Result()
        if learnt.isEmpty { return result }
        let learnt = learnt.sorted { $0.key < $1.key }
        try readQuota(connection)
        var rows = try lock(learnt.map(\.key), connection)
        let new = learnt.filter { rows[$0.key] == nil }
        if !new.isEmpty { try admit(new, &rows, &result, connection) }
        var updates = ActivityUpdates()
        var drift = DriftRows()
        for item in learnt {
            guard let row = rows[item.key] else { continue }
            let isNew = row.summary == nil
            var merged = row.summary ?? ActivitySummary(limits: limits)
            merged.merge(item.summary)
            let shape = ViewShape(merged)
            let more = shape.parameters - row.parameters
            guard isNew || quota.admits(parameters: more, of: row.source) else {
                result.overflow(item, of: item.source)
                continue
            }
            quota.add(activities: 0, parameters: more, of: row.source)
            let entries = Drift.entries(before: row.summary, after: merged)
            merged.acknowledge(entries)
            drift.add(entries, activity: row.id)
            updates.add(item.key, merged, shape)
            if shape.number != row.shape { result.changed.append(item.key) }
        }
        try updates.write(connection)
        result.entries = drift.count
        try drift.write(foundAt: now, connection)
        return result
    }

    /// Puts what was learnt from all events in the place of what was known, inside of the caller's transaction. An
    /// activity keeps its id, its history and what it is frozen to, also when there is no event of it any more.
    mutating func replace(_ learnt: [Learnt], now: Timestamp, _ connection: Connection) throws -> Result {
        var result = Result()
        let learnt = learnt.sorted { $0.key < $1.key }
        let all = try connection.execute("select key from activity order by key for update")
        let keys = (0..<all.count).map { ExactText(all.string($0, 0)) }
        var rows = try lock(keys, connection)
        try connection.execute("update activity set summary = '', events = 0, parameters = 0, sources = '{}'")
        try readQuota(connection)
        let new = learnt.filter { rows[$0.key] == nil }
        if !new.isEmpty { try admit(new, &rows, &result, connection) }
        var updates = ActivityUpdates()
        var drift = DriftRows()
        for item in learnt {
            guard let row = rows[item.key] else { continue }
            var summary = item.summary
            let entries = Drift.entries(before: row.summary, after: summary)
            summary.acknowledge(entries)
            drift.add(entries, activity: row.id)
            updates.add(item.key, summary, ViewShape(summary))
        }
        try updates.write(connection)
        try drift.write(foundAt: now, connection)
        return result
    }

    /// Rows are locked in the order of their keys, so that two servers never wait for each other.
    private func lock(
        _ keys: [ExactText], _ connection: Connection
    ) throws -> [ExactText: Row] {
        let found = try connection.execute(
            """
            select key, id, summary, source, parameters, shape from activity where key = any($1::text[])
            order by key for update
            """, keys.map(\.text), context: "locking activities")
        var rows: [ExactText: Row] = [:]
        for i in 0..<found.count {
            let bytes = found.bytea(i, 2)
            rows[ExactText(found.string(i, 0))] = Row(
                id: found.int(i, 1),
                summary: bytes.count == 0 ? nil : try ActivitySummary(decoding: bytes, limits: limits),
                source: ExactText(found.string(i, 3)), parameters: found.int(i, 4), shape: found.int8(i, 5))
        }
        return rows
    }

    /// Makes rows for activities that are new, as far as the quota goes.
    private mutating func admit(
        _ new: [Learnt], _ rows: inout [ExactText: Row], _ result: inout Result, _ connection: Connection
    ) throws {
        var admitted: [Learnt] = []
        for item in new {
            if quota.admits(activityOf: item.source) {
                quota.add(activities: 1, parameters: 0, of: item.source)
                admitted.append(item)
            } else {
                result.overflow(item, of: item.source)
            }
        }
        if admitted.isEmpty { return }
        try ActivityNumbers.insert(
            admitted.map { item in
                ActivityNumbers.Wanted(
                    key: item.key.text, label: item.summary.label, source: item.source.text,
                    seen: item.summary.first?.receivedAt ?? Timestamp(microseconds: 0))
            }, connection)
        try rows.merge(lock(admitted.map(\.key), connection)) { $1 }
    }

    private mutating func readQuota(_ connection: Connection) throws(PostgresError) {
        quota = try CatalogueQuota(activities: quota.activities, connection)
    }
}

extension CatalogueStore.Result {
    package mutating func add(_ other: Self) {
        changed += other.changed
        entries += other.entries
        for (source, overflow) in other.overflows {
            let before = overflows[source]?.events ?? 0
            overflows[source] = Overflow(events: before + overflow.events, activity: overflow.activity)
        }
    }

    package mutating func overflow(_ item: Learnt, of source: ExactText) {
        let before = overflows[source]?.events ?? 0
        overflows[source] = Overflow(events: before + item.summary.count, activity: item.key.text)
    }
}
