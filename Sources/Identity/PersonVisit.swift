import Foundations
import Postgres

/// A visit as people want to read it: when, from where, on what, and what it came to.
package struct PersonVisit: Sendable {
    package let session: String
    package let number: Int
    package let source: String
    package let startedAt: Timestamp
    /// Its latest event.
    package let lastAt: Timestamp
    /// Nil: it goes on.
    package let endedAt: Timestamp?
    package let events: Int
    package let entryPage: String?
    package let exitPage: String?
    package let referrer: String?
    /// `utm_source` and its kind, `click_source`, `click_id`; those that there are.
    package let campaign: [(name: String, value: String)]
    package let device: String?
    package let os: String?
    package let browser: String?
    package let browserVersion: String?
    /// The name of the program, when it is no person.
    package let bot: String?

    private static let campaignColumns = [
        "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "click_source", "click_id",
    ]

    /// The latest first.
    ///
    /// - Parameters:
    ///   - ids: all ids that mean the person (`Person.ids`).
    ///   - before: only what began earlier; nil: all.
    package static func read(
        of ids: [UUID], before: Timestamp?, limit: Int, _ connection: Connection
    ) throws(PostgresError) -> [PersonVisit] {
        let rows = try connection.execute(
            """
            select v.session_id, v.number, v.source, v.started_at, v.last_at, v.ended, v.events, v.entry_page,
                v.exit_page, v.referrer, s.device, s.os, s.browser, s.browser_version, s.bot,
                \(campaignColumns.map { "v.\($0)" }.joined(separator: ", "))
            from (select v.* from unnest($1::uuid[]) as q(profile) cross join lateral (
                    select * from visit where profile_id = q.profile and joined is null and started_at < $2
                    order by started_at desc limit $3) v
                order by v.started_at desc, v.session_id limit $3) v
                left join session s on s.bucket = v.bucket and s.id = v.session_id
            order by v.started_at desc, v.session_id
            """, ids, before ?? Timestamp(seconds: 250_000_000_000), limit)
        return (0..<rows.count).map { visit(rows, $0) }
    }

    private static func visit(_ rows: Rows, _ row: Int) -> PersonVisit {
        let campaign = campaignColumns.enumerated().compactMap { i, name in
            rows.stringOrNil(row, 15 + i).map { (name: name, value: $0) }
        }
        return PersonVisit(
            session: rows.string(row, 0), number: rows.int(row, 1), source: rows.string(row, 2),
            startedAt: rows.timestamp(row, 3), lastAt: rows.timestamp(row, 4),
            endedAt: rows.bool(row, 5) ? rows.timestamp(row, 4) : nil, events: rows.int(row, 6),
            entryPage: rows.stringOrNil(row, 7), exitPage: rows.stringOrNil(row, 8),
            referrer: rows.stringOrNil(row, 9), campaign: campaign, device: rows.stringOrNil(row, 10),
            os: rows.stringOrNil(row, 11), browser: rows.stringOrNil(row, 12),
            browserVersion: rows.stringOrNil(row, 13), bot: rows.stringOrNil(row, 14))
    }
}
