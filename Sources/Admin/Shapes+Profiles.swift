import Foundations
import Identity

extension Shape {
    /// Of a UUID within a cursor.
    static let uuidPattern = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
}

extension Shapes {
    private static let profileFields: KeyValuePairs<String, Shape> = [
        "id": .id, "traits": Shape.freeObject.like(["name": "Ada"]),
        "kinds": Shape.list(of: .text).saying("the kinds of identities that it is known by").like(["email"]),
        "created_at": .moment, "last_seen_at": .moment,
        "known_at": Shape.moment.orNull.saying("when it first showed an identity; null: anonymous"),
    ]

    static let profile = Shape.object("Profile", profileFields)

    static let person: Shape = {
        let identity = Shape.object(nil, ["kind": .text, "value": .text, "since": .moment])
        let alias = Shape.object(nil, ["id": .id, "since": .moment])
        let more: KeyValuePairs<String, Shape> = [
            "identities": .list(of: identity),
            "aliases": Shape.list(of: alias).saying("ids that mean this person as well"),
        ]
        let fields = (Array(profileFields) + Array(more)).map {
            Shape.Field(name: $0.key, shape: $0.value)
        }
        var shape = Shape(.object(fields, atLeast: 0))
        shape.name = "Person"
        return shape
    }()

    static func profile(_ profile: People.Summary) -> JSONValue {
        [
            "id": JSONValue(profile.id), "traits": .json(String(decoding: profile.traits, as: UTF8.self)),
            "kinds": JSONValue(profile.kinds), "created_at": JSONValue(profile.createdAt),
            "last_seen_at": JSONValue(profile.lastSeenAt), "known_at": JSONValue(profile.knownAt),
        ]
    }

    static let event = Shape.object(
        "Event",
        [
            "id": .id, "time": Shape.clientMoment, "received_at": .moment,
            "activity": Shape.text.like("product-purchase"), "label": Shape.text.like("Product Purchase"),
            "source": Shape.text.saying("`@waymark`: made by the server itself"),
            "session_id": Shape.text.orNull, "profile_id": Shape.id.orNull.saying("as it was stored"),
            "properties": .anything, "context": .anything, "tags": .list(of: .text),
            "client_id": Shape.text.orNull.saying("the id that the client gave it"),
        ])

    static func event(_ event: Timeline.Event) -> JSONValue {
        [
            "id": JSONValue(event.id), "time": JSONValue(event.time),
            "received_at": JSONValue(event.receivedAt), "activity": .text(event.activity),
            "label": .text(event.label), "source": .text(event.source),
            "session_id": JSONValue(event.session), "profile_id": JSONValue(event.profile),
            "properties": .json(String(decoding: event.properties, as: UTF8.self)),
            "context": event.context.isEmpty ? .null : .json(String(decoding: event.context, as: UTF8.self)),
            "tags": JSONValue(event.tags), "client_id": JSONValue(event.clientID),
        ]
    }

    static let visit = Shape.object(
        "Visit",
        [
            "session_id": .text, "number": Shape.count.saying("of the session's visits"), "source": .text,
            "started_at": Shape.clientMoment, "last_at": Shape.clientMoment,
            "ended_at": Shape.clientMoment.orNull.saying("null: it goes on"), "events": .count,
            "entry_page": Shape.text.orNull, "exit_page": Shape.text.orNull, "referrer": Shape.text.orNull,
            "campaign": Shape.map(of: .text).like(["utm_source": "newsletter"]),
            "device": Shape.text.orNull.like("phone"), "os": Shape.text.orNull,
            "browser": Shape.text.orNull, "browser_version": Shape.text.orNull,
            "bot": Shape.text.orNull.saying("the name of the program, when it is no person"),
        ])

    static func visit(_ visit: PersonVisit) -> JSONValue {
        [
            "session_id": .text(visit.session), "number": .integer(visit.number),
            "source": .text(visit.source), "started_at": JSONValue(visit.startedAt),
            "last_at": JSONValue(visit.lastAt), "ended_at": JSONValue(visit.endedAt),
            "events": .integer(visit.events), "entry_page": JSONValue(visit.entryPage),
            "exit_page": JSONValue(visit.exitPage), "referrer": JSONValue(visit.referrer),
            "campaign": .object(visit.campaign.map { .init(name: $0.name, value: .text($0.value)) }),
            "device": JSONValue(visit.device), "os": JSONValue(visit.os),
            "browser": JSONValue(visit.browser), "browser_version": JSONValue(visit.browserVersion),
            "bot": JSONValue(visit.bot),
        ]
    }
}
