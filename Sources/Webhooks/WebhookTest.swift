import Foundations
import Outbound
import Payload
import Postgres

/// A delivery that shows a receiver what real ones look like: `webhook test` of the commands and of the admin API.
package struct WebhookTest: Sendable {
    package enum Shape: String, Sendable, CaseIterable {
        /// As after an SMS that was clicked on.
        case channel
        /// As after any other activity.
        case custom
    }

    package let id: UUID
    package let request: OutboundRequest
    /// The bytes that are posted.
    package let body: [UInt8]

    /// - Parameter zone: The panel's.
    package init(
        _ endpoint: Endpoint, panel: String, zone: Zone, shape: Shape = .custom, at now: Timestamp,
        random: inout RandomSource
    ) {
        id = .v4(&random)
        let webhook = endpoint.definition
        let envelope = WireBody.Envelope(format: webhook.format, panel: panel)
        var item = Self.sample(id, webhook, panel: panel, shape, now)
        item.utcOffset = zone.offset(at: now)
        body = WireBody.make([ItemBody.render(item, for: webhook)], envelope, at: now)
        request = endpoint.request(id: id, body: body, format: webhook.format, at: now)
    }

    private static func sample(
        _ id: UUID, _ webhook: WebhookDefinition, panel: String, _ shape: Shape, _ now: Timestamp
    ) -> DeliveryItem {
        let profile = UUID(high: 0x0000_0000_0000_8000, low: 0x8000_0000_0000_0000)
        var item = DeliveryItem(
            id: id, bucket: 0, webhook: webhook.name, panel: panel, profile: profile, queuedAt: now)
        let isChannel = shape == .channel
        let properties =
            isChannel
            ? #"{"link":"https://shop.example/offer/1","linkid":7}"#
            : #"{"items":[{"category":"lifestyle","quantity":1,"price":9990.91}]}"#
        item.entry = DeliveryItem.Entry(
            activity: isChannel ? "sms-click" : "product-search",
            name: isChannel ? "sms click" : "product search",
            number: isChannel ? nil : 101, properties: Array(properties.utf8), time: now, sourceKind: "web",
            assetID: "0123456789abcdef0123456789abcdef", assetName: "Waymark test")
        item.journey = "Waymark test"
        item.params = [("test", "true")]
        item.primaryKey = "id"
        item.identity = "test@example.com"
        var traits = JSONWriter()
        traits.object { json in
            json.member("id", "0000000000")
            for name in webhook.attributes where name != "id" { json.member(name, "test") }
        }
        item.traits = Array(traits.text.utf8)
        return item
    }

    /// What an answer means, in words for the person who asked.
    package static func verdict(
        _ result: Result<OutboundResponse, OutboundError>, _ webhook: WebhookDefinition
    ) -> (isSuccess: Bool, text: String) {
        switch result {
        case .success(let response) where webhook.success.includes(response.status):
            return (true, "accepted")
        case .success(let response):
            let expected = webhook.success == .ok ? "200" : "200 to 299"
            let more =
                (200...299).contains(response.status)
                ? "; `success: 2xx` would take it"
                : (300...399).contains(response.status) ? "; redirects are not followed" : ""
            return (false, "refused: a success is \(expected), not \(response.status)\(more)")
        case .failure(let error): return (false, "failed: \(error.message)")
        }
    }

    /// Notes that a webhook has answered as it should: it is not unverified any more, if it was applied with the address
    /// that was tested.
    package static func noteSuccess(
        of webhook: WebhookDefinition, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            """
            update webhook set last_success_at = $2
            where name = $1 and last_success_at is null and definition::json->>'url' = $3
            """, webhook.name, now, webhook.url, context: "noting a success")
    }
}
