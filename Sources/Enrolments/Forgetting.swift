import Foundations
import Postgres
import Webhooks

/// What journeys need no more: old lines of the trace, enrolments that ended long ago, and deliveries (after 14 days).
package enum Forgetting {
    /// Seconds.
    package static let kept: Int64 = 90 * 86_400
    /// For so long behind its end late events may still ask for what is open.
    private static let lapsed: Int64 = 86_400

    /// Bucket by bucket. Of each subject, journey and key the last enrolment stays: it decides whether there may be
    /// another one, and its number.
    package static func forget(at now: Timestamp, _ connection: Connection) throws(PostgresError) -> Int {
        try WebhookStore.forget(at: now, connection)
        let oldest = now.adding(seconds: -kept)
        var count = 0
        for bucket in Int32(0)..<4096 {
            count += try connection.execute(
                "delete from decision where bucket = $1 and at < $2", bucket, oldest,
                context: "forgetting old lines of the trace"
            ).affected
            // What is looked at by nobody any more leaves the index of those that are.
            try connection.execute(
                "update enrolment set open_until = null where bucket = $1 and open_until < $2", bucket,
                now.adding(seconds: -lapsed), context: "forgetting old enrolments")
            count += try connection.execute(
                """
                delete from enrolment where bucket = $1 and ended_at < $2 and not is_latest
                    and (open_until is null or open_until < $2)
                """, bucket, oldest, context: "forgetting old enrolments"
            ).affected
        }
        return count
    }
}
