import Foundation

/// Holds what journeys did in a round against what they should have: in the database, and at the receiver.
package struct Fires: Sendable {
    let round: String
    /// Markers of events that are not stored, which fire all the same.
    let unsaved: [String: Books.Word]

    package init(round: String, _ books: Books) {
        (self.round, unsaved) = (round, books.unsaved)
    }

    /// Waits until no timer and no delivery is left, and returns every broken promise in words.
    ///
    /// Nothing may be sent meanwhile, all servers must be up, and the receiver well.
    package func violations(
        in database: Database, at desk: HookDesk, within seconds: Double = 180
    ) throws -> [String] {
        var found: [String] = []
        do {
            try eventually("no enrolment runs and no delivery waits", within: seconds, every: 0.25) {
                try Self.hurry(database)
                return try database.count("select count(*) from enrolment where ended_at is null") == 0
                    && database.count(
                        "select count(*) from delivery where state in ('queued', 'batched')") == 0
            }
        } catch {
            found.append("\(error): \(try Self.left(in: database))")
        }
        found += try structure(database)
        found += try fires(database, desk)
        return Array((found + desk.problems).prefix(50))
    }

    /// A delivery that failed twice would wait for five minutes: it is tried now. What a server has is left alone,
    /// whose lease ends within 32 s.
    private static func hurry(_ database: Database) throws {
        try database.run(
            """
            update delivery set next_at = clock_timestamp()
            where state = 'queued' and next_at > clock_timestamp() + interval '60 s'
            """)
    }

    private static func left(in database: Database) throws -> String {
        let running = try database.rows(
            "select journey, key, phase, due from enrolment where ended_at is null order by due limit 3")
        let waiting = try database.rows(
            """
            select webhook, state, attempt, next_at, now(), id from delivery where state in ('queued', 'batched')
            order by next_at limit 3
            """)
        let webhooks = try database.rows("select name, state, reason from webhook")
        return (running + waiting + webhooks).map { $0.map { $0 ?? "null" }.joined(separator: " ") }
            .joined(separator: "; ")
    }

    /// What must not be there, whatever happened.
    private func structure(_ database: Database) throws -> [String] {
        try [
            (
                "no enrolment is open without a timer",
                "select journey, key, phase from enrolment where ended_at is null and due is null"
            ),
            (
                "no timer is left behind by what has ended",
                "select journey, key, phase, due from enrolment where ended_at is not null and due is not null"
            ),
            (
                "nobody is enrolled twice with one key",
                """
                select journey, key, count(*) from enrolment where journey in ('cart', 'tour') and starts_with(key, '\(round)-')
                group by 1, 2 having count(*) > 1
                """
            ),
            (
                "nothing is parked for a timer that was decided",
                "select profile_id, left(state, 300) from memory where state like '%\"parked\"%'"
            ),
            (
                "nobody that was merged has enrolments",
                """
                select e.journey, e.key from enrolment e join alias a on a.bucket = e.bucket and a.id = e.subject
                where not e.by_event
                """
            ),
            ("no journey has a fault", "select detail, event_id from decision where kind = 'fault'"),
        ].compactMap { promise, query in
            let rows = try database.rows(query + " limit 5")
            return rows.isEmpty ? nil : "\(promise): \(rows.map { $0.map { $0 ?? "null" } })"
        }
    }

    private func fires(_ database: Database, _ desk: HookDesk) throws -> [String] {
        var found: [String] = []
        let events = try stored(database)
        var (must, may) = JourneyRules.expected(events)
        may.formUnion(try passedBy(database))
        for (marker, word) in unsaved {
            if word == .promised { must.insert(Fire("waved", marker)) }
            if word == .unknown { may.insert(Fire("waved", marker)) }
        }
        let persons = Set(events.filter { $0.activity == "look" }.map(\.person))
        var queued: [Fire: Int] = [:]
        for (fire, id, state) in try deliveries(database, persons) {
            queued[fire, default: 0] += 1
            if state != "sent" { found.append("\(fire.text) is \(state)") }
            guard let came = desk.id(of: fire) else {
                found.append("\(fire.text) is \(state), and never came to the receiver")
                continue
            }
            if came != id { found.append("\(fire.text) came under another id than it has") }
            if !desk.isTaken(fire) { found.append("\(fire.text) is \(state), and was never answered 200") }
        }
        let twice = queued.filter { $0.value > 1 }.map(\.key.text)
        let missing = must.filter { queued[$0] == nil }.map(\.text)
        let extra = queued.keys.filter { !must.contains($0) && !may.contains($0) }.map(\.text)
        let known = Set(queued.keys.map(\.text))
        let unheard = desk.fires(of: round).filter { !known.contains($0) }
        for (what, list) in [
            ("fired twice", twice), ("did not fire", missing), ("fired and should not have", extra),
            ("came to the receiver and are not in the database", unheard),
        ] where !list.isEmpty {
            found.append("\(list.count) \(what): \(list.sorted().prefix(5))")
        }
        return found
    }

    /// A server may be silent for a minute on a machine that is busy enough: what is decided without it may be wrong, and
    /// the trace says so.
    private func passedBy(_ database: Database) throws -> [Fire] {
        try database.rows(
            """
            select e.journey, e.key from decision d join enrolment e on e.id = d.enrolment
            where d.kind = 'unwaited' and starts_with(e.key, $1)
            """, "\(round)-"
        ).map { Fire($0[0] ?? "", $0[1] ?? "") }
    }

    private func stored(_ database: Database) throws -> [JourneyRules.Stored] {
        try database.rows(
            """
            select activity, properties->>'m', properties->>'cart', properties->>'total',
                coalesce(profile_id, id), coalesce(person_of(profile_id), id), (extract(epoch from time) * 1e6)::bigint,
                (extract(epoch from received_at) * 1e6)::bigint, properties->>'own'
            from event where activity in ('big-buy', 'order', 'fill-cart', 'check-out', 'begin-tour', 'look')
                and starts_with(properties->>'m', $1)
            """, "\(round)-"
        ).map { row in
            var event = JourneyRules.Stored(
                row[0] ?? "", row[1] ?? "", cart: row[2], total: Int(row[3] ?? "") ?? 0,
                profile: row[4] ?? "",
                person: row[5], time: Int(row[6] ?? "") ?? 0, received: Int(row[7] ?? "") ?? 0)
            event.isOwn = row[8] != nil
            return event
        }
    }

    /// Those of the round's markers, and of its persons.
    private func deliveries(
        _ database: Database, _ persons: Set<String>
    ) throws -> [(fire: Fire, id: UInt64?, state: String)] {
        try database.rows(
            """
            select journey, body::jsonb #>> '{custom_params,m}', body::jsonb #>> '{custom_params,step}',
                coalesce(batch_id, id), state, profile_id
            from delivery where starts_with(body::jsonb #>> '{custom_params,m}', $1) or journey = 'hot'
            """, "\(round)-"
        ).compactMap { row in
            let about = row[0] == "hot" ? row[5] ?? "" : row[1] ?? ""
            if row[0] == "hot", !persons.contains(about) { return nil }
            return (
                Fire(row[0] ?? "", about, row[2] ?? ""), HookDesk.short(row[3] ?? ""), row[4] ?? ""
            )
        }
    }
}
