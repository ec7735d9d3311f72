import Foundations
import Payload
import Postgres

/// How servers divide the replays that are asked for: each claims some rows for a while, and another one may claim
/// them when they are not done by then.
///
/// It is for thrift only. Two servers that replay the same event do no harm, since the loader that comes first takes
/// the row. All times are the database's, so the servers' clocks may differ, or jump.
struct ReplayClaims {
    struct Claim: Equatable {
        let id: UUID
        /// Of the payload's text.
        let bytes: Int
    }

    let instance: UUID
    /// How long a server may take, in seconds.
    static let lease: Int64 = 60

    /// Gives back what this server claimed and does not work on: all of it, when nothing of it is in its spool.
    func release(_ connection: Connection) throws(PostgresError) {
        try connection.execute(
            """
            update quarantine set claimed_at = null, claimed_by = null
            where requested_at is not null and claimed_by = $1
            """, instance, context: "releasing replays")
    }

    func release(_ ids: [UUID], _ connection: Connection) throws(PostgresError) {
        try connection.execute(
            """
            update quarantine set claimed_at = null, claimed_by = null
            where id = any($1::uuid[]) and requested_at is not null and claimed_by = $2
            """, ids, instance, context: "releasing replays")
    }

    /// Claims what was asked for first. Asking whether there is anything costs next to nothing.
    func take(_ most: Int, _ connection: Connection) throws(PostgresError) -> [Claim] {
        let found = try connection.execute(
            "select now(), exists (select 1 from quarantine where requested_at is not null and journey is null)",
            context: "looking for replays")
        guard found.bool(0, 1) else { return [] }
        let now = found.timestamp(0, 0)
        // A claim of the future is one of a database whose clock was set back. Our own are given back by `release`.
        let rows = try connection.execute(
            """
            update quarantine q set claimed_at = $1, claimed_by = $2
            where q.id in (
                    select id from quarantine
                    where requested_at is not null and journey is null and (claimed_at is null
                        or (claimed_at not between $3 and $4 and claimed_by <> $2))
                    order by requested_at, id limit $5)
                and q.requested_at is not null and (q.claimed_at is null
                    or (q.claimed_at not between $3 and $4 and q.claimed_by <> $2))
            returning q.id, octet_length(q.payload::text)
            """, now, instance, now.adding(seconds: -Self.lease), now.adding(seconds: Self.lease),
            Int64(most), context: "claiming replays")
        return (0..<rows.count).map { Claim(id: rows.uuid($0, 0), bytes: rows.int($0, 1)) }
            .sorted { $0.id < $1.id }
    }

    /// The claimed events that are still asked for, in the order in which they came.
    func read(_ ids: [UUID], _ connection: Connection) throws(PostgresError) -> [QuarantinedEvent] {
        let rows = try connection.execute(
            """
            select q.id, q.received_at, q.instance, q.task, q.source, q.payload, q.is_wrapped, q.client_time,
                q.session_id, q.sent_profile, q.user_agent, q.context, q.sent_at, q.profile_id, q.basis, q.flags,
                s.id is not null, s.profile_id is not null
            from quarantine q left join session s on s.bucket = bucket_of(q.session_id) and s.id = q.session_id
            where q.id = any($1::uuid[]) and q.requested_at is not null order by q.received_at, q.id
            """, ids, context: "reading replays")
        return (0..<rows.count).map { Self.event(rows, $0) }
    }

    private static func event(_ rows: Rows, _ row: Int) -> QuarantinedEvent {
        let original = Submission.Original(
            instance: rows.uuid(row, 2), receivedAt: rows.timestamp(row, 1))
        var event = QuarantinedEvent(
            id: rows.uuid(row, 0), original: original, task: rows.uuid(row, 3), source: rows.string(row, 4),
            payload: rows.json(row, 5).text)
        event.isWrapped = rows.bool(row, 6)
        event.said = rows.timestampOrNil(row, 7)
        event.session = rows.stringOrNil(row, 8) ?? ""
        event.sentProfile = rows.stringOrNil(row, 9) ?? ""
        event.userAgent = rows.stringOrNil(row, 10) ?? ""
        event.sentAt = rows.timestampOrNil(row, 12)
        event.profile = rows.uuidOrNil(row, 13)
        event.basis = Submission.Basis(rawValue: UInt8(clamping: rows.int2(row, 14))) ?? .none
        event.flags = Submission.Flags(rawValue: UInt8(clamping: rows.int2(row, 15)))
        // The session has gone on since: it is not set back to what it was when this event came.
        let (isKnown, isBound) = (rows.bool(row, 16), rows.bool(row, 17))
        if !isKnown, !rows.isNull(row, 11) { event.context = rows.json(row, 11).text }
        if isBound || (isKnown && event.profile == nil) { event.flags.remove(.saveSession) }
        return event
    }
}
