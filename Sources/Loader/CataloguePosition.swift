import Foundations
import Postgres
import Spool

/// This spool's row in `catalogue_position`: up to where it is in the catalogue, moved with what was learnt.
struct CataloguePosition {
    let instance: UUID
    let epoch: UUID

    /// Where to go on; makes the row when this spool is new to the catalogue.
    func read(_ now: Timestamp, _ connection: Connection) throws(PostgresError) -> Position {
        try connection.execute(
            """
            insert into catalogue_position (instance, epoch, position, flushed_at) values ($1, $2, 0, $3)
            on conflict (instance, epoch) do nothing
            """, instance, epoch, now)
        let rows = try connection.execute(
            "select position from catalogue_position where instance = $1 and epoch = $2", instance, epoch)
        return Position(rawValue: rows.int8(0, 0))
    }

    /// A flush's first statement. False: somebody moved it, or the database is an older state of itself; read again.
    ///
    /// What is in the catalogue is in the table `event`, also after both went back to a moment ago.
    func advance(
        from old: Position, to new: Position, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        let rows = try connection.execute(
            """
            update catalogue_position c set position = $4, flushed_at = $5
            where instance = $1 and epoch = $2 and position = $3 and exists (
                select from spool_position s where s.instance = $1 and s.epoch = $2 and s.position >= $4)
            """, instance, epoch, old.rawValue, new.rawValue, now, context: "moving the catalogue's position")
        return rows.affected == 1
    }

    /// From where on a rebuild that is under way needs this spool; nil: there is none.
    func pinned(_ now: Timestamp, _ connection: Connection) throws(PostgresError) -> Position? {
        let rows = try connection.execute(
            "select (rebuild_from ->> $1)::bigint from catalogue_state where rebuild_at > $2",
            "\(instance)/\(epoch)", now.adding(seconds: -60))
        return rows.count == 0 || rows.isNull(0, 0) ? nil : Position(rawValue: rows.int8(0, 0))
    }

    /// Steps over what the spool has no longer, and remembers that something is missing.
    func skip(
        from old: Position, to new: Position, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            """
            update catalogue_position set position = $4, flushed_at = $5, gap_at = $5
            where instance = $1 and epoch = $2 and position = $3
            """, instance, epoch, old.rawValue, new.rawValue, now)
    }
}
