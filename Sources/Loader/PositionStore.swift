import Foundations
import Postgres
import Spool

/// This spool's row in `spool_position`: how far it is loaded, agreed on in the transaction that loads.
struct PositionStore {
    let instance: UUID
    let epoch: UUID
    let host: String

    /// Where to go on; makes the row when this spool is new to the database. Nothing is known to be loaded then, not
    /// even what arrived before the database did.
    func read(_ now: Timestamp, _ connection: Connection) throws(PostgresError) -> LoadPosition {
        try connection.execute(
            """
            insert into spool_position (instance, epoch, position, part, loaded_until, alive_at, host)
            values ($1, $2, 0, 0, to_timestamp(0), $3, $4) on conflict (instance, epoch) do nothing
            """, instance, epoch, now, host)
        let rows = try connection.execute(
            "select position, part from spool_position where instance = $1 and epoch = $2", instance, epoch)
        return LoadPosition(record: Position(rawValue: rows.int8(0, 0)), part: rows.int(0, 1))
    }

    /// The loader's first statement. False: somebody else was there; stop, and read again.
    ///
    /// - Parameter loadedUntil: Whatever is not loaded then was, or will be, received at this time or later. Nil: no
    ///   more is known than before.
    func advance(
        from old: LoadPosition, to new: LoadPosition, loadedUntil: Timestamp?, now: Timestamp,
        _ connection: Connection
    ) throws(PostgresError) -> Bool {
        let rows = try connection.execute(
            """
            update spool_position set position = $4, part = $5, loaded_until = greatest(loaded_until, $6), alive_at = $7
            where instance = $1 and epoch = $2 and position = $3 and part = $8
            """, instance, epoch, old.record.rawValue, new.record.rawValue, Int32(new.part), loadedUntil, now,
            Int32(old.part))
        return rows.affected == 1
    }
}
