import Foundations
import Postgres
import Webhooks

extension Endpoints {
    /// How webhooks fare, and sending again what did not arrive.
    static let webhooks = [
        listWebhooks, getWebhook, enableWebhook, replayWebhook, listDeliveries, getDelivery, replayDelivery,
    ]

    private static let name = Parameter.path(
        "name", .text(1...256), "the webhook's name", like: "call_centre")
    private static let id = Parameter.path(
        "id", .id, "the delivery's id", like: "019e2f4a-7c11-5a35-9f0c-3f5d0c9f6a21")
    private static let missing: KeyValuePairs<Int, String> = [404: "There is no such webhook."]

    private static let listWebhooks = Endpoint(
        verb: .get, path: "/admin/webhooks", name: "listWebhooks", tag: .webhooks,
        summary: "The webhooks by name: state, queue, last success and failure",
        parameters: [.limit, .after(.text(1...256), like: "call_centre")], answer: .page(of: Shapes.webhook),
        work: .database { inquiry, connection in
            let found = try WebhookStore.list(
                limit: inquiry.limit + 1, after: inquiry.text("after") ?? "", connection)
            return inquiry.page(found, cursor: { $0.name }) { Shapes.webhook($0) }
        })

    private static func webhook(_ inquiry: Inquiry, _ connection: Connection) throws -> JSONValue {
        let found = try WebhookStore.list(limit: 1, name: inquiry.key("name"), connection)
        guard let webhook = found.first else { throw Refusal.missing("webhook") }
        return Shapes.webhook(webhook)
    }

    private static let getWebhook = Endpoint(
        verb: .get, path: "/admin/webhooks/{name}", name: "getWebhook", tag: .webhooks,
        summary: "One webhook", parameters: [name], answer: Shapes.webhook, refusals: missing,
        work: .database { inquiry, connection in try webhook(inquiry, connection) })

    private static let enableWebhook = Endpoint(
        verb: .post, path: "/admin/webhooks/{name}/enable", name: "enableWebhook", tag: .webhooks,
        summary: "Send again to a webhook that was paused or disabled",
        explanation: "What waits for it goes out now, in its order.", access: .write, parameters: [name],
        answer: Shapes.webhook, refusals: missing,
        work: .database { inquiry, connection in
            guard try WebhookStore.enable(inquiry.key("name"), at: Clock.system.now(), connection) else {
                throw Refusal.missing("webhook")
            }
            return try webhook(inquiry, connection)
        })

    private static let replayed = Shape.object("Replayed", ["deliveries": .count])

    private static let replayWebhook = Endpoint(
        verb: .post, path: "/admin/webhooks/{name}/replay", name: "replayWebhook", tag: .webhooks,
        summary: "Queue again what failed for good, with the same ids and bytes", access: .write,
        parameters: [
            name,
            .query(
                "from", .moment, "only what was queued from this moment on; at most 14 days ago",
                like: "2026-01-31T00:00:00Z"),
        ], answer: replayed, refusals: missing,
        work: .database { inquiry, connection in
            let (name, now) = (inquiry.key("name"), Clock.system.now())
            guard try WebhookStore.find(name, connection) != nil else { throw Refusal.missing("webhook") }
            let since = inquiry.moment("from") ?? Timestamp(microseconds: 0)
            return ["deliveries": .integer(try WebhookStore.replay(name, since: since, at: now, connection))]
        })

    private static let listDeliveries = Endpoint(
        verb: .get, path: "/admin/webhooks/{name}/deliveries", name: "listDeliveries", tag: .webhooks,
        summary: "Deliveries of a webhook in one state, the oldest first",
        parameters: [
            name, state, .limit,
            .after(
                .cursor("[0-9]{1,17}\\.\(Shape.uuidPattern)"),
                like: "1769860800000000.019e2f4a-7c11-5a35-9f0c-3f5d0c9f6a21"),
        ], answer: .page(of: Shapes.delivery), refusals: missing,
        work: .database { inquiry, connection in
            guard try WebhookStore.find(inquiry.key("name"), connection) != nil else {
                throw Refusal.missing("webhook")
            }
            let cursor = inquiry.text("after")?.split(separator: ".")
            let after = cursor.flatMap { parts -> (createdAt: Timestamp, id: UUID)? in
                guard let micro = Int64(parts[0]), let id = UUID(String(parts[1])) else { return nil }
                return (Timestamp(microseconds: micro), id)
            }
            let found = try WebhookStore.deliveries(
                of: inquiry.key("name"), state: inquiry.text("state") ?? "failed", limit: inquiry.limit + 1,
                after: after, connection)
            return inquiry.page(found, cursor: { "\($0.createdAt.microseconds).\($0.id)" }) {
                Shapes.delivery($0)
            }
        })

    private static let state: Parameter = {
        var state = Parameter.query("state", Shapes.deliveryState, "which ones", like: "queued")
        state.fallback = "failed"
        return state
    }()

    private static let getDelivery = Endpoint(
        verb: .get, path: "/admin/deliveries/{id}", name: "getDelivery", tag: .webhooks,
        summary: "One delivery with its body and its attempts", parameters: [id],
        answer: Shapes.deliveryDetail, refusals: [404: "There is no such delivery."],
        work: .database { inquiry, connection in
            guard let id = inquiry.id("id"), let delivery = try WebhookStore.delivery(id, connection) else {
                throw Refusal.missing("delivery")
            }
            return Shapes.delivery(delivery, try WebhookStore.attempts(of: id, connection))
        })

    private static let replayDelivery = Endpoint(
        verb: .post, path: "/admin/deliveries/{id}/replay", name: "replayDelivery", tag: .webhooks,
        summary: "Send one delivery again, whatever became of it",
        explanation:
            "One that went out in a batch goes out with its batch. One that waits already stays as it is.",
        access: .write, parameters: [id], answer: replayed, refusals: [404: "There is no such delivery."],
        work: .database { inquiry, connection in
            guard let id = inquiry.id("id"), try WebhookStore.delivery(id, connection) != nil else {
                throw Refusal.missing("delivery")
            }
            let count = try WebhookStore.replay(id, at: Clock.system.now(), connection)
            return ["deliveries": .integer(count)]
        })
}
