import Activities
import Foundations
import Postgres
import Spool

/// A cataloguer's standing between two flushes: where it reads, what it learnt, and up to where the database has it.
final class CatalogueState {
    private let reader: CatalogueReader
    private let delta: CatalogueDelta
    private var store: CatalogueStore
    private var committed: Position

    struct Result {
        var merged = CatalogueStore.Result()
        var events = 0
        var oldest: Timestamp?
    }

    init(_ reader: CatalogueReader, limits: SummaryLimits, activities: Int) {
        self.reader = reader
        committed = reader.position
        delta = CatalogueDelta(limits: limits)
        store = CatalogueStore(limits: limits, activities: activities)
    }

    var position: Position { reader.position }
    var isFull: Bool { delta.isFull }
    /// There is nothing to flush.
    var isClean: Bool { position == committed }

    /// Learns from the next records; false: there are none yet.
    func step(_ connection: Connection) throws -> Bool { try reader.step(into: delta, connection) }

    /// Commits what was learnt, with the position. Nil: the database is not where we left it.
    func flush(
        _ positions: CataloguePosition, now: Timestamp, _ connection: Connection
    ) throws -> Result? {
        do {
            return try commit(positions, now: now, connection) {
                try store.merge(delta.all, now: now, connection)
            }
        } catch let error as PostgresError where !error.isDataFault {
            throw error
        } catch {
            // One activity spoils it: the others are learnt.
            return try commit(positions, now: now, connection) { try mergeEach(now, connection) }
        }
    }

    private func commit(
        _ positions: CataloguePosition, now: Timestamp, _ connection: Connection,
        _ merge: () throws -> CatalogueStore.Result
    ) throws -> Result? {
        try connection.begin(context: "writing the catalogue")
        do {
            guard try positions.advance(from: committed, to: position, now: now, connection) else {
                try connection.rollback()
                return nil
            }
            let result = Result(merged: try merge(), events: delta.events, oldest: delta.oldest)
            try OverflowRows.write(result.merged.overflows, now: now, connection)
            try connection.commit(context: "writing the catalogue")
            committed = position
            delta.clear()
            return result
        } catch {
            if connection.isUsable, connection.isInTransaction { try? connection.rollback() }
            throw error
        }
    }

    /// Each activity behind a savepoint of its own.
    private func mergeEach(_ now: Timestamp, _ connection: Connection) throws -> CatalogueStore.Result {
        var all = CatalogueStore.Result()
        for item in delta.all {
            var failure: (any Error)?
            do throws(PostgresError) {
                try connection.savepoint { () throws(PostgresError) in
                    do {
                        all.add(try store.merge([item], now: now, connection))
                    } catch let error as PostgresError {
                        throw error
                    } catch {
                        failure = error
                    }
                }
            } catch {
                guard error.isDataFault else { throw error }
                failure = error
            }
            if failure != nil { all.overflow(item, of: item.source) }
        }
        return all
    }
}
