import Foundations
import Payload

@testable import Webhooks

/// The two examples of the contract, and what else tests need often.
enum Samples {
    static let profile = UUID("5c1f0a52-8f4e-8a3b-9c11-3f3c5f0d7a21")!

    static func webhook(
        _ name: String = "call_centre", _ change: (inout WebhookDefinition) -> Void = { _ in }
    )
        -> WebhookDefinition
    {
        var webhook = WebhookDefinition(name: name, url: "http://127.0.0.1:9/hook")
        webhook.allowNetworks = [Network(address: IPAddress(v4: 0x7f00_0000), prefix: 104)]
        change(&webhook)
        return webhook
    }

    static func item(_ number: Int = 1, profile: UUID? = profile) -> DeliveryItem {
        DeliveryItem(
            id: DeliveryID.of(enrolment: UUID(high: 1, low: 2), step: number, visit: 1),
            bucket: profile?.bucket ?? 0, webhook: "call_centre", panel: "acme", profile: profile,
            queuedAt: Timestamp(seconds: 1_700_000_000))
    }

    static func entry(_ activity: String, _ properties: String) -> DeliveryItem.Entry {
        DeliveryItem.Entry(
            activity: activity, name: activity.replacing("-", with: " "), number: 103,
            properties: Array(properties.utf8), time: Timestamp(seconds: 1_544_616_428), sourceKind: "web",
            assetID: "0123456789abcdef0123456789abcdef", assetName: "shop")
    }

    static var shapeA: (DeliveryItem, WebhookDefinition) {
        var item = item()
        item.entry = entry("sms-click", #"{"link": "http://www.some_link.com"}"#)
        item.journeyNumber = 169
        item.params = [("leadscore", "s2")]
        item.primaryKey = "mobile"
        item.traits = Array(
            #"{"AGE_BUCKET_APR17": "25 To <30_Yr", "mobile": 9999999997, "MBR_DOBIRTH": "23-12-88"}"#.utf8)
        return (item, webhook { $0.attributes = ["MBR_DOBIRTH", "MISSING", "AGE_BUCKET_APR17"] })
    }

    static var shapeB: (DeliveryItem, WebhookDefinition) {
        var item = item()
        item.entry = entry(
            "product-search",
            """
            { "items": [ {"category_s": "lifestyle", "prqt_s": 1, "prid_s": 157, "price_s": 9990.91} ],
              "big": 18446744073709551616, "small": 0.1, "exact": 1.10E+2, "text": "a  b\\u00e9 \\"q\\" €" }
            """)
        item.journey = "act on webhook \"trigger\" test1"
        item.identity = "asha@example.in"
        item.primaryKey = "mobile"
        item.utcOffset = 19_800
        item.traits = Array(
            #"{"mobile": "9999999997", "CITY": "Thane&Kalyan", "STATE": "Maharashtra11"}"#.utf8)
        return (
            item,
            webhook {
                $0.label = "Test Webhook URL for Automation"
                $0.attributes = ["CITY", "STATE"]
            }
        )
    }

    /// Without an entry event, a primary key or a profile.
    static var bare: (DeliveryItem, WebhookDefinition) {
        var item = item(profile: nil)
        item.journey = "score"
        item.params = [("band", "hot")]
        return (item, webhook())
    }
}
