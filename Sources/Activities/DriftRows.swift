import Foundations
import Postgres

/// New entries of the table `drift`.
struct DriftRows: ~Copyable {
    private var activities: [Int32] = []
    private var entries: [DriftEntry] = []

    /// So many of an activity are kept, the newest.
    private static let most = 1000

    var count: Int { entries.count }

    mutating func add(_ new: [DriftEntry], activity: Int) {
        for entry in new.suffix(Self.most) {
            activities.append(Int32(activity))
            entries.append(entry)
        }
    }

    consuming func write(foundAt now: Timestamp, _ connection: Connection) throws(PostgresError) {
        if entries.isEmpty { return }
        var values = Parameters()
        values.append(activities)
        values.append(entries.map { $0.path?.text })
        values.append(entries.map(\.change.rawValue))
        values.append(entries.map { $0.from?.name })
        values.append(entries.map { $0.to?.name })
        values.append(entries.map { $0.nearest?.text })
        values.append(entries.map(\.event.id))
        values.append(entries.map(\.event.receivedAt))
        values.append(entries.map(\.event.source))
        values.append(entries.map(\.event.client))
        values.append(now)
        try connection.execute(
            """
            insert into drift (activity, found_at, path, change, "from", "to", nearest, event, event_at, source, client)
            select activity, $11, path, change, f, t, nearest, event, at, source, client
            from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[],
                $8::timestamptz[], $9::text[], $10::text[]) with ordinality
                as q(activity, path, change, f, t, nearest, event, at, source, client, place)
            where not exists (
                select from drift d where d.activity = q.activity and d.path is not distinct from q.path
                    and d.change = q.change and d.event = q.event)
            order by place
            """, with: values, context: "writing the history")
        try connection.execute(
            """
            delete from drift d using (
                select activity, id from (
                    select activity, id, row_number() over (partition by activity order by id desc) as place
                    from drift where activity = any($1::int[])) as numbered
                where place > $2) as old
            where d.activity = old.activity and d.id = old.id
            """, Array(Set(activities)).sorted(), Int64(Self.most), context: "shortening the history")
    }
}
