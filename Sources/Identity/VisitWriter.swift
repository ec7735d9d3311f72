import Foundations
import Postgres

/// Writes what stored events mean for their sessions' visits, inside the loader's transaction.
///
/// Sessions whose events only let the latest visit grow, nearly all of them, cost a row of one statement a batch.
/// The others are settled one step more carefully: their row is locked, the visits around are read and locked, the
/// state machine decides (`Visits`), and the visits and the server's own events are written.
package final class VisitWriter {
    private let cache: SessionCache
    private let store: VisitStore
    private let silence: Int64
    private var finder = PageFinder()
    /// What is so once the transaction is committed.
    private var learnt: [(session: [UInt8], latest: Int32, started: Started)] = []

    /// What began with a transaction.
    package struct Started {
        package var visits = 0
        /// Sessions that are a program's.
        package var bots = 0
        package init() {}
    }

    /// `silence`: in microseconds.
    package init(cache: SessionCache, silence: Int64) {
        (self.cache, self.silence) = (cache, silence)
        store = VisitStore(silence: silence)
    }

    /// The events of a batch, or of a part of it, that are stored and whose sessions have rows.
    package func write(_ events: [VisitEvent], _ connection: Connection) throws(PostgresError) {
        let groups = grouped(events).sorted { $0.precedes($1) }
        let plain = groups.indices.filter { groups[$0].number > 0 && groups[$0].runs.count == 1 }
        let growing = plain.map { i in
            let group = groups[i]
            return (group.session, group.bucket, group.number, finder.run(of: group, 0, wantsEntry: false))
        }
        let grown = Set(try store.grow(growing, connection).map { plain[$0] })
        let rest = groups.indices.filter { !grown.contains($0) }.map { groups[$0] }
        if !rest.isEmpty { try settle(rest, connection) }
    }

    /// Call after the commit; what began.
    package func committed(at now: Timestamp) -> Started {
        var started = Started()
        for visit in learnt {
            visit.session.withUnsafeBytes { cache.remember(session: $0, visit: visit.latest, now: now) }
            started.visits += visit.started.visits
            started.bots += visit.started.bots
        }
        learnt.removeAll(keepingCapacity: true)
        return started
    }

    /// How much was learnt since the last commit.
    package var mark: Int { learnt.count }

    /// Call after a rollback: what was learnt since that mark is not so. 0: all of it.
    package func rolledBack(to mark: Int) { learnt.removeSubrange(mark...) }

    // MARK: Steps

    private func grouped(_ events: [VisitEvent]) -> [VisitGroup] {
        var groups: [VisitGroup] = []
        var index: [BytesKey: Int] = [:]
        for event in events {
            // A request's events come together.
            if let last = groups.last, last.session.equals(event.session) {
                groups[groups.count - 1].events.append(event)
            } else if let known = index[BytesKey(bytes: event.session)] {
                groups[known].events.append(event)
            } else {
                index[BytesKey(bytes: event.session)] = groups.count
                groups.append(VisitGroup(event, number: cache.visit(ofSession: event.session)))
            }
        }
        for i in groups.indices { groups[i].split(silence: silence) }
        return groups
    }

    private func settle(_ groups: [VisitGroup], _ connection: Connection) throws(PostgresError) {
        let strangers = groups.filter { !$0.isLocked }.map { (session: $0.session, bucket: $0.bucket) }
        try store.lock(strangers, connection)
        let found = try store.read(groups.map(\.question), connection)
        var changes = VisitChanges()
        var reopened: [(session: Bytes, bucket: Int32)] = []
        for (group, found) in zip(groups, found) {
            var visits = Visits(silence: silence, stored: found.rows.map(\.visit), given: found.given)
            for i in group.runs.indices { visits.take(finder.run(of: group, i, wantsEntry: true)) }
            changes.add(visits, group, found.rows)
            if found.given > 0 { reopened.append((session: group.session, bucket: group.bucket)) }
            var started = Started()
            started.visits = visits.all.count { $0.startsAnew }
            if found.given == 0, UserAgent(group.userAgent).bot != nil { started.bots = 1 }
            learnt.append(
                (session: Array(group.session), latest: Int32(visits.latest?.number ?? 0), started: started))
        }
        try store.reopen(reopened, connection)
        try changes.write(silence: silence, connection)
    }
}
