import Activities
import Crypto
import Foundations
import Journeys
import Payload
import Postgres
import Webhooks

/// Turns what the engine wants delivered into rows of the queue, frozen as they will be sent.
struct Outbox {
    private let rules: RulesInForce
    private var wanted: [(delivery: Delivery, attributes: [UInt8])] = []
    /// Of the persons that something is sent about: all their ids.
    private var ids: [UUID: [UUID]] = [:]

    init(_ rules: RulesInForce) { self.rules = rules }

    var isEmpty: Bool { wanted.isEmpty }
    /// Names of the webhooks that have something to send now.
    var webhooks: Set<String> { Set(wanted.map(\.delivery.webhook)) }

    mutating func add(_ delivery: Delivery, of person: Journeys.Person?, ids known: [UUID]) {
        wanted.append((delivery, person?.attributes ?? []))
        if let profile = delivery.subject.profile { ids[profile] = known }
    }

    /// Returns what is worth a line in the log.
    func write(_ connection: Connection) throws(PostgresError) -> [DeliveryQueue.Warning] {
        if wanted.isEmpty { return [] }
        let numbers = try activityNumbers(connection)
        let identities = try identities(connection)
        // What is queued at the same time keeps the order of the steps.
        let items = wanted.enumerated()
            .sorted { ($0.element.delivery.at, $0.offset) < ($1.element.delivery.at, $1.offset) }
            .map { item($0.element.delivery, $0.element.attributes, numbers, identities) }
        return try rules.queue.enqueue(items, connection)
    }

    private func item(
        _ delivery: Delivery, _ attributes: [UInt8], _ numbers: [String: Int], _ identities: [UUID: String]
    ) -> DeliveryItem {
        var item = DeliveryItem(
            id: delivery.id, bucket: delivery.subject.id.bucket, webhook: delivery.webhook,
            panel: rules.panel,
            profile: delivery.subject.profile, queuedAt: delivery.at)
        item.journey = delivery.journey
        item.journeyNumber = rules.numbers[delivery.journey] ?? 0
        item.params = delivery.params
        if !attributes.isEmpty { item.traits = attributes }
        item.primaryKey = rules.primaryKey
        item.identity = delivery.subject.profile.flatMap { identities[$0] }
        item.utcOffset = rules.zone.offset(at: delivery.entry?.time ?? delivery.at)
        item.entry = delivery.entry.map { entry in
            let source = rules.sources[entry.source]
            return DeliveryItem.Entry(
                activity: entry.activity, name: entry.label, number: numbers[entry.activity],
                properties: entry.properties, time: entry.time,
                sourceKind: source?.kinds == [.backend] ? "backend" : "web",
                assetID: Self.assetID(entry.source), assetName: source?.name ?? entry.source)
        }
        return item
    }

    /// The source's id as 32 hexadecimal digits: its own when it is a uuid, else a hash of it.
    static func assetID(_ source: String) -> String {
        if let id = UUID(source) { return id.description.filter { $0 != "-" } }
        let digest = SHA256.hash(data: Array(source.utf8))
        let digits = Array("0123456789abcdef")
        return String(digest.prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// Also of an activity whose first event this is: the catalogue comes to it a second later.
    private func activityNumbers(_ connection: Connection) throws(PostgresError) -> [String: Int] {
        let entries = wanted.compactMap(\.delivery.entry).map {
            ActivityNumbers.Wanted(key: $0.activity, label: $0.label, source: $0.source, seen: $0.received)
        }
        return try ActivityNumbers.find(entries, most: rules.mostActivities, connection)
    }

    /// The identity that each person's client gave last.
    private func identities(_ connection: Connection) throws(PostgresError) -> [UUID: String] {
        let pairs = ids.flatMap { profile, ids in ids.map { (profile: profile, id: $0) } }
        if pairs.isEmpty { return [:] }
        let rows = try connection.execute(
            """
            select distinct on (q.profile) q.profile, i.value from unnest($1::uuid[], $2::uuid[]) as q(profile, id)
                join identity i on i.profile_id = q.id
            order by q.profile, coalesce(i.given_at, i.created_at) desc, i.given_at desc nulls last, i.value
            """, pairs.map(\.profile), pairs.map(\.id), context: "reading identities for deliveries")
        var identities: [UUID: String] = [:]
        for row in 0..<rows.count { identities[rows.uuid(row, 0)] = rows.string(row, 1) }
        return identities
    }
}
