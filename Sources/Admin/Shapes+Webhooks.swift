import Foundations
import Outbound
import Webhooks

extension Shapes {
    static let webhook = Shape.object(
        "Webhook",
        [
            "name": Shape.text.like("call_centre"), "label": Shape.text.orNull,
            "url": Shape.text.orNull.saying("as it was applied: secrets are references"),
            "state": .oneOf("active", "paused", "disabled"), "reason": .text.orNull,
            "verified": Shape.flag.saying("false: it has never answered as it should"), "waiting": .count,
            "oldest_waiting": Shape.moment.orNull, "failed": Shape.count.saying("for good"),
            "failing_since": Shape.moment.orNull, "last_success_at": Shape.moment.orNull,
            "last_failure_at": Shape.moment.orNull, "last_status": Shape.integer.orNull,
            "last_error": .text.orNull, "last_excerpt": Shape.text.orNull.saying("of its last answer"),
            "applied_at": .moment,
            "removed_at": Shape.moment.orNull.saying(
                "it stands in no file any more; what waits is still sent"),
        ])

    static func webhook(_ webhook: WebhookStatus) -> JSONValue {
        let definition = webhook.definition
        return [
            "name": .text(webhook.name), "label": JSONValue(definition?.label),
            "url": JSONValue(definition?.url), "state": .text(webhook.state.rawValue),
            "reason": JSONValue(webhook.reason), "verified": .bool(!webhook.isUnverified),
            "waiting": .integer(webhook.waiting), "oldest_waiting": JSONValue(webhook.oldestWaiting),
            "failed": .integer(webhook.failed), "failing_since": JSONValue(webhook.failingSince),
            "last_success_at": JSONValue(webhook.lastSuccessAt),
            "last_failure_at": JSONValue(webhook.lastFailureAt), "last_status": JSONValue(webhook.lastStatus),
            "last_error": JSONValue(webhook.lastError), "last_excerpt": JSONValue(webhook.lastExcerpt),
            "applied_at": JSONValue(webhook.appliedAt), "removed_at": JSONValue(webhook.removedAt),
        ]
    }

    static let deliveryState = Shape.oneOf("queued", "batched", "sent", "failed", "expired")

    static let delivery = Shape.object(
        "Delivery",
        [
            "id": Shape.id.saying("what the receiver sees as webhook-id, unless it came in a batch"),
            "webhook": .text, "profile_id": .id.orNull, "journey": .text.orNull, "state": deliveryState,
            "attempts": .count, "created_at": .moment, "next_at": .moment, "finished_at": Shape.moment.orNull,
            "batch": Shape.id.orNull,
        ])

    static func delivery(_ delivery: DeliverySummary) -> JSONValue {
        [
            "id": JSONValue(delivery.id), "webhook": .text(delivery.webhook),
            "profile_id": JSONValue(delivery.profile), "journey": JSONValue(delivery.journey),
            "state": .text(delivery.state), "attempts": .integer(delivery.attempts),
            "created_at": JSONValue(delivery.createdAt), "next_at": JSONValue(delivery.nextAt),
            "finished_at": JSONValue(delivery.finishedAt), "batch": JSONValue(delivery.batch),
        ]
    }

    static let deliveryDetail: Shape = {
        let attempt = Shape.object(
            "DeliveryAttempt",
            [
                "number": .count, "at": .moment, "milliseconds": .count, "status": Shape.integer.orNull,
                "error": .text.orNull, "excerpt": Shape.text.orNull.saying("of the answer"),
            ])
        return .object(
            "DeliveryDetail",
            [
                "delivery": delivery, "body": Shape(.anything).saying("the item as it was queued"),
                "attempts": .list(of: attempt),
            ])
    }()

    static func delivery(_ delivery: DeliverySummary, _ attempts: [AttemptSummary]) -> JSONValue {
        let attempts = attempts.map { attempt -> JSONValue in
            [
                "number": .integer(attempt.number), "at": JSONValue(attempt.at),
                "milliseconds": .integer(attempt.milliseconds), "status": JSONValue(attempt.status),
                "error": JSONValue(attempt.error), "excerpt": JSONValue(attempt.excerpt),
            ]
        }
        return [
            "delivery": Shapes.delivery(delivery), "body": .json(delivery.body), "attempts": .list(attempts),
        ]
    }

    static let webhookTest = Shape.object(
        "WebhookTest",
        [
            "id": Shape.id.saying("the webhook-id that was sent"), "bytes": Shape.count.saying("of the body"),
            "status": Shape.integer.orNull.saying("null: there was no answer"), "milliseconds": .count,
            "answer": Shape.text.orNull.saying("the beginning of the answer's body"),
            "success": .flag, "verdict": Shape.text.like("refused: a success is 200, not 204"),
        ])

    static func webhookTest(
        _ test: WebhookTest, _ result: Result<OutboundResponse, OutboundError>, _ isSuccess: Bool,
        _ verdict: String
    ) -> JSONValue {
        var (status, milliseconds, answer): (Int?, Int, String?) = (nil, 0, nil)
        switch result {
        case .success(let response):
            (status, milliseconds) = (response.status, response.milliseconds)
            answer = String(decoding: response.body.prefix(2000), as: UTF8.self)
        case .failure(let error): milliseconds = error.milliseconds
        }
        return [
            "id": JSONValue(test.id), "bytes": .integer(test.body.count), "status": JSONValue(status),
            "milliseconds": .integer(milliseconds), "answer": JSONValue(answer),
            "success": .bool(isSuccess), "verdict": .text(verdict),
        ]
    }
}
