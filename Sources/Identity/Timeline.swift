import Foundations
import Postgres

/// What a person did, the latest first, a page at a time: the events of all ids that mean the person, merged by time.
///
/// It costs about the same for a person of ten events and for one of a million: the index on (profile, time) is read
/// backwards, at first only in the days just before the page's end, and further back only when those have too few.
package struct Timeline: Sendable {
    package struct Event: Sendable {
        package let id: UUID
        package let time: Timestamp
        package let receivedAt: Timestamp
        package let activity: String
        package let label: String
        /// `@waymark` for what the server made.
        package let source: String
        package let session: String?
        /// The id under which it was stored.
        package let profile: UUID?
        /// JSON text.
        package let properties: [UInt8]
        /// JSON text; empty: none.
        package let context: [UInt8]
        package let tags: [String]
        package let clientID: String?
    }

    /// Where a page begins: what is older than this event. Its text is for a query string.
    package struct Cursor: Sendable, Equatable, CustomStringConvertible {
        package let time: Timestamp
        package let id: UUID

        package init(time: Timestamp, id: UUID) { (self.time, self.id) = (time, id) }

        /// Microseconds since 1970, a full stop, the event's id.
        package init?(_ text: String) {
            guard let stop = text.firstIndex(of: "."), let time = Int64(text[..<stop]),
                let id = UUID(String(text[text.index(after: stop)...]))
            else { return nil }
            self.init(time: Timestamp(microseconds: time), id: id)
        }

        package var description: String { "\(time.microseconds).\(id)" }
    }

    package let events: [Event]
    /// What to ask for the next page with; nil: there is none.
    package let next: Cursor?

    /// The first look goes back this far; each further one eight times as far, the last one to the beginning.
    private static let firstLook: Int64 = 2 * 86_400_000_000
    private static let looks = 4
    /// How far an event's time may be ahead of its arrival, doubled.
    private static let ahead: Int64 = 600_000_000

    /// - Parameter ids: all ids that mean the person (`Person.ids`).
    package static func read(
        of ids: [UUID], before cursor: Cursor?, limit: Int, now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Timeline {
        let end = cursor ?? Cursor(time: now.adding(microseconds: ahead), id: UUID(high: .max, low: .max))
        var back = firstLook
        var events: [Event] = []
        for look in 1...looks {
            let from = look == looks ? nil : end.time.adding(microseconds: -back)
            events = try page(ids, from: from, before: end, limit: limit + 1, connection)
            if events.count > limit { break }
            back *= 8
        }
        let isMore = events.count > limit
        if isMore { events.removeLast() }
        let next = isMore ? events.last.map { Cursor(time: $0.time, id: $0.id) } : nil
        return Timeline(events: events, next: next)
    }

    private static func page(
        _ ids: [UUID], from: Timestamp?, before end: Cursor, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [Event] {
        // What happened after `from` arrived after it, too, but for the few minutes that a clock may be ahead.
        let bound = from == nil ? "" : "and time >= $5 and received_at >= $6"
        var parameters = Parameters([ids, end.time, end.id, limit])
        if let from {
            parameters.append(from)
            parameters.append(from.adding(microseconds: -ahead))
        }
        let rows = try connection.execute(
            """
            select e.* from unnest($1::uuid[]) as q(profile) cross join lateral (
                select id, time, received_at, activity, label, source, session_id, profile_id, properties, context,
                    tags, client_id
                from event
                where profile_id = q.profile and time <= $2 and (time, id) < ($2, $3) \(bound)
                order by time desc, id desc limit $4) e
            order by e.time desc, e.id desc limit $4
            """, with: parameters, context: "reading a timeline")
        return (0..<rows.count).map { event(rows, $0) }
    }

    private static func event(_ rows: Rows, _ row: Int) -> Event {
        Event(
            id: rows.uuid(row, 0), time: rows.timestamp(row, 1), receivedAt: rows.timestamp(row, 2),
            activity: rows.string(row, 3), label: rows.string(row, 4), source: rows.string(row, 5),
            session: rows.stringOrNil(row, 6), profile: rows.uuidOrNil(row, 7),
            properties: Array(rows.json(row, 8)),
            context: rows.isNull(row, 9) ? [] : Array(rows.json(row, 9)),
            tags: rows.isNull(row, 10) ? [] : rows.texts(row, 10).compactMap { $0 },
            clientID: rows.stringOrNil(row, 11))
    }
}

extension Timeline.Event {
    /// The page that it happened on, where its context names one.
    package var page: String? {
        context.withUnsafeBytes { bytes in
            var finder = PageFinder()
            return finder.page(ofContext: bytes)
        }
    }
}
