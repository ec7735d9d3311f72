import Foundations
import Postgres

/// Asks the table `event` which of some events are stored: for ranges of the spool that an earlier process loaded.
struct StoredEvents {
    private var ids: [UUID] = []
    private var from: Timestamp?
    private var until: Timestamp?
    private var found: Set<UUID> = []
    private var replays: [UUID] = []
    private var replayed: Set<UUID> = []
    private var properties: [UUID: [UInt8]] = [:]

    /// Notes an event; nothing is known of it before `look`.
    mutating func add(_ id: UUID, receivedAt: Timestamp, isReplay: Bool) {
        if isReplay { return replays.append(id) }
        ids.append(id)
        from = min(from ?? receivedAt, receivedAt)
        until = max(until ?? receivedAt, receivedAt)
    }

    /// Finds them by the time of their arrival, for which there is an index of a few pages. Events of frozen
    /// activities are fetched as they are stored: something may have been dropped from them.
    mutating func look(frozen: [String], _ connection: Connection) throws(PostgresError) {
        try lookForReplays(connection)
        guard let from, let until else { return }
        let rows = try connection.execute(
            """
            select id, case when activity = any($4::text[]) then properties end from event
            where received_at between $1 and $2 and id = any($3::uuid[])
            """, from, until, ids, frozen, context: "looking which events are stored")
        for i in 0..<rows.count {
            found.insert(rows.uuid(i, 0))
            if !rows.isNull(i, 1) { properties[rows.uuid(i, 0)] = Array(rows.json(i, 1)) }
        }
    }

    /// An event that was quarantined and replayed is stored by its replay, and by nothing else.
    private mutating func lookForReplays(_ connection: Connection) throws(PostgresError) {
        let all = ids + replays
        if all.isEmpty { return }
        let rows = try connection.execute(
            "select id from replay where outcome = 'stored' and id = any($1::uuid[])", all,
            context: "looking which events were replayed")
        for i in 0..<rows.count { replayed.insert(rows.uuid(i, 0)) }
    }

    func exception(of id: UUID, isReplay: Bool) -> LoadOutcomes.Exception? {
        if isReplay != replayed.contains(id) { return .absent }
        if isReplay { return nil }
        if let properties = properties[id] { return .changed(properties) }
        return found.contains(id) ? nil : .absent
    }
}
