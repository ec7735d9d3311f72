import Payload
import Postgres

/// The reasons that the quarantine keeps for events that the loader could not store.
enum Poison {
    /// PostgreSQL refused the event's data.
    static func refusal(_ error: PostgresError) -> Batch.Refusal {
        var detail = QuarantineDetail(
            code: error.sqlstate, expected: "an event that PostgreSQL stores", found: "one that it refuses",
            message: error.message)
        detail.more = [
            ("sqlstate", error.sqlstate), ("detail", error.detail), ("where", error.location),
            ("constraint", error.constraint),
        ]
        return Batch.Refusal(reason: "poison", detail: detail, isPoison: true)
    }

    /// The server crashed while it loaded this event, as often as that.
    static func crash(_ times: Int) -> Batch.Refusal {
        let detail = QuarantineDetail(
            code: "crash", expected: "an event that can be loaded", found: "one that crashes the server",
            message: "the server crashed \(times) times while it loaded this event")
        return Batch.Refusal(reason: "poison", detail: detail, isPoison: true)
    }
}
