import Foundations
import Postgres

/// The partitions of `event`, one for each day of arrival (UTC): made and attached ahead of time, never inside
/// of the loader's transaction.
struct Partitions {
    private static let ahead = 7
    private var known: Set<Int64> = []

    /// Makes the days that a batch needs, and on the first call of a day the week ahead.
    mutating func ensure(_ days: Set<Int64>, today: Int64, _ connection: Connection) throws(PostgresError) {
        var wanted = days.subtracting(known)
        if !known.contains(today + Int64(Self.ahead)) { wanted.formUnion(today...today + Int64(Self.ahead)) }
        for day in wanted.subtracting(known).sorted() {
            try make(day, connection)
            known.insert(day)
        }
    }

    /// Another database, or an older state of it.
    mutating func forget() { known.removeAll() }

    /// A table of its own is made and then attached, which takes a light lock only; the advisory lock keeps
    /// servers from making the same one at once.
    private func make(_ day: Int64, _ connection: Connection) throws(PostgresError) {
        let (from, to) = (CivilDate(daysSince1970: Int(day)), CivilDate(daysSince1970: Int(day) + 1))
        let name = "event_" + from.description.filter { $0 != "-" }
        try connection.transaction(context: "making the partition \(name)") { () throws(PostgresError) in
            try connection.execute("select pg_advisory_xact_lock(7265, 1)")
            let there = try connection.execute("select to_regclass($1) is not null", name)
            if there.bool(0, 0) { return }
            try connection.script("set local lock_timeout = '5s'")
            try connection.script(
                "create table \(name) (like event including defaults including constraints)")
            try connection.script(
                """
                alter table event attach partition \(name)
                for values from ('\(from) 00:00:00+00') to ('\(to) 00:00:00+00')
                """)
        }
    }
}
