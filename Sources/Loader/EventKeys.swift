import Foundations
import Identity
import Payload
import Postgres

/// Doing it once: takes the keys of client-given event ids, in the transaction that stores the events.
struct EventKeys: ~Copyable {
    private struct Taken {
        let event: Int
        let content: Int64
        /// Days since 1970 of its arrival.
        let day: Int32
    }

    /// Days for which a key is kept; nil: for ever.
    private let days: Int?
    private var document = JSONDocument()
    private var hasher = ContentHasher()

    init(days: Int?) { self.days = days }

    /// Decides, for the events in the range, which ids are new; the others become duplicates or conflicts.
    mutating func take(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        var first: [UUID: Taken] = [:]
        for i in range where batch.events[i].outcome == nil && batch.events[i].view.clientID.count > 0 {
            let event = batch.events[i]
            if event.isVoid { continue }
            let key = eventKey(source: batch.claims[event.request].source, clientID: event.view.clientID)
            let content = hash(event.view)
            if let before = first[key] {
                repeated(batch, i, isSame: before.content == content)
            } else {
                let day = batch.claims[event.request].receivedAt.day
                first[key] = Taken(event: i, content: content, day: Int32(clamping: day))
            }
        }
        if first.isEmpty { return }
        let keys = first.sorted { ($0.key.bucket, $0.key) < ($1.key.bucket, $1.key) }
        let added = try connection.execute(
            """
            insert into event_key as k (bucket, key, content, day)
            select * from unnest($1::int[], $2::uuid[], $3::bigint[], $4::int[])
            on conflict (bucket, key) do update set content = excluded.content, day = excluded.day
            where k.day < excluded.day - $5
            returning key
            """, keys.map(\.key.bucket), keys.map(\.key), keys.map(\.value.content), keys.map(\.value.day),
            longest)
        if added.count == keys.count { return }
        var left = first
        for row in 0..<added.count { left[added.uuid(row, 0)] = nil }
        try compare(batch, left, connection)
    }

    /// Which of these events came before, under the same ids; without taking the keys, which are locked later.
    func repeats(
        _ batch: Batch, _ range: Range<Int>, among events: [Int], _ connection: Connection
    ) throws(PostgresError) -> Set<Int> {
        let asked = Set(events.filter { batch.events[$0].view.clientID.count > 0 })
        if asked.isEmpty { return [] }
        var repeats: Set<Int> = []
        var first: [UUID: (event: Int, day: Int32)] = [:]
        for i in range where batch.events[i].view.clientID.count > 0 {
            let event = batch.events[i]
            if event.isVoid || event.refusal != nil || event.outcome != nil { continue }
            let (claim, id) = (batch.claims[event.request], event.view.clientID)
            let key = eventKey(source: claim.source, clientID: id)
            if first[key] == nil {
                first[key] = (i, Int32(clamping: claim.receivedAt.day))
            } else if asked.contains(i) {
                repeats.insert(i)
            }
        }
        let keys = first.filter { asked.contains($0.value.event) }
            .sorted { ($0.key.bucket, $0.key) < ($1.key.bucket, $1.key) }
        let rows = try connection.execute(
            """
            select k.key from unnest($1::int[], $2::uuid[], $3::int[]) as q(bucket, key, day)
                join event_key k on k.bucket = q.bucket and k.key = q.key and k.day >= q.day - $4
            """, keys.map(\.key.bucket), keys.map(\.key), keys.map(\.value.day), longest)
        for row in 0..<rows.count { first[rows.uuid(row, 0)].map { _ = repeats.insert($0.event) } }
        return repeats
    }

    /// For ever: longer than all days that there are.
    private var longest: Int32 { days.map { Int32(clamping: $0) } ?? 10_000_000 }

    /// Keys that were taken before: the same content is a duplicate, another one a conflict.
    private func compare(
        _ batch: Batch, _ left: [UUID: Taken], _ connection: Connection
    ) throws(PostgresError) {
        let keys = left.keys.sorted { ($0.bucket, $0) < ($1.bucket, $1) }
        let rows = try connection.execute(
            """
            select k.key, k.content from unnest($1::int[], $2::uuid[]) as q(bucket, key)
                join event_key k on k.bucket = q.bucket and k.key = q.key
            """, keys.map(\.bucket), keys)
        for row in 0..<rows.count {
            guard let taken = left[rows.uuid(row, 0)] else { continue }
            repeated(batch, taken.event, isSame: taken.content == rows.int8(row, 1))
        }
    }

    private func repeated(_ batch: Batch, _ i: Int, isSame: Bool) {
        if isSame {
            batch.events[i].outcome = .duplicate
        } else {
            batch.events[i].refusal = Batch.Refusal(
                reason: "conflict", pointer: "/id",
                detail: QuarantineDetail(
                    code: "conflict", expected: "the activity and properties that came with this id first",
                    found: "others"),
                isConflict: true)
        }
    }

    private mutating func hash(_ event: EventView) -> Int64 {
        guard event.properties.count > 0, (try? document.parse(event.properties)) != nil else {
            return Int64(bitPattern: hasher.hash(activity: event.activity, properties: nil))
        }
        return Int64(bitPattern: hasher.hash(activity: event.activity, properties: document.root))
    }
}
