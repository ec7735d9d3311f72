import Foundations
import Journeys
import Postgres

/// What was seen so far: the names that the journeys' files are compared with before they take effect.
package enum KnownNames {
    /// Of attributes that are asked about, at most so many profiles are looked through.
    private static let mostProfiles = 200_000
    /// Profiles whose attributes are suggested in place of one that nobody has.
    private static let samples = 1000

    /// Nil: there was no event yet, so that every name would be a new one.
    ///
    /// - Parameter attributes: Those that are asked about.
    package static func read(
        attributes: [String], _ connection: Connection
    ) throws(PostgresError) -> Vocabulary? {
        let activities = try activities(connection)
        if activities.isEmpty { return nil }
        return Vocabulary(
            activities: activities.merging(own) { $0 + $1 }, attributes: try known(attributes, connection))
    }

    private static func activities(_ connection: Connection) throws(PostgresError) -> [String: [String]] {
        let rows = try connection.execute(
            """
            select a.key, array(select p.path from parameter p where p.activity = a.id order by p.number)::text[]
            from activity a
            """, context: "reading the catalogue")
        var all: [String: [String]] = [:]
        for row in 0..<rows.count {
            all[rows.string(row, 0)] = Set(rows.texts(row, 1).compactMap { $0.map(property) }).sorted()
        }
        return all
    }

    private static func known(
        _ attributes: [String], _ connection: Connection
    ) throws(PostgresError) -> [String] {
        if attributes.isEmpty { return [] }
        let rows = try connection.execute(
            """
            select name from unnest($1::text[]) name
                where exists (select from (select traits from profile limit $2) p where traits ? name)
            union select jsonb_object_keys(traits) from
                (select traits from profile where jsonb_typeof(traits) = 'object' limit $3) p
            """, attributes, Int64(mostProfiles), Int64(samples), context: "reading attributes")
        return (0..<rows.count).map { rows.string($0, 0) }
    }

    /// The server's own events are known before the first one.
    private static let own: [String: [String]] = [
        "session.start": ["source", "session", "visit"] + arrival,
        "session.end": ["source", "session", "visit", "started_at", "seconds", "events", "exit_page"]
            + arrival,
    ]
    private static let arrival = [
        "entry_page", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content",
        "click_source", "click_id",
    ]

    /// The property that a path of the catalogue begins with: `items` of `items[].price`, `a.b` of `"a.b".c`.
    static func property(_ path: String) -> String {
        var name = ""
        var rest = path.unicodeScalars[...]
        if rest.first == "\"" {
            rest = rest.dropFirst()
            while let next = rest.popFirst(), next != "\"" {
                name.unicodeScalars.append(next == "\\" ? rest.popFirst() ?? next : next)
            }
            return name
        }
        while let next = rest.popFirst(), next != ".", next != "[" { name.unicodeScalars.append(next) }
        return name
    }
}
