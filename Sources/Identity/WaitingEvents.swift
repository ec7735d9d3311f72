import Foundations
import Payload
import Postgres

/// Events without a profile that wait until an identity becomes known, and what happens then.
///
/// An event waits under each identity that it shows; the first that becomes known takes it. Its row moves to its
/// person's bucket, under the same id and with the same times, and `attached` says so to whoever has to act on it.
package enum WaitingEvents {
    /// An event that begins to wait.
    package struct Waiting {
        let sign: Sign
        /// It shows no identity of its own: only somebody outside may know.
        package var isQuestionOnly: Bool { sign.shown.isEmpty }
        let id: UUID
        let receivedAt: Timestamp
        let time: Timestamp
        let source: String

        package init(_ sign: Sign, id: UUID, receivedAt: Timestamp, time: Timestamp, source: String) {
            (self.sign, self.id, self.receivedAt) = (sign, id, receivedAt)
            (self.time, self.source) = (time, source)
        }
    }

    /// An event that got its person.
    package struct Attached: Sendable {
        package let event: UUID
        package let receivedAt: Timestamp
        package let profile: UUID
    }

    /// So many events are attached in one transaction; the rest is done later.
    static let mostAttached = 500

    /// Makes events wait. Their identities were taken by the settler, for nobody.
    package static func add(
        _ events: [Waiting], _ rules: IdentityRules, _ connection: Connection
    ) throws(PostgresError) {
        let rows = IdentityRows(kinds: rules.kinds)
        var places: [(row: IdentityRows.Row, event: Waiting, within: Int64)] = []
        for event in events {
            for shown in event.sign.shown {
                let key = Kinship.Key(shown)
                places.append((IdentityRows.Row(key: key, bucket: rows.bucket(key)), event, shown.within))
            }
        }
        if places.isEmpty { return }
        places.sort { $0.row.precedes($1.row) }
        var parameters = rows.parameters(places.map(\.row))
        parameters.append(places.map(\.event.id))
        parameters.append(places.map(\.event.id.bucket))
        parameters.append(places.map(\.event.receivedAt))
        parameters.append(places.map { $0.event.receivedAt.adding(microseconds: $0.within) })
        var effects = ArrayColumn(of: JSONText.self)
        for place in places { place.event.effects.withUnsafeBytes { effects.append(JSONText($0)) } }
        parameters.append(effects)
        _ = try connection.execute(
            """
            insert into waiting (bucket, kind, value, event_id, event_bucket, received_at, until, effects)
            select * from unnest($1::int[], $2::text[], $3::text[], $4::uuid[], $5::int[], $6::timestamptz[],
                $7::timestamptz[], $8::jsonb[])
            on conflict (bucket, kind, value, event_id) do nothing
            """, with: parameters, context: "writing events that wait")
    }

    /// Attaches events that waited for these identities; what they say about traits is returned, to be written
    /// under the profiles' locks, which the caller holds.
    package static func attach(
        _ known: [(key: Kinship.Key, profile: UUID)], at now: Timestamp, _ rules: IdentityRules,
        _ connection: Connection
    ) throws(PostgresError) -> (attached: [Attached], changes: [ProfileChange]) {
        if known.isEmpty { return ([], []) }
        let rows = IdentityRows(kinds: rules.kinds)
        let keys = known.map { IdentityRows.Row(key: $0.key, bucket: rows.bucket($0.key)) }
        var parameters = rows.parameters(keys)
        parameters.append(known.map(\.profile))
        parameters.append(Self.mostAttached)
        let found = try connection.execute(
            """
            delete from waiting w using (
                select o.bucket, o.kind, o.value, o.event_id, q.profile_id
                from unnest($1::int[], $2::text[], $3::text[], $4::uuid[]) as q(bucket, kind, value, profile_id)
                    join waiting o on o.bucket = q.bucket and o.kind = q.kind and o.value = q.value
                order by o.received_at limit $5) as o
            where w.bucket = o.bucket and w.kind = o.kind and w.value = o.value and w.event_id = o.event_id
            returning w.event_id, w.event_bucket, w.received_at, o.profile_id, w.effects, w.until
            """, with: parameters, context: "finding events that wait")
        if found.count >= Self.mostAttached { try leave(keys, rules, at: now, connection) }
        return try move(found, at: now, connection)
    }

    /// Notes identities for which more events wait.
    private static func leave(
        _ keys: [IdentityRows.Row], _ rules: IdentityRules, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let rows = keys.sorted { $0.precedes($1) }
        try connection.execute(
            """
            insert into chore (bucket, kind, key, created_at)
            select q.bucket, 'attach', q.value, $3 from unnest($1::int[], $2::text[]) as q(bucket, value)
            on conflict (bucket, kind, key) do nothing
            """, rows.map(\.bucket),
            rows.map { rules.kinds[$0.key.kind].name + "\n" + String(decoding: $0.key.value, as: UTF8.self) },
            now)
    }

    /// An event without a profile, and whose it is.
    struct Found {
        let event: UUID
        let receivedAt: Timestamp
        let bucket: Int32
        let profile: UUID
        /// JSON text, as `Waiting` has it.
        let effects: [UInt8]
    }

    private static func move(
        _ found: Rows, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> (attached: [Attached], changes: [ProfileChange]) {
        let live = (0..<found.count).filter { found.timestamp($0, 5) >= now }.map { row in
            Found(
                event: found.uuid(row, 0), receivedAt: found.timestamp(row, 2), bucket: found.int4(row, 1),
                profile: found.uuid(row, 3), effects: Array(found.json(row, 4)))
        }
        return try attach(live, at: now, connection)
    }

    /// Attaches events, if they still have no profile.
    static func attach(
        _ events: [Found], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> (attached: [Attached], changes: [ProfileChange]) {
        if events.isEmpty { return ([], []) }
        // Who sees it without a profile has it; an event that waited for two identities is attached once.
        let taken = try connection.execute(
            """
            update event e set profile_id = q.profile_id, step = null
            from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::uuid[]) as q(bucket, id, received_at, profile_id)
            where e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at and e.profile_id is null
            returning e.id, e.profile_id
            """, events.map(\.bucket), events.map(\.event), events.map(\.receivedAt), events.map(\.profile),
            context: "attaching events")
        var profiles: [UUID: UUID] = [:]
        for row in 0..<taken.count { profiles[taken.uuid(row, 0)] = taken.uuid(row, 1) }
        var mine: [Found] = []
        for event in events where profiles[event.event] == event.profile {
            profiles[event.event] = nil
            mine.append(event)
        }
        try moveRows(
            mine.filter { $0.bucket != $0.profile.bucket }
                .map { ($0.bucket, $0.event, $0.receivedAt, $0.profile) }, connection)
        let attached = mine.map { Attached(event: $0.event, receivedAt: $0.receivedAt, profile: $0.profile) }
        try note(attached, at: now, connection)
        let changes = mine.flatMap { event in
            event.effects.withUnsafeBytes { effects($0, of: event.event, event.profile) }
        }
        return (attached, changes)
    }

    /// `bucket` is never updated: a row goes from one shard to the other.
    private static func moveRows(
        _ events: [(bucket: Int32, id: UUID, receivedAt: Timestamp, profile: UUID)], _ connection: Connection
    ) throws(PostgresError) {
        if events.isEmpty { return }
        let (buckets, ids) = (events.map(\.bucket), events.map(\.id))
        try connection.execute(
            """
            insert into event (bucket, id, received_at, time, activity, label, source, session_id, profile_id, properties,
                context, tags, client_id, client_time)
            select q.new_bucket, e.id, e.received_at, e.time, e.activity, e.label, e.source, e.session_id, e.profile_id,
                e.properties, e.context, e.tags, e.client_id, e.client_time
            from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::int[]) as q(bucket, id, received_at, new_bucket)
                join event e on e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
            """, buckets, ids, events.map(\.receivedAt), events.map(\.profile.bucket),
            context: "moving events to their persons")
        try connection.execute(
            """
            delete from event e using unnest($1::int[], $2::uuid[], $3::timestamptz[]) as q(bucket, id, received_at)
            where e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
            """, buckets, ids, events.map(\.receivedAt), context: "moving events to their persons")
    }

    private static func note(
        _ events: [Attached], at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let events = events.sorted { ($0.profile.bucket, $0.event) < ($1.profile.bucket, $1.event) }
        try connection.execute(
            """
            insert into attached (bucket, event_id, received_at, profile_id, attached_at)
            select *, $5 from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::uuid[])
            on conflict (bucket, event_id) do nothing
            """, events.map(\.profile.bucket), events.map(\.event), events.map(\.receivedAt),
            events.map(\.profile), now, context: "noting attached events")
    }

    // MARK: Effects

    private static func effects(_ json: Bytes, of event: UUID, _ profile: UUID) -> [ProfileChange] {
        var document = JSONDocument()
        guard (try? document.parse(json)) != nil,
            let time = document.root.member("time").flatMap({ EventTime.parse($0) })
        else { return [] }
        let source = document.root.member("source")?.text ?? ""
        return (document.root.member("traits")?.elements.map { $0 } ?? []).compactMap { node in
            guard let trait = node.member("trait")?.text, let value = node.member("value"),
                let operation = node.member("op").flatMap({ TraitMapping.Operation(rawValue: $0.text) })
            else { return nil }
            return ProfileChange(
                profile, TraitChange(trait, operation, Array(value.bytes)), TraitState.Stamp(time, event),
                source: source)
        }
    }
}

extension WaitingEvents.Waiting {
    /// `{"time": …, "source": …, "traits": [{"trait": …, "op": …, "value": …}]}`
    var effects: [UInt8] {
        var json = JSONWriter(capacity: 128)
        json.object { json in
            json.member("time", time)
            json.member("source", source)
            json.array("traits") { json in
                for change in sign.changes {
                    json.object { json in
                        json.member("trait", change.trait)
                        json.member("op", change.operation.rawValue)
                        change.value.withUnsafeBytes { json.member("value", json: $0) }
                    }
                }
            }
        }
        return Array(json.bytes)
    }
}
