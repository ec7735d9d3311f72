import Foundations
import Postgres

/// Writes how webhooks fared since the last time.
enum TallyStore {
    static func write(
        _ tallies: [(name: String, tally: Lane.Tally)], _ connection: Connection
    ) throws(PostgresError) {
        guard !tallies.isEmpty else { return }
        try connection.execute(
            """
            update webhook w set failures = w.failures + q.failures,
                failing_since = case when q.had_success then q.since else coalesce(w.failing_since, q.since) end,
                last_success_at = coalesce(q.success_at, w.last_success_at),
                last_status = q.status, last_error = q.error, last_excerpt = q.excerpt,
                last_failure_at = coalesce(q.failure_at, w.last_failure_at),
                failure_status = case when q.failure_at is null then w.failure_status else q.failure_status end,
                failure_error = case when q.failure_at is null then w.failure_error else q.failure_error end,
                failure_excerpt = case when q.failure_at is null then w.failure_excerpt else q.failure_excerpt end
            from unnest($1::text[], $2::bigint[], $3::bool[], $4::timestamptz[], $5::timestamptz[],
                $6::int[], $7::text[], $8::text[], $9::timestamptz[], $10::int[], $11::text[], $12::text[])
                as q(name, failures, had_success, since, success_at, status, error, excerpt,
                    failure_at, failure_status, failure_error, failure_excerpt)
            where w.name = q.name
            """, tallies.map(\.name), tallies.map(\.tally.failures), tallies.map(\.tally.hadSuccess),
            tallies.map(\.tally.failingSince), tallies.map(\.tally.lastSuccessAt),
            tallies.map { $0.tally.last?.status.map { Int32(clamping: $0) } },
            tallies.map(\.tally.last?.error), tallies.map(\.tally.last?.excerpt),
            tallies.map(\.tally.lastFailure?.at),
            tallies.map { $0.tally.lastFailure?.status.map { Int32(clamping: $0) } },
            tallies.map(\.tally.lastFailure?.error), tallies.map(\.tally.lastFailure?.excerpt),
            context: "noting how webhooks fare")
    }
}

/// What the sender counts.
package final class SenderMetrics: Sendable {
    package let claimed = Counter()
    package let sent = Counter()
    package let failed = Counter()
    /// From the beginning of a request to its answer.
    package let latency = Histogram()
    /// From the queueing of a delivery to its first attempt is in the tables: `attempt.at - delivery.created_at`.
    package init() {}

    func count(_ result: AttemptResult) {
        (result.isSuccess ? sent : failed).add()
        latency.record(microseconds: result.milliseconds * 1000)
    }
}
