import Foundations
import Postgres

/// What was too much for one of the loader's transactions, a part at a time, and what is over.
///
/// Any number of servers may do it at once: every part can be done twice.
enum Chores {
    struct Chore {
        let bucket: Int32
        let kind: String
        let key: String
    }

    static func open(_ connection: Connection) throws(PostgresError) -> [Chore] {
        let rows = try connection.execute("select bucket, kind, key from chore order by created_at limit 20")
        return (0..<rows.count).map {
            Chore(bucket: rows.int4($0, 0), kind: rows.string($0, 1), key: rows.string($0, 2))
        }
    }

    static func close(_ chore: Chore, _ connection: Connection) throws(PostgresError) {
        try connection.execute(
            "delete from chore where bucket = $1 and kind = $2 and key = $3", chore.bucket, chore.kind,
            chore.key)
    }

    /// Locks a person; nil: it was merged meanwhile, or is not there.
    static func lock(_ id: UUID, _ connection: Connection) throws(PostgresError) -> UUID? {
        let now = try connection.execute("select person_of($1)", id).uuid(0, 0)
        let rows = try connection.execute(
            "select id from profile where bucket = $1 and id = $2 for update", now.bucket, now)
        if rows.isEmpty { return nil }
        let after = try connection.execute("select person_of($1)", now).uuid(0, 0)
        return after == now ? now : nil
    }

    /// Points some of a merged profile's aliases and identities at who it is now. True: that was all.
    static func shorten(_ loser: UUID, _ connection: Connection) throws(PostgresError) -> Bool {
        guard let person = try lock(loser, connection), person != loser else { return true }
        let aliases = try connection.execute(
            """
            update alias a set profile_id = $1
            from (select bucket, id from alias where profile_id = $2 order by bucket, id limit $3) as o
            where a.bucket = o.bucket and a.id = o.id
            """, person, loser, IdentityStore.mostPointed)
        let identities = try connection.execute(
            """
            update identity i set profile_id = $1
            from (select bucket, kind, value from identity where profile_id = $2 order by 1, 2, 3 limit $3) as o
            where i.bucket = o.bucket and i.kind = o.kind and i.value = o.value
            """, person, loser, IdentityRows.mostMoved)
        return aliases.affected < IdentityStore.mostPointed && identities.affected < IdentityRows.mostMoved
    }

    /// Events that waited in vain wait no more; how many there were.
    static func expire(at now: Timestamp, _ connection: Connection) throws(PostgresError) -> Int {
        try connection.execute(
            """
            delete from waiting w
            using (select bucket, kind, value, event_id from waiting where until < $1 order by until limit 1000) as o
            where w.bucket = o.bucket and w.kind = o.kind and w.value = o.value and w.event_id = o.event_id
            """, now
        ).affected
    }

    /// Forgets what was kept for others to look at.
    static func forget(at now: Timestamp, _ connection: Connection) throws(PostgresError) {
        let day: Int64 = 86_400
        try connection.execute(
            """
            delete from attached a
            using (select bucket, event_id from attached where attached_at < $1 order by attached_at limit 1000) as o
            where a.bucket = o.bucket and a.event_id = o.event_id
            """, now.adding(seconds: -7 * day))
        try connection.execute(
            """
            delete from told t
            using (select bucket, event_id from told where told_at < $1 order by told_at limit 1000) as o
            where t.bucket = o.bucket and t.event_id = o.event_id
            """, now.adding(seconds: -90 * day))
        try connection.execute(
            """
            delete from lookup l using (select bucket, event_id from lookup where state <> 'queued'
                and created_at < case when state = 'failed' then $2::timestamptz else $1::timestamptz end limit 1000) as o
            where l.bucket = o.bucket and l.event_id = o.event_id
            """, now.adding(seconds: -day), now.adding(seconds: -30 * day))
    }
}
