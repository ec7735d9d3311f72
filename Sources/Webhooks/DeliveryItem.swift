import Crypto
import Foundations

/// What a journey (or any rule) hands to a webhook: all that the body is made of.
///
///     var item = DeliveryItem(webhook: "call_centre", panel: "acme", profile: profile)
///     item.id = DeliveryItem.id(enrolment: enrolment, step: 3, visit: 1)
///     item.journey = "cart abandoned"
///     item.params = [("leadscore", "s2")]
///     item.entry = DeliveryItem.Entry(activity: "product-search", name: "product search", properties: …)
package struct DeliveryItem: Sendable {
    /// The event that the enrolment began with.
    package struct Entry: Sendable {
        /// The key of its activity, `email-open`.
        package var activity: String
        /// As people write it.
        package var name: String
        /// The activity's number in the catalogue; nil: it has none yet.
        package var number: Int?
        /// JSON text of an object, as it was received.
        package var properties: [UInt8]
        package var time: Timestamp
        /// `web`, `app` or `backend`.
        package var sourceKind: String
        /// 32 hexadecimal digits.
        package var assetID: String
        package var assetName: String

        package init(
            activity: String, name: String, number: Int?, properties: [UInt8], time: Timestamp,
            sourceKind: String, assetID: String, assetName: String
        ) {
            (self.activity, self.name, self.number, self.properties) = (activity, name, number, properties)
            (self.time, self.sourceKind, self.assetID, self.assetName) = (
                time, sourceKind, assetID, assetName
            )
        }
    }

    /// Of the delivery: the receiver sees it as `webhook-id`.
    package var id: UUID
    /// Where the row lives: the profile's bucket, else the event's.
    package var bucket: Int32
    package var webhook: String
    package var panel: String
    package var profile: UUID?
    package var entry: Entry?
    package var journey = ""
    /// The journey's number, `automationid`.
    package var journeyNumber = 0
    /// As written in the step, in its order.
    package var params: [(name: String, value: String)] = []
    /// The profile's traits as JSON text of an object.
    package var traits: [UInt8] = Array("{}".utf8)
    /// The attribute that becomes `foreignkey`; nil: none.
    package var primaryKey: String?
    /// The identity that the client last gave.
    package var identity: String?
    /// How far the panel's clocks are before UTC at the entry's time (else at `queuedAt`), in seconds.
    package var utcOffset: Int64 = 0
    package var queuedAt: Timestamp

    package init(
        id: UUID, bucket: Int32, webhook: String, panel: String, profile: UUID?, queuedAt: Timestamp
    ) {
        (self.id, self.bucket, self.webhook, self.panel) = (id, bucket, webhook, panel)
        (self.profile, self.queuedAt) = (profile, queuedAt)
    }
}

/// The ids of deliveries and batches: uuid5, so that whoever makes them again makes the same.
package enum DeliveryID {
    /// A namespace of our own.
    private static let namespace = UUID(high: 0x5761_796d_6172_6b00, low: 0x8064_656c_6976_6572)

    package static func of(enrolment: UUID, step: Int, visit: Int) -> UUID {
        uuid5("\(enrolment)/\(step)/\(visit)")
    }

    /// Of a batch: from its members' ids, in their order.
    package static func of(batch members: [UUID]) -> UUID {
        uuid5("batch " + members.map(\.description).joined(separator: " "))
    }

    package static func uuid5(_ name: String) -> UUID {
        var hash = Insecure.SHA1()
        var words: [UInt8] = []
        for word in [namespace.high, namespace.low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                words.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        hash.update(data: words)
        hash.update(data: Array(name.utf8))
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (i, byte) in hash.finalize().prefix(16).enumerated() {
            if i < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        return UUID(high, low, version: 5)
    }
}
