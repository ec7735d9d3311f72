import Foundations
import Loader
import Postgres

extension Endpoints {
    /// What could not be taken, and sending it through again.
    static let quarantine = [
        listQuarantine, listGroups, getQuarantined, replayOne, replayMany, getReplay, drop,
    ]

    private static let id = Parameter.path(
        "id", .id, "the event's id in the quarantine", like: "0198c5f2-7b7e-7a3c-9d4e-5f60718293a4")

    private static let filters: [Parameter] = [
        .query("reason", Shapes.reason, "only for this reason", like: "malformed"),
        .query("source", .text(1...256), "only of this source", like: "shop-web"),
        .query("activity", .text(1...256), "only of this activity", like: "product-purchase"),
        .query("journey", .text(1...256), "only what this journey was kept from", like: "high_value_cart"),
        .query("from", .moment, "only what was received from this moment on", like: "2026-01-31T00:00:00Z"),
        .query("to", .moment, "only what was received before this moment", like: "2026-02-01T00:00:00Z"),
    ]

    private static let filterBody = Shape.some(
        1, "QuarantineFilter",
        of: [
            "reason": Shapes.reason, "source": .text(1...256), "activity": .text(1...256),
            "journey": .text(1...256), "from": .moment, "to": .moment,
        ]
    ).saying("which events are meant: those of which all of this is true")

    /// What query or body say, under the same names.
    private static func filter(_ value: (String) -> JSONValue?) -> Quarantine.Filter {
        var filter = Quarantine.Filter(reasons: [value("reason")?.asText].compactMap { $0 })
        filter.source = value("source")?.asText
        filter.activity = value("activity")?.asText
        filter.journey = value("journey")?.asText
        filter.since = value("from")?.asText.flatMap { Shape.Text.moment($0) }
        filter.before = value("to")?.asText.flatMap { Shape.Text.moment($0) }
        return filter
    }

    private static let listQuarantine = Endpoint(
        verb: .get, path: "/admin/quarantine", name: "listQuarantine", tag: .quarantine,
        summary: "Events that could not be taken, the latest first",
        parameters: [.limit, .after(.id, like: "0198c5f2-7b7e-7a3c-9d4e-5f60718293a4")] + filters + [
            .query("waiting", .flag, "only those whose replay is asked for, or only the others", like: true)
        ],
        answer: .page(of: Shapes.quarantined),
        work: .database { inquiry, connection in
            var filter = filter { inquiry.arguments[$0] }
            filter.isWaiting = inquiry.flag("waiting")
            let items = try Quarantine.items(
                filter, after: inquiry.id("after"), limit: inquiry.limit + 1, connection)
            return inquiry.page(items, cursor: { "\($0.id)" }) { Shapes.quarantined($0) }
        })

    private static let listGroups = Endpoint(
        verb: .get, path: "/admin/quarantine/groups", name: "listQuarantineGroups", tag: .quarantine,
        summary: "The same by reason, source and activity, the largest groups first",
        explanation: "One page: `next` is always null.",
        parameters: [.limit] + filters, answer: .page(of: Shapes.quarantineGroup),
        work: .database { inquiry, connection in
            let filter = filter { inquiry.arguments[$0] }
            let groups = try Quarantine.groups(filter, limit: inquiry.limit, connection)
            return ["items": .list(groups.map { Shapes.quarantineGroup($0) }), "next": nil]
        })

    private static let getQuarantined = Endpoint(
        verb: .get, path: "/admin/quarantine/{id}", name: "getQuarantined", tag: .quarantine,
        summary: "One event that could not be taken, with its payload and why",
        parameters: [id], answer: Shapes.quarantineEntry,
        refusals: [404: "There is no such event in the quarantine."],
        work: .database { inquiry, connection in
            guard let id = inquiry.id("id"), let entry = try Quarantine.entry(id, connection) else {
                throw Refusal.missing("event in the quarantine")
            }
            return Shapes.quarantineEntry(entry)
        })

    private static let later =
        "Some running server does it soon; ask `/admin/replays/{request}` what became of it."

    private static let replayOne = Endpoint(
        verb: .post, path: "/admin/quarantine/{id}/replay", name: "replayQuarantined", tag: .quarantine,
        summary: "Send an event through the whole way again", explanation: later, access: .write,
        parameters: [id], status: 202, answer: Shapes.replayRequest,
        refusals: [404: "There is no such event in the quarantine."],
        work: .database { inquiry, connection in
            let filter = Quarantine.Filter(ids: [inquiry.id("id")].compactMap { $0 })
            let answer = try replay(filter, connection)
            if answer["events"] == 0 { throw Refusal.missing("event in the quarantine") }
            return answer
        })

    private static let replayMany = Endpoint(
        verb: .post, path: "/admin/quarantine/replay", name: "replayQuarantine", tag: .quarantine,
        summary: "Send all events through the whole way again that a filter means", explanation: later,
        access: .write, body: filterBody, status: 202, answer: Shapes.replayRequest,
        work: .database { inquiry, connection in
            try replay(filter { inquiry.body[$0] }, connection)
        })

    private static func replay(
        _ filter: Quarantine.Filter, _ connection: Connection
    ) throws(PostgresError) -> JSONValue {
        precondition(!filter.isEverything, "a replay of everything was not asked for")
        var random = RandomSource()
        let (now, request) = (Clock.system.now(), UUID.v4(&random))
        let count = try Quarantine.replay(filter, request: request, now: now, connection)
        return ["request": JSONValue(request), "events": .integer(count)]
    }

    private static let getReplay = Endpoint(
        verb: .get, path: "/admin/replays/{request}", name: "getReplay", tag: .quarantine,
        summary: "What became of a replay so far",
        parameters: [
            .path(
                "request", .id, "the `request` that asking for it answered",
                like: "5f607182-93a4-4a3c-9d4e-0198c5f27b7e")
        ],
        answer: Shapes.replayProgress,
        refusals: [404: "No event was asked for under this request, or it is 30 days old."],
        work: .database { inquiry, connection in
            guard let request = inquiry.id("request") else { throw Refusal.missing("replay") }
            let progress = try Quarantine.progress(of: request, connection)
            if progress == Quarantine.Progress() { throw Refusal.missing("replay") }
            return Shapes.replayProgress(progress)
        })

    private static let drop = Endpoint(
        verb: .delete, path: "/admin/quarantine/{id}", name: "dropQuarantined", tag: .quarantine,
        summary: "Delete an event for good",
        explanation: "The ledger goes on counting it as quarantined.", access: .write, parameters: [id],
        answer: .object(nil, ["dropped": .count]),
        refusals: [404: "There is no such event in the quarantine."],
        work: .database { inquiry, connection in
            let filter = Quarantine.Filter(ids: [inquiry.id("id")].compactMap { $0 })
            precondition(!filter.isEverything, "dropping everything was not asked for")
            let count = try Quarantine.drop(filter, connection)
            if count == 0 { throw Refusal.missing("event in the quarantine") }
            return ["dropped": .integer(count)]
        })
}
