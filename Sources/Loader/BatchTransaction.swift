import Foundations
import Identity
import Postgres

/// Commits a batch in one transaction, and finds the events that no transaction takes.
///
/// As a rule that is one attempt. When the data is at fault, the batch is written again in parts, each behind a
/// savepoint: a part that fails is halved, from left to right, until single events are left; those go into the
/// quarantine with PostgreSQL's error, and everything else is stored in the same transaction.
struct BatchTransaction {
    let positions: PositionStore
    let writer: BatchWriter

    enum Result {
        case committed, positionMoved
        /// Its merges would hold up what comes behind: try fewer events.
        case tooLarge
    }

    /// How often a transaction that met another server's is tried again before the loader pauses. Two servers that learn
    /// at the same time who is who meet on one batch again and again; but each time an id became an alias for ever, so it
    /// comes to an end.
    private static let retries = 30

    func run(
        _ batch: Batch, from begin: LoadPosition, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Result {
        var (isCareful, blamesStale) = (false, false)
        var tries = 0
        while true {
            do throws(PostgresError) {
                return try attempt(batch, from: begin, now: now, connection) { () throws(PostgresError) in
                    try isCareful
                        ? halves(batch, batch.events.indices, blamesStale, connection)
                        : writer.write(batch, batch.events.indices, connection)
                }
            } catch {
                if error.sqlstate == Settler.tooMany { return .tooLarge }
                tries += 1
                // What says each time that a profile was merged meanwhile is no race, but some event that asks for
                // what cannot be: it must not stop all others.
                if error.isStale, tries > Self.retries, !blamesStale {
                    (isCareful, blamesStale) = (true, true)
                } else if error.isDataFault, !isCareful {
                    isCareful = true
                } else if !error.isCollision || tries > Self.retries {
                    throw error
                }
            }
        }
    }

    private func attempt(
        _ batch: Batch, from begin: LoadPosition, now: Timestamp, _ connection: Connection,
        _ write: () throws(PostgresError) -> Void
    ) throws(PostgresError) -> Result {
        batch.reset()
        do throws(PostgresError) {
            try connection.begin(context: "loading")
            if !connection.keeps { try connection.script(Connection.byIndex()) }
            let isOurs = try positions.advance(
                from: begin, to: batch.end, loadedUntil: batch.receivedUntil, now: now, connection)
            if !isOurs {
                try connection.rollback()
                return .positionMoved
            }
            try write()
            try Ledger(batch, instance: positions.instance).write(connection)
            try connection.commit(context: "loading")
            return .committed
        } catch {
            writer.rolledBack()
            if connection.isUsable, connection.isInTransaction { try? connection.rollback() }
            throw error
        }
    }

    /// Writes a range behind a savepoint; halves it when its data is at fault. `blamesStale`: also when a profile was
    /// merged meanwhile, which is a race as a rule, and nobody's fault.
    private func careful(
        _ batch: Batch, _ range: Range<Int>, _ blamesStale: Bool, _ connection: Connection
    ) throws(PostgresError) {
        do throws(PostgresError) {
            try connection.savepoint { () throws(PostgresError) in
                try writer.write(batch, range, connection)
            }
        } catch {
            guard error.isDataFault || blamesStale && error.isStale, !range.isEmpty else { throw error }
            if range.count > 1 { return try halves(batch, range, blamesStale, connection) }
            let isPoison = batch.events[range.lowerBound].refusal?.isPoison ?? false
            if isPoison { throw error }
            batch.events[range.lowerBound].refusal = Poison.refusal(error)
            try careful(batch, range, blamesStale, connection)
        }
    }

    /// The range is known to fail as a whole.
    private func halves(
        _ batch: Batch, _ range: Range<Int>, _ blamesStale: Bool, _ connection: Connection
    ) throws(PostgresError) {
        let middle = range.lowerBound + range.count / 2
        if range.count > 1 { try careful(batch, range.lowerBound..<middle, blamesStale, connection) }
        try careful(batch, middle..<range.upperBound, blamesStale, connection)
    }
}
