import Foundations
import Postgres

/// The outbox: writes deliveries as rows of the transaction that moved the journey.
///
///     try connection.transaction {
///         … move the enrolment …
///         try queue.enqueue(items, connection)
///     }
///     sender.wake()          // after the commit; it also looks by itself
///
/// An id that is there already is left as it is: whoever repeats a step after a crash queues nothing twice.
package struct DeliveryQueue: Sendable {
    package let webhooks: [String: WebhookDefinition]

    package init(_ webhooks: [String: WebhookDefinition]) { self.webhooks = webhooks }

    /// What is worth a line in the log.
    package struct Warning: Sendable, Equatable {
        package let id: UUID
        package let text: String
    }

    /// Renders the items and writes their rows, in this order, in one statement; each as of when it was queued.
    ///
    /// A body that is too large, or a webhook that nobody knows, makes a delivery that has failed from the start.
    @discardableResult
    package func enqueue(
        _ items: [DeliveryItem], _ connection: Connection
    ) throws(PostgresError) -> [Warning] {
        guard !items.isEmpty else { return [] }
        var rows = DeliveryRows()
        var last = Int64.min
        for item in items {
            last = max(item.queuedAt.microseconds, last + 1)
            rows.add(item, webhooks[item.webhook], ordinal: last)
        }
        try rows.insert(connection)
        return rows.warnings
    }
}

/// The columns of deliveries that are about to be inserted.
private struct DeliveryRows: ~Copyable {
    private var buckets = ArrayColumn(of: Int32.self)
    private var ids = ArrayColumn(of: UUID.self)
    private var webhooks = ArrayColumn(of: String.self)
    private var profiles = ArrayColumn(of: UUID?.self)
    private var journeys = ArrayColumn(of: String.self)
    private var states = ArrayColumn(of: String.self)
    private var ordered = ArrayColumn(of: Bool.self)
    private var ordinals = ArrayColumn(of: Int64.self)
    private var times = ArrayColumn(of: Timestamp.self)
    private var envelopes = ArrayColumn(of: String.self)
    private var bodies = ArrayColumn(of: String.self)
    private var faults: [(bucket: Int32, id: UUID, error: String, at: Timestamp)] = []
    private(set) var warnings: [DeliveryQueue.Warning] = []

    mutating func add(_ item: DeliveryItem, _ known: WebhookDefinition?, ordinal: Int64) {
        let webhook = known ?? WebhookDefinition(name: item.webhook, url: "")
        let body = ItemBody.render(item, for: webhook)
        let envelope = WireBody.Envelope(format: webhook.format, panel: item.panel)
        let size = WireBody.size(body, envelope)
        var fault = known == nil ? "there is no webhook \(item.webhook)" : nil
        if size > WireBody.largest {
            fault = "\(WireBody.tooLarge): \(size) bytes, of \(WireBody.largest) at most"
        } else if size > WireBody.warned {
            warnings.append(
                DeliveryQueue.Warning(id: item.id, text: "a large body for \(item.webhook): \(size) bytes"))
        }
        if let fault {
            warnings.append(DeliveryQueue.Warning(id: item.id, text: fault))
            faults.append((item.bucket, item.id, fault, item.queuedAt))
        }
        buckets.append(item.bucket)
        ids.append(item.id)
        webhooks.append(item.webhook)
        profiles.append(item.profile)
        journeys.append(item.journey)
        states.append(fault == nil ? "queued" : "failed")
        ordered.append(webhook.order == .profile && item.profile != nil)
        ordinals.append(ordinal)
        times.append(item.queuedAt)
        envelopes.append(envelope.text)
        bodies.append(String(decoding: body, as: UTF8.self))
    }

    func insert(_ connection: Connection) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(buckets)
        parameters.append(ids)
        parameters.append(webhooks)
        parameters.append(profiles)
        parameters.append(journeys)
        parameters.append(states)
        parameters.append(ordered)
        parameters.append(ordinals)
        parameters.append(times)
        parameters.append(envelopes)
        parameters.append(bodies)
        try connection.execute(
            """
            insert into delivery (bucket, id, webhook, profile_id, journey, state, ordered, ordinal, next_at,
                created_at, finished_at, envelope, body)
            select bucket, id, webhook, profile, nullif(journey, ''), state, ordered, ordinal, at, at,
                case when state = 'failed' then at end, envelope, body
            from unnest($1::int[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::bool[],
                $8::bigint[], $9::timestamptz[], $10::text[], $11::text[])
                as q(bucket, id, webhook, profile, journey, state, ordered, ordinal, at, envelope, body)
            on conflict (bucket, id) do nothing
            """, with: parameters, context: "queueing deliveries")
        guard !faults.isEmpty else { return }
        try connection.execute(
            """
            insert into attempt (bucket, delivery_id, number, at, milliseconds, error)
            select bucket, id, 0, at, 0, error from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::text[])
                as q(bucket, id, at, error)
            on conflict (bucket, delivery_id, number) do nothing
            """, faults.map(\.bucket), faults.map(\.id), faults.map(\.at), faults.map(\.error),
            context: "noting deliveries that cannot be sent")
    }
}

extension WireBody {
    /// How many bytes a single item is on the wire.
    static func size(_ item: [UInt8], _ envelope: Envelope) -> Int {
        make([item], envelope, at: Timestamp(seconds: 0)).count
    }
}
