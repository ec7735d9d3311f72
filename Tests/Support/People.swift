/// What must be true of persons in any database, whatever was broken while they were told apart and merged.
package enum People {
    /// The broken promises in words; each query finds what must not be there.
    package static func violations(in database: Database, within seconds: Double = 30) throws -> [String] {
        // What was too much for one transaction is done behind the loader.
        try? eventually("no chores are left", within: seconds, every: 0.25) {
            try database.count("select count(*) from chore") == 0
        }
        return try promises.compactMap { promise, query in
            let rows = try database.rows(query + " limit 5")
            return rows.isEmpty ? nil : "\(promise): \(rows.map { $0.map { $0 ?? "null" } })"
        } + increments(in: database)
    }

    private static let promises = [
        (
            "every alias leads to a profile and is none itself",
            """
            select a.id, person_of(a.id) from alias a where exists (select from profile p where p.id = a.id)
                or not exists (select from profile p where p.id = person_of(a.id))
            """
        ),
        (
            "every session has one person",
            """
            select s.id, s.profile_id from session s where s.profile_id is not null
                and not exists (select from profile p where p.id = person_of(s.profile_id))
            """
        ),
        (
            "every identity has one person",
            """
            select i.kind, i.value from identity i where i.profile_id is not null
                and not exists (select from profile p where p.id = person_of(i.profile_id))
            """
        ),
        (
            "every event stands in its profile's bucket",
            "select e.id, e.profile_id from event e where e.bucket <> bucket_of(coalesce(e.profile_id, e.id))"
        ),
        (
            "every event with a profile has a person",
            """
            select q.profile_id from (select distinct profile_id from event where profile_id is not null) q
            where not exists (select from profile p where p.id = q.profile_id)
                and not exists (select from profile p
                    where p.bucket = bucket_of(person_of(q.profile_id)) and p.id = person_of(q.profile_id))
            """
        ),
        (
            "nothing waits for what is known",
            """
            select w.kind, w.value, w.event_id from waiting w
                join identity i on i.bucket = w.bucket and i.kind = w.kind and i.value = w.value
            where i.profile_id is not null
            """
        ),
        (
            "an event without a profile waits or shows nothing that is known",
            """
            select e.id, e.properties->>'voucher' from event e join identity i on i.kind = 'voucher_id'
                and i.value = e.properties->>'voucher' and i.profile_id is not null
            where e.profile_id is null and e.source = 'load-crm'
            """
        ),
        (
            "a visit starts and ends once",
            """
            select session_id, properties->>'visit', activity, count(*) from event
            where source = '@waymark' group by 1, 2, 3 having count(*) > 1
            """
        ),
    ]

    /// Each stored event counted once for its person: `Books.sources` make `seen` grow.
    private static func increments(in database: Database) throws -> [String] {
        let seen = try database.count(
            "select coalesce(sum((traits->>'seen')::numeric), 0)::bigint from profile")
        let stored = try database.count(
            """
            select count(*) from event where source in ('load-web', 'load-crm') and profile_id is not null
                and activity in ('page-view', 'voucher-sent', 'order')
            """)
        return seen == stored ? [] : ["persons were seen \(seen) times by \(stored) events"]
    }
}
