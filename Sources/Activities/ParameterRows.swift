import Foundations
import Payload
import Postgres

/// The rows of the table `parameter`: what is known, spelled out for SQL.
enum ParameterRows {
    /// Writes all parameters of an activity anew.
    static func write(
        _ parameters: [ParameterSummary], of activity: Int, view: TypedView?, _ connection: Connection
    ) throws(PostgresError) {
        let all = parameters.map { parameter in
            ParameterListing(parameter, column: view?.column(for: [ViewStep](parameter.path))?.name)
        }
        try connection.execute(
            "delete from parameter where activity = $1 and number >= $2", Int32(activity), Int32(all.count))
        if all.isEmpty { return }
        var values = Parameters()
        values.append(Int32(activity))
        values.append(all.indices.map { Int32($0) })
        values.append(all.map(\.path))
        values.append(all.map(\.column))
        values.append(all.map(Self.types))
        values.append(all.map { json($0.personal) })
        values.append(all.map { Int64($0.events ?? 0) })
        values.append(all.map(\.presence))
        values.append(all.map(\.missing))
        values.append(all.map(\.minimum))
        values.append(all.map(\.maximum))
        values.append(all.map(\.mean))
        values.append(all.map { ($0.textLength ?? $0.arrayLength).map { Int64($0.lowerBound) } })
        values.append(all.map { ($0.textLength ?? $0.arrayLength).map { Int64($0.upperBound) } })
        values.append(all.map { $0.distinct.map { Int64($0) } })
        values.append(all.map(\.isDistinctExact))
        values.append(all.map { json($0.samples) })
        values.append(parameters.map(\.first.receivedAt))
        values.append(parameters.map(\.last.receivedAt))
        values.append(parameters.map(\.first.id))
        values.append(parameters.map(\.first.source))
        values.append(parameters.map(\.first.client))
        try connection.execute(Self.statement, with: values, context: "spelling parameters out")
    }

    private static let statement = """
        insert into parameter as p (activity, number, path, "column", types, personal, events, presence, share_missing,
            minimum, maximum, mean, shortest, longest, distinct_values, is_exact, samples, first_seen_at, last_seen_at,
            first_event, first_source, first_client)
        select $1, number, path, col, types::jsonb, array(select jsonb_array_elements_text(personal::jsonb)), events,
            presence, missing, least::numeric, most::numeric, mean::numeric, shortest, longest, different, exact,
            samples::jsonb, seen, last, event, source, client
        from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::float8[],
            $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bool[],
            $17::text[], $18::timestamptz[], $19::timestamptz[], $20::uuid[], $21::text[], $22::text[])
            as q(number, path, col, types, personal, events, presence, missing, least, most, mean, shortest, longest,
                different, exact, samples, seen, last, event, source, client)
        on conflict (activity, number) do update set path = excluded.path, "column" = excluded."column",
            types = excluded.types, personal = excluded.personal, events = excluded.events,
            presence = excluded.presence, share_missing = excluded.share_missing, minimum = excluded.minimum,
            maximum = excluded.maximum, mean = excluded.mean, shortest = excluded.shortest,
            longest = excluded.longest, distinct_values = excluded.distinct_values, is_exact = excluded.is_exact,
            samples = excluded.samples, first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at,
            first_event = excluded.first_event, first_source = excluded.first_source,
            first_client = excluded.first_client
        """

    private static func types(_ parameter: ParameterListing) -> String {
        var json = JSONWriter()
        json.object { json in for type in parameter.types { json.member(type.name, type.count) } }
        return json.text
    }

    private static func json(_ texts: [String]) -> String {
        var json = JSONWriter()
        json.array { json in for text in texts { json.element(text) } }
        return json.text
    }
}
