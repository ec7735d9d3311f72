import Foundations
import Postgres

extension Quarantine {
    /// The groups with the most events first; at most `limit` of them.
    package static func groups(
        _ filter: Filter = Filter(), limit: Int = 100, _ connection: Connection
    ) throws(PostgresError) -> [Group] {
        var condition = Condition(filter)
        let most = condition.parameter(Int64(limit))
        let rows = try connection.execute(
            """
            select g.*, q.detail->>'message' from (
                select reason, source, activity, journey, count(*), min(received_at), max(received_at),
                    max(id::text)::uuid as last
                from quarantine where \(condition.sql) group by reason, source, activity, journey
                order by count(*) desc, max(received_at) desc limit \(most)
            ) g join quarantine q on q.id = g.last order by g.count desc, g.max desc
            """, with: condition.parameters, context: "grouping the quarantine")
        return (0..<rows.count).map { row in
            Group(
                reason: rows.string(row, 0), source: rows.string(row, 1), activity: rows.stringOrNil(row, 2),
                journey: rows.stringOrNil(row, 3), count: rows.int(row, 4), first: rows.timestamp(row, 5),
                last: rows.timestamp(row, 6), example: rows.uuid(row, 7), message: rows.stringOrNil(row, 8))
        }
    }

    /// A page, the latest first; `after` is the last id of the page before.
    package static func items(
        _ filter: Filter = Filter(), after: UUID? = nil, limit: Int = 100, _ connection: Connection
    ) throws(PostgresError) -> [Item] {
        var condition = Condition(filter)
        if let after { condition.and("id <", after) }
        let most = condition.parameter(Int64(limit))
        let rows = try connection.execute(
            "select \(itemColumns) from quarantine where \(condition.sql) order by id desc limit \(most)",
            with: condition.parameters, context: "listing the quarantine")
        return (0..<rows.count).map { item(rows, $0) }
    }

    /// Everything about one event; nil: it is not in the quarantine.
    package static func entry(_ id: UUID, _ connection: Connection) throws(PostgresError) -> Entry? {
        let rows = try connection.execute(
            """
            select \(itemColumns), payload, context, client_time, sent_at, sent_profile, user_agent, task, instance
            from quarantine where id = $1
            """, id, context: "reading the quarantine")
        if rows.isEmpty { return nil }
        return Entry(
            item: item(rows, 0), payload: rows.json(0, 16).text,
            context: rows.isNull(0, 17) ? nil : rows.json(0, 17).text, time: rows.timestampOrNil(0, 18),
            sentAt: rows.timestampOrNil(0, 19), sentProfile: rows.stringOrNil(0, 20),
            userAgent: rows.stringOrNil(0, 21), task: rows.uuidOrNil(0, 22), instance: rows.uuidOrNil(0, 23))
    }

    /// How many there are for each reason.
    package static func counts(_ connection: Connection) throws(PostgresError) -> [(
        reason: String, count: Int
    )] {
        let rows = try connection.execute(
            "select reason, count(*) from quarantine group by reason order by reason",
            context: "counting the quarantine")
        return (0..<rows.count).map { (rows.string($0, 0), rows.int($0, 1)) }
    }

    private static let itemColumns = """
        id, received_at, source, activity, reason, pointer, detail, detail->>'message', client_id, session_id,
        profile_id, requested_at, attempts, replayed_at, journey, event_id
        """

    private static func item(_ rows: Rows, _ row: Int) -> Item {
        Item(
            id: rows.uuid(row, 0), receivedAt: rows.timestamp(row, 1), source: rows.string(row, 2),
            activity: rows.stringOrNil(row, 3), journey: rows.stringOrNil(row, 14),
            eventID: rows.uuidOrNil(row, 15), reason: rows.string(row, 4),
            pointer: rows.stringOrNil(row, 5), detail: rows.isNull(row, 6) ? nil : rows.json(row, 6).text,
            message: rows.stringOrNil(row, 7), clientID: rows.stringOrNil(row, 8),
            sessionID: rows.stringOrNil(row, 9), profileID: rows.uuidOrNil(row, 10),
            requestedAt: rows.timestampOrNil(row, 11), attempts: rows.int(row, 12),
            replayedAt: rows.timestampOrNil(row, 13))
    }

    /// A filter as an SQL condition with its parameters.
    struct Condition: ~Copyable {
        private(set) var sql = "true"
        private(set) var parameters = Parameters()

        init(_ filter: Filter) {
            if !filter.ids.isEmpty { sql += " and id = any(\(parameter(filter.ids)))" }
            if !filter.reasons.isEmpty { sql += " and reason = any(\(parameter(filter.reasons)))" }
            if let source = filter.source { and("source =", source) }
            if let activity = filter.activity { and("activity =", activity) }
            if let journey = filter.journey { and("journey =", journey) }
            if let since = filter.since { and("received_at >=", since) }
            if let before = filter.before { and("received_at <", before) }
            if let isWaiting = filter.isWaiting {
                sql += " and requested_at is \(isWaiting ? "not " : "")null"
            }
        }

        mutating func and<Value: BinaryValue>(_ left: String, _ value: Value) {
            sql += " and \(left) \(parameter(value))"
        }

        /// Adds a parameter; its name.
        mutating func parameter<Value: BinaryValue>(_ value: Value) -> String {
            parameters.append(value)
            return "$\(parameters.count)"
        }
    }
}
