import Foundations
import Outbound
import Payload
import Postgres

/// What one attempt came to, and what follows from it.
struct AttemptResult: Sendable {
    let claim: Claimed
    let at: Timestamp
    let milliseconds: Int
    let status: Int?
    let error: String?
    let excerpt: String?
    let decision: RetryPlan.Decision

    var isSuccess: Bool { decision == .sent }

    /// What lists and mails quote.
    struct Answer: Sendable {
        let at: Timestamp
        let status: Int?
        /// Nil: it was a success.
        let error: String?
        let excerpt: String?
    }

    var answer: Answer { Answer(at: at, status: status, error: error, excerpt: excerpt) }

    init(
        _ claim: Claimed, _ result: Result<OutboundResponse, OutboundError>, at: Timestamp,
        webhook: WebhookDefinition
    ) {
        (self.claim, self.at) = (claim, at)
        let outcome: AttemptOutcome
        switch result {
        case .success(let response):
            milliseconds = response.milliseconds
            status = response.status
            let isSuccess = webhook.success.includes(response.status)
            error = isSuccess ? nil : "status \(response.status)"
            excerpt = Self.excerpt(response.body, isSuccess ? 200 : 1000)
            let now = at.adding(microseconds: Int64(response.milliseconds) * 1000)
            outcome = .status(
                response.status, retryAfter: RetryPlan.retryAfter(response.header("retry-after"), now: now))
        case .failure(let failure):
            milliseconds = failure.milliseconds
            status = nil
            error = failure.message
            excerpt = nil
            switch failure.kind {
            case .timeout: outcome = .timeout
            case .unconnected: outcome = .unconnected(milliseconds: failure.milliseconds)
            case .invalid: outcome = .invalid
            case .refused, .unresolved, .tls, .broken, .stopped: outcome = .broken
            }
        }
        decision = RetryPlan.decide(
            outcome, id: claim.id, attempt: claim.attempts + 1, hadExtra: claim.hadExtra, webhook: webhook)
    }

    /// The beginning of an answer as text that every table and terminal can take.
    static func excerpt(_ body: [UInt8], _ limit: Int) -> String? {
        guard !body.isEmpty else { return nil }
        let text = String(decoding: body.prefix(limit), as: UTF8.self)
        let plain = String(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : Character($0) })
        return body.count > limit ? plain + "…" : plain
    }
}

/// Writes results: all that came since the last time, in two statements, with batches in three.
enum ResultStore {
    static func record(
        _ results: [AttemptResult], now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.byIndex("recording attempts") { () throws(PostgresError) in
            try write(results, now: now, connection)
        }
    }

    /// The same within a transaction of `byIndex`.
    static func write(
        _ results: [AttemptResult], now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        guard !results.isEmpty else { return }
        let recorded = try updateDeliveries(results, now, connection)
        try updateMembers(results.filter { recorded.contains($0.claim.id) }, now, connection)
        try insertAttempts(results, connection)
    }

    private static func state(_ decision: RetryPlan.Decision) -> String {
        switch decision {
        case .sent: "sent"
        case .failed: "failed"
        case .retry, .disable: "queued"
        }
    }

    private static func next(_ result: AttemptResult, _ now: Timestamp) -> Timestamp {
        if case .retry(let after, _) = result.decision { return now.adding(microseconds: after) }
        return now
    }

    /// Which were still ours; of the others somebody else decides.
    private static func updateDeliveries(
        _ results: [AttemptResult], _ now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Set<UUID> {
        var extras: [Bool] = []
        for result in results {
            if case .retry(_, let isExtra) = result.decision {
                extras.append(isExtra || result.claim.hadExtra)
            } else {
                extras.append(result.claim.hadExtra)
            }
        }
        let rows = try connection.execute(
            """
            update delivery d set state = q.state, next_at = q.next, extra = q.extra, attempt = q.number,
                finished_at = case when q.state = 'queued' then null else $8::timestamptz end
            from unnest($1::int[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[], $6::bool[], $7::int[])
                as q(bucket, id, fence, state, next, extra, number)
            where d.bucket = q.bucket and d.id = q.id and d.fence = q.fence
                and \(unindexed("d.state = 'queued'"))
            returning d.id
            """, results.map(\.claim.bucket), results.map(\.claim.id), results.map(\.claim.fence),
            results.map { state($0.decision) }, results.map { next($0, now) }, extras,
            results.map { Int32($0.claim.number + 1) }, now, context: "recording attempts")
        return Set((0..<rows.count).map { rows.uuid($0, 0) })
    }

    /// The other members of batches: they are decided with the first.
    private static func updateMembers(
        _ results: [AttemptResult], _ now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let others = results.flatMap { result in
            result.claim.members.filter { $0.id != result.claim.id }.map { ($0, result) }
        }
        guard !others.isEmpty else { return }
        try connection.execute(
            """
            update delivery d set state = q.state, attempt = q.number,
                next_at = case when d.ordered then q.next else d.next_at end,
                finished_at = case when q.state = 'batched' then null else $6::timestamptz end
            from unnest($1::int[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $7::timestamptz[])
                as q(bucket, id, batch, state, number, next)
            where d.bucket = q.bucket and d.id = q.id and d.batch_id = q.batch and d.state = 'batched'
            """, others.map(\.0.bucket), others.map(\.0.id), others.map(\.1.claim.batch),
            others.map { state($0.1.decision) == "queued" ? "batched" : state($0.1.decision) },
            others.map { Int32($0.1.claim.number + 1) }, now, others.map { next($0.1, now) },
            context: "recording attempts of batches")
    }

    private static func insertAttempts(
        _ results: [AttemptResult], _ connection: Connection
    ) throws(PostgresError) {
        let rows = results.flatMap { result in
            let members = result.claim.members
            let own = Claimed.Member(bucket: result.claim.bucket, id: result.claim.id)
            return (members.isEmpty ? [own] : members).map { ($0, result) }
        }
        try connection.execute(
            """
            insert into attempt (bucket, delivery_id, number, at, milliseconds, status, error, excerpt)
            select * from unnest($1::int[], $2::uuid[], $3::int[], $4::timestamptz[], $5::int[], $6::int[],
                $7::text[], $8::text[])
            on conflict (bucket, delivery_id, number) do nothing
            """, rows.map(\.0.bucket), rows.map(\.0.id), rows.map { Int32($0.1.claim.number + 1) },
            rows.map(\.1.at), rows.map { Int32(clamping: $0.1.milliseconds) },
            rows.map { $0.1.status.map { Int32(clamping: $0) } }, rows.map(\.1.error), rows.map(\.1.excerpt),
            context: "recording attempts")
    }
}
