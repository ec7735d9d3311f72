import Foundations
import Loader

extension Shapes {
    static let reason = Shape.oneOf(
        "malformed", "limit", "denied", "conflict", "frozen", "poison", "source", "journey")

    private static let itemFields: KeyValuePairs<String, Shape> = [
        "id": .id, "received_at": .moment, "source": Shape.text.like("shop-web"),
        "activity": Shape.text.orNull, "reason": reason,
        "journey": Shape.text.orNull.saying(
            "the journey that could not do with a stored event what it wanted to; null: the event was not taken"
        ),
        "event_id": Shape.id.orNull.saying("the stored event"),
        "pointer": Shape.text.orNull.saying("JSON pointer into the event").like("/properties/price"),
        "detail": Shape(.anything).saying("why, for programs: code, expected, found, nearest known name"),
        "message": Shape.text.orNull.like("expected a number, found a string"),
        "client_id": Shape.text.orNull.saying("the id that the client gave it"),
        "session_id": Shape.text.orNull, "profile_id": Shape.id.orNull.saying("the one that was answered"),
        "requested_at": Shape.moment.orNull.saying("when a replay was asked for that is not done yet"),
        "attempts": Shape.count.saying("how often a replay ended here again"),
        "replayed_at": Shape.moment.orNull.saying("when it did last"),
    ]

    static let quarantined = Shape.object("Quarantined", itemFields)

    static func quarantined(_ item: Quarantine.Item) -> JSONValue {
        [
            "id": JSONValue(item.id), "received_at": JSONValue(item.receivedAt),
            "source": .text(item.source), "activity": JSONValue(item.activity), "reason": .text(item.reason),
            "journey": JSONValue(item.journey), "event_id": JSONValue(item.eventID),
            "pointer": JSONValue(item.pointer), "detail": JSONValue(json: item.detail),
            "message": JSONValue(item.message), "client_id": JSONValue(item.clientID),
            "session_id": JSONValue(item.sessionID), "profile_id": JSONValue(item.profileID),
            "requested_at": JSONValue(item.requestedAt), "attempts": .integer(item.attempts),
            "replayed_at": JSONValue(item.replayedAt),
        ]
    }

    static let quarantineEntry = Shape.object(
        "QuarantineEntry",
        [
            "event": quarantined, "payload": Shape(.anything).saying("the event as it came"),
            "context": Shape(.anything).saying("of its session"),
            "time": Shape.clientMoment.orNull.saying("when the client said it happened"),
            "sent_at": Shape.clientMoment.orNull.saying("what the client's clock said when it sent"),
            "sent_profile": Shape.text.orNull, "user_agent": Shape.text.orNull,
            "task": Shape.id.orNull, "instance": Shape.id.orNull.saying("the server that received it"),
        ])

    static func quarantineEntry(_ entry: Quarantine.Entry) -> JSONValue {
        [
            "event": quarantined(entry.item), "payload": .json(entry.payload),
            "context": JSONValue(json: entry.context), "time": JSONValue(entry.time),
            "sent_at": JSONValue(entry.sentAt), "sent_profile": JSONValue(entry.sentProfile),
            "user_agent": JSONValue(entry.userAgent), "task": JSONValue(entry.task),
            "instance": JSONValue(entry.instance),
        ]
    }

    static let quarantineGroup = Shape.object(
        "QuarantineGroup",
        [
            "reason": reason, "source": .text, "activity": Shape.text.orNull,
            "journey": Shape.text.orNull, "count": .count,
            "first_at": .moment, "last_at": .moment, "example": Shape.id.saying("the latest of them"),
            "message": Shape.text.orNull.saying("what is wrong with the example"),
        ])

    static func quarantineGroup(_ group: Quarantine.Group) -> JSONValue {
        [
            "reason": .text(group.reason), "source": .text(group.source),
            "activity": JSONValue(group.activity), "journey": JSONValue(group.journey),
            "count": .integer(group.count),
            "first_at": JSONValue(group.first), "last_at": JSONValue(group.last),
            "example": JSONValue(group.example), "message": JSONValue(group.message),
        ]
    }

    static let replayRequest = Shape.object(
        "ReplayRequest",
        ["request": .id, "events": Shape.count.saying("how many are sent through again")])

    static let replayProgress = Shape.object(
        "ReplayProgress",
        [
            "waiting": Shape.count.saying("not done yet"),
            "done": Shape.map(of: .count).saying("what left the quarantine, by outcome").like(["stored": 40]),
            "kept": Shape.map(of: .count).saying("what stays, by the reason of now").like(["malformed": 2]),
        ])

    static func replayProgress(_ progress: Quarantine.Progress) -> JSONValue {
        func counts(_ counts: [String: Int]) -> JSONValue {
            .object(counts.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .integer($0.value)) })
        }
        return [
            "waiting": .integer(progress.waiting), "done": counts(progress.done),
            "kept": counts(progress.kept),
        ]
    }
}
