private import Crypto
import Foundations
import Payload
import Postgres

/// A `session.start` or `session.end`, which the server makes: a row of `event` with the source `@waymark`.
///
/// Its id is made from the session, the visit's number and which of the two it is: so it is the same on every server
/// and at every repeat. It is in no line of the ledger, since nobody sent it.
package struct ServerEvent {
    package enum Kind: String { case start, end }

    let id: UUID
    let kind: Kind
    let receivedAt: Timestamp
    let time: Timestamp
    let session: Bytes
    let profile: UUID?
    /// JSON text; empty where it does not matter.
    let properties: [UInt8]

    /// Where its row is: with the profile, else by itself, as all events.
    var bucket: Int32 { (profile ?? id).bucket }

    /// An id of version 5.
    package static func id(session: Bytes, visit: Int, _ kind: Kind) -> UUID {
        var hash = Insecure.SHA1()
        hash.update(bufferPointer: UnsafeRawBufferPointer(start: namespace.utf8Start, count: 16))
        hash.update(bufferPointer: session)
        withUnsafeBytes(of: Int64(visit).bigEndian) { hash.update(bufferPointer: $0) }
        hash.update(data: Array(kind.rawValue.utf8))
        return hash.finalize().withUnsafeBytes { digest in
            UUID(
                UInt64(bigEndian: digest.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: digest.loadUnaligned(fromByteOffset: 8, as: UInt64.self)), version: 5)
        }
    }

    /// Fixed for ever.
    private static let namespace: StaticString = "waymark.session1"
}

extension ServerEvent {
    /// The event of a visit.
    init(_ kind: Kind, of row: VisitRow, session: Bytes, receivedAt: Timestamp) {
        self.kind = kind
        self.receivedAt = receivedAt
        self.session = session
        id = ServerEvent.id(session: session, visit: row.visit.number, kind)
        time = kind == .start ? row.visit.run.first : row.visit.run.last
        profile = row.profile
        properties = Self.properties(kind, row, session)
    }

    private static func properties(_ kind: Kind, _ row: VisitRow, _ session: Bytes) -> [UInt8] {
        let run = row.visit.run
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("source", row.source)
            json.member("session", session.text)
            json.member("visit", row.visit.number)
            if kind == .end {
                json.member("started_at", run.first)
                json.member("seconds", Int(run.last.microseconds - run.first.microseconds) / 1_000_000)
                json.member("events", run.events)
            }
            if let page = run.entry?.page { json.member("entry_page", page) }
            if kind == .end, let page = run.exit?.page { json.member("exit_page", page) }
            guard let arrival = run.entry?.arrival else { return }
            if let referrer = arrival.referrer { json.member("referrer", referrer) }
            for (name, value) in zip(Arrival.utmNames, arrival.utm) {
                if let value { json.member(name.description, value) }
            }
            if let source = arrival.clickSource { json.member("click_source", source) }
            if let id = arrival.clickID { json.member("click_id", id) }
        }
        return Array(json.bytes)
    }
}

/// The statements on the server's own events.
enum ServerEventStore {
    static func insert(_ events: [ServerEvent], _ connection: Connection) throws(PostgresError) {
        if events.isEmpty { return }
        var parameters = parameters(events)
        var sessions = ArrayColumn(of: Bytes.self)
        for event in events { sessions.append(event.session) }
        parameters.append(sessions)
        parameters.append(events.map { "session.\($0.kind.rawValue)" })
        parameters.append(events.map { "Session \($0.kind.rawValue)" })
        parameters.append(events.map(\.profile))
        try connection.execute(
            """
            insert into event (bucket, id, received_at, time, properties, session_id, activity, label, profile_id,
                source)
            select *, '@waymark' from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::jsonb[],
                $6::text[], $7::text[], $8::text[], $9::uuid[])
            """, with: parameters, context: "writing sessions' own events")
        try tellJourneys(events.filter { $0.profile != nil }, connection)
    }

    /// Journeys take them from where they take all that came to a person later, if one listens. One that comes again
    /// under its id is nothing new to them.
    private static func tellJourneys(
        _ events: [ServerEvent], _ connection: Connection
    ) throws(PostgresError) {
        if events.isEmpty { return }
        try connection.execute(
            """
            insert into attached (bucket, event_id, received_at, profile_id, attached_at)
            select q.bucket, q.id, q.received_at, q.profile_id, q.received_at
            from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[])
                as q(bucket, id, received_at, profile_id, activity)
            where q.activity = any((select session_events from rulebook)::text[])
                and not exists (select from told t where t.bucket = bucket_of(q.id) and t.event_id = q.id)
            on conflict (bucket, event_id) do nothing
            """, events.map(\.bucket), events.map(\.id), events.map(\.receivedAt), events.map(\.profile),
            events.map { "session.\($0.kind.rawValue)" }, context: "telling journeys of sessions")
    }

    /// Gives events another time and other properties.
    static func move(_ events: [ServerEvent], _ connection: Connection) throws(PostgresError) {
        if events.isEmpty { return }
        var parameters = parameters(events)
        appendBounds(events, to: &parameters)
        try connection.execute(
            """
            update event e set time = q.time, properties = q.properties
            from unnest($1::int[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::jsonb[])
                as q(bucket, id, received_at, time, properties)
            where e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
                and e.received_at between $6 and $7
            """, with: parameters, context: "moving sessions' own events")
    }

    static func withdraw(_ events: [ServerEvent], _ connection: Connection) throws(PostgresError) {
        if events.isEmpty { return }
        var parameters = Parameters([events.map(\.bucket), events.map(\.id), events.map(\.receivedAt)])
        appendBounds(events, to: &parameters)
        let rows = try connection.execute(
            """
            delete from event e using unnest($1::int[], $2::uuid[], $3::timestamptz[]) as q(bucket, id, received_at)
            where e.bucket = q.bucket and e.id = q.id and e.received_at = q.received_at
                and e.received_at between $4 and $5
            returning e.id, e.received_at, e.step is not null
            """, with: parameters, context: "withdrawing sessions' own events")
        let told = (0..<rows.count).filter { rows.bool($0, 2) }
            .map { (id: rows.uuid($0, 0), at: rows.timestamp($0, 1)) }
            .sorted { ($0.id.bucket, $0.id) < ($1.id.bucket, $1.id) }
        if told.isEmpty { return }
        try connection.execute(
            """
            insert into told (bucket, event_id, told_at)
            select * from unnest($1::int[], $2::uuid[], $3::timestamptz[]) on conflict (bucket, event_id) do nothing
            """, told.map(\.id.bucket), told.map(\.id), told.map(\.at),
            context: "noting which of sessions' own events journeys know")
    }

    /// The first and the last arrival: without them, a plan is made for all days that there are.
    private static func appendBounds(_ events: [ServerEvent], to parameters: inout Parameters) {
        parameters.append(events.map(\.receivedAt).min())
        parameters.append(events.map(\.receivedAt).max())
    }

    private static func parameters(_ events: [ServerEvent]) -> Parameters {
        var parameters = Parameters()
        parameters.append(events.map(\.bucket))
        parameters.append(events.map(\.id))
        parameters.append(events.map(\.receivedAt))
        parameters.append(events.map(\.time))
        var properties = ArrayColumn(of: JSONText.self)
        for event in events { event.properties.withUnsafeBytes { properties.append(JSONText($0)) } }
        parameters.append(properties)
        return parameters
    }
}
