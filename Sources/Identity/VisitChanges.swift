import Foundations
import Postgres

/// What is to be written after the state machine has decided: visits, and the server's own events.
struct VisitChanges: ~Copyable {
    private var columns = VisitColumns()
    private var starting: [ServerEvent] = []
    private var moving: [ServerEvent] = []
    private var leaving: [ServerEvent] = []

    /// Takes the visits of a group's session in, compared with their rows.
    mutating func add(_ visits: Visits, _ group: VisitGroup, _ stored: [VisitRow]) {
        let latest = visits.latest?.number
        for visit in visits.all where !visit.isNothing {
            let before = stored.first { $0.visit.number == visit.number }
            var row =
                before
                ?? VisitRow(
                    visit, source: group.source, profile: group.profile, startReceivedAt: group.receivedAt)
            row.visit = visit
            row.isLast = visit.number == latest
            add(&row, group.session)
            if visit.isChanged || row.isLast != before?.isLast {
                columns.append(row, bucket: group.bucket, session: group.session)
            }
        }
    }

    private mutating func add(_ row: inout VisitRow, _ session: Bytes) {
        let visit = row.visit
        if visit.startsAnew || visit.startMoves || visit.startGoes {
            let start = ServerEvent(.start, of: row, session: session, receivedAt: row.startReceivedAt)
            if visit.startsAnew { starting.append(start) }
            if visit.startMoves { moving.append(start) }
            if visit.startGoes { leaving.append(start) }
        }
        if visit.endGoes, let receivedAt = row.endReceivedAt {
            leaving.append(ServerEvent(.end, of: row, session: session, receivedAt: receivedAt))
            row.endReceivedAt = nil
        }
    }

    func write(silence: Int64, _ connection: Connection) throws(PostgresError) {
        try columns.write(silence: silence, connection)
        try ServerEventStore.withdraw(leaving, connection)
        try ServerEventStore.move(moving, connection)
        try ServerEventStore.insert(starting, connection)
    }
}
