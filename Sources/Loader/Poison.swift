import Foundations
import Payload
import Postgres

/// The reasons that the quarantine keeps for events that the loader could not store.
enum Poison {
    /// PostgreSQL refused the event's data.
    static func refusal(_ error: PostgresError) -> Batch.Refusal {
        var detail = ByteBuffer(capacity: 256)
        member("sqlstate", error.sqlstate, first: true, &detail)
        member("error", error.message, &detail)
        member("detail", error.detail, &detail)
        member("where", error.location, &detail)
        detail.append("}")
        return Batch.Refusal(reason: "poison", detail: detail.bytes.text, isPoison: true)
    }

    /// The server crashed while it loaded this event, as often as that.
    static func crash(_ times: Int) -> Batch.Refusal {
        let detail = #"{"error":"the server crashed \#(times) times while it loaded this event"}"#
        return Batch.Refusal(reason: "poison", detail: detail, isPoison: true)
    }

    private static func member(
        _ name: StaticString, _ value: String, first: Bool = false, _ out: inout ByteBuffer
    ) {
        if value.isEmpty, !first { return }
        out.append(first ? "{\"" : ",\"")
        out.append(name)
        out.append("\":")
        _ = appendJSONString(value, to: &out)
    }
}
