import Foundations
import Payload
import Postgres

/// Rows of `activity` that are written again, all in one statement.
struct ActivityUpdates: ~Copyable {
    private var keys: [String] = []
    private var labels: [String] = []
    private var events: [Int64] = []
    private var parameters: [Int32] = []
    private var sources: [String] = []
    private var first: [Timestamp] = []
    private var last: [Timestamp] = []
    private var rates: [Double?] = []
    private var shapes: [Int64] = []
    private var summaries = ArrayColumn(of: ByteString.self)
    private var bytes = ByteBuffer(capacity: 16 << 10)

    mutating func add(_ key: ExactText, _ summary: ActivitySummary, _ shape: ViewShape) {
        keys.append(key.text)
        labels.append(summary.label)
        events.append(Int64(summary.count))
        parameters.append(Int32(shape.parameters))
        var names = JSONWriter()
        names.array { list in for source in summary.sources { list.element(source.name) } }
        sources.append(names.text)
        first.append(summary.first?.receivedAt ?? Timestamp(microseconds: 0))
        last.append(summary.last?.receivedAt ?? Timestamp(microseconds: 0))
        rates.append(summary.rate)
        shapes.append(shape.number)
        bytes.removeAll()
        summary.encode(to: &bytes)
        summaries.append(ByteString(bytes.bytes))
    }

    consuming func write(_ connection: Connection) throws(PostgresError) {
        if keys.isEmpty { return }
        var values = Parameters()
        values.append(keys)
        values.append(labels)
        values.append(events)
        values.append(parameters)
        values.append(sources)
        values.append(first)
        values.append(last)
        values.append(rates)
        values.append(shapes)
        values.append(summaries)
        try connection.execute(
            """
            update activity a set label = q.label, events = q.events, parameters = q.parameters,
                sources = array(select jsonb_array_elements_text(q.sources::jsonb)), first_seen_at = q.first,
                last_seen_at = q.last, rate = q.rate, shape = q.shape, summary = q.summary
            from unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::text[], $6::timestamptz[],
                $7::timestamptz[], $8::float8[], $9::bigint[], $10::bytea[])
                as q(key, label, events, parameters, sources, first, last, rate, shape, summary)
            where a.key = q.key
            """, with: values, context: "writing activities")
    }
}
