import Activities
import Foundations
import Postgres

extension Endpoints {
    /// What exists.
    static let activities = [listActivities, getActivity, getDrift, getSchema, freeze, unfreeze]

    static let key = Parameter.path(
        "key", .text(1...256), "the activity's key, percent-encoded: a slash in it is `%2F`",
        like: "product-purchase")

    private static let listActivities = Endpoint(
        verb: .get, path: "/admin/activities", name: "listActivities", tag: .activities,
        summary: "All activities, in the order of their keys",
        parameters: [.limit, .after(.text(1...256), like: "product-purchase")],
        answer: .page(of: Shapes.activity),
        work: .database { inquiry, connection in
            let page = try Catalogue.list(limit: inquiry.limit, after: inquiry.text("after"), connection)
            return ["items": .list(page.items.map { Shapes.activity($0) }), "next": JSONValue(page.next)]
        })

    private static let getActivity = Endpoint(
        verb: .get, path: "/admin/activities/{key}", name: "getActivity", tag: .activities,
        summary: "One activity with its parameters and views",
        parameters: [key], answer: Shapes.activityDetail, refusals: [404: "There is no such activity."],
        work: .database { inquiry, connection in
            guard let detail = try Catalogue.activity(inquiry.key("key"), connection) else {
                throw Refusal.missing("activity")
            }
            return Shapes.activity(detail)
        })

    private static let getDrift = Endpoint(
        verb: .get, path: "/admin/activities/{key}/drift", name: "getDrift", tag: .activities,
        summary: "How the activity changed, the latest first",
        explanation: "Each entry names the first event that showed the change, and who sent it.",
        parameters: [key, .limit, .after(.cursor("[0-9]{1,18}"), like: "1042")],
        answer: .page(of: Shapes.drift), refusals: [404: "There is no such activity."],
        work: .database { inquiry, connection in
            let page = try Catalogue.drift(
                inquiry.key("key"), limit: inquiry.limit, after: inquiry.text("after"), connection)
            guard let page else { throw Refusal.missing("activity") }
            return ["items": .list(page.items.map { Shapes.drift($0) }), "next": JSONValue(page.next)]
        })

    private static let getSchema = Endpoint(
        verb: .get, path: "/admin/activities/{key}/schema", name: "getSchema", tag: .activities,
        summary: "The JSON Schema (draft 2020-12) of the activity's properties",
        parameters: [key], answer: .freeObject, refusals: [404: "There is no such activity."],
        work: .database { inquiry, connection in
            guard let schema = try Catalogue.schema(inquiry.key("key"), connection) else {
                throw Refusal.missing("activity")
            }
            return .json(schema)
        })

    private static let changes: KeyValuePairs<Int, String> = [
        404: "There is no such activity.",
        409: "The server's own activities are as they are; one with too many parameters cannot be frozen.",
    ]

    private static let freeze = Endpoint(
        verb: .post, path: "/admin/activities/{key}/freeze", name: "freezeActivity", tag: .activities,
        summary: "Hold the activity to what is known of it now",
        explanation:
            "What does not fit goes into the quarantine. It takes effect on all servers within two seconds.",
        access: .write, parameters: [key, extra], answer: Shapes.activity, refusals: changes,
        work: .database { inquiry, connection in
            try changed(inquiry, connection) { key in
                let extra = inquiry.text("extra").flatMap { Freeze.Extra(rawValue: $0) } ?? .quarantine
                do {
                    return try Freezing.freeze(key, extra: extra, now: Clock.system.now(), connection) != nil
                } catch let error as Freezing.TooManyParameters {
                    throw Refusal.conflict("\(error)")
                }
            }
        })

    private static let extra: Parameter = {
        var extra = Parameter.query(
            "extra", .oneOf(Freeze.Extra.allCases.map(\.rawValue)),
            "what becomes of an event with a parameter that is not known: into the quarantine, or stored without it",
            like: "drop")
        extra.fallback = "quarantine"
        return extra
    }()

    private static let unfreeze = Endpoint(
        verb: .post, path: "/admin/activities/{key}/unfreeze", name: "unfreezeActivity", tag: .activities,
        summary: "Take everything again", access: .write, parameters: [key], answer: Shapes.activity,
        refusals: changes,
        work: .database { inquiry, connection in
            try changed(inquiry, connection) { key in try Freezing.unfreeze(key, connection) }
        })

    /// The activity after a change, which says whether there is one.
    private static func changed(
        _ inquiry: Inquiry, _ connection: Connection, _ change: (String) throws -> Bool
    ) throws -> JSONValue {
        let key = inquiry.key("key")
        if BuiltInActivity.with(key: key) != nil {
            throw Refusal.conflict("the server's own activities are as they are")
        }
        guard try change(key), let detail = try Catalogue.activity(key, connection) else {
            throw Refusal.missing("activity")
        }
        return Shapes.activity(detail.listing)
    }
}
