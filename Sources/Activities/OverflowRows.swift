import Foundations
import Postgres

/// The rows of `catalogue_overflow`: who sent more than the catalogue takes.
package enum OverflowRows {
    package static func write(
        _ overflows: [ExactText: Overflow], now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        if overflows.isEmpty { return }
        let sorted = overflows.sorted { $0.key < $1.key }
        try connection.execute(
            """
            insert into catalogue_overflow as o (source, events, activity, first_at, last_at)
            select source, events, activity, $4, $4 from unnest($1::text[], $2::bigint[], $3::text[])
                as q(source, events, activity)
            on conflict (source) do update set events = o.events + excluded.events, activity = excluded.activity,
                last_at = excluded.last_at
            """, sorted.map(\.key.text), sorted.map { Int64($0.value.events) }, sorted.map(\.value.activity),
            now,
            context: "noting what the catalogue did not take")
    }
}
