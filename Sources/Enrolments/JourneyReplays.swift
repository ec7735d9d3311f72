import Foundations
import Journeys
import Payload
import Postgres

/// Lets journeys do what they were kept from, once that is asked for: each (journey, event) in a transaction that also
/// takes it out of the quarantine. So it happens once, however many servers are at it; and not at all once it was
/// dropped. The event is not stored again: it has been from the start.
package enum JourneyReplays {
    package enum Result {
        /// None is asked for.
        case nothing
        /// It stays in the quarantine, with the reason of now.
        case stays
        case ran(JourneyStep.Outcome)
    }

    package static func isAsked(_ connection: Connection) throws(PostgresError) -> Bool {
        try connection.execute(
            "select exists (select 1 from quarantine where journey is not null and requested_at is not null)",
            context: "looking for replays of journeys"
        ).bool(0, 0)
    }

    /// The one that was asked for first.
    package static func next(
        with step: JourneyStep, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Result {
        var taken: Row?
        do throws(PostgresError) {
            return try connection.transaction { () throws(PostgresError) in
                guard let row = try Row.take(at: now, connection) else { return .nothing }
                taken = row
                guard let what = row.what else {
                    return try keep(row, unreadable, at: now, connection)
                }
                if let obstacle = obstacle(what, step.rules) {
                    return try keep(row, obstacle, at: now, connection)
                }
                let outcome = try step.resume(what, of: row.subject(what), at: now, connection)
                try finish(row, at: now, connection)
                return .ran(outcome)
            }
        } catch {
            guard error.isRefusal, let taken, let what = taken.what else { throw error }
            return try keep(taken, JourneyFault.detail(what, error), at: now, connection)
        }
    }

    // MARK: Rows

    private struct Row {
        let id: UUID
        let profile: UUID?
        let event: UUID?
        /// Nil: it cannot be read.
        let what: Withheld?

        /// Locks it. Another server that has the same in mind waits, and finds it done.
        static func take(at now: Timestamp, _ connection: Connection) throws(PostgresError) -> Row? {
            let rows = try connection.execute(
                """
                update quarantine set claimed_at = $1
                where id = (select id from quarantine where journey is not null and requested_at is not null
                        order by requested_at, id limit 1)
                    and requested_at is not null
                returning id, profile_id, event_id, input
                """, now, context: "taking a replay of a journey")
            if rows.isEmpty { return nil }
            return Row(
                id: rows.uuid(0, 0), profile: rows.uuidOrNil(0, 1), event: rows.uuidOrNil(0, 2),
                what: Withheld(encoded: Array((rows.stringOrNil(0, 3) ?? "").utf8)))
        }

        func subject(_ what: Withheld) -> Subject {
            if let profile { return .profile(profile) }
            if case .timer(let enrolment) = what.cause { return enrolment.subject }
            return .event(event ?? id)
        }
    }

    /// Nil: it may run.
    private static func obstacle(_ what: Withheld, _ rules: RulesInForce) -> String? {
        let journey = what.journey
        if journey.isEmpty { return nil }
        // Who is in a journey that was removed goes on to the end.
        var version: String?
        if case .timer(let enrolment) = what.cause { version = enrolment.version }
        let (code, found): (String, String)
        switch rules.engine.rules.state(of: journey, version: version) {
        case nil: (code, found) = ("unknown", "none of that name in force")
        case .paused: (code, found) = ("paused", "one that is paused")
        case .draft: (code, found) = ("draft", "a draft")
        case .live, .shadow, .draining: return nil
        }
        return QuarantineDetail(code: code, expected: "the journey \(journey) to be live", found: found).json
    }

    private static var unreadable: String {
        QuarantineDetail(
            code: "unreadable", expected: "something that this version of the server has written",
            found: "something else"
        ).json
    }

    private static func keep(
        _ row: Row, _ detail: String, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Result {
        try connection.execute(
            """
            update quarantine set detail = $2::text::jsonb, requested_at = null, claimed_at = null,
                attempts = attempts + 1, replayed_at = $3
            where id = $1 and requested_at is not null
            """, row.id, detail, now, context: "keeping in the quarantine")
        return .stays
    }

    private static func finish(
        _ row: Row, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        try connection.execute(
            """
            insert into replay (id, request, received_at, source, activity, reason, outcome, at)
            select id, request, received_at, source, activity, reason, 'ran', $2 from quarantine where id = $1
            on conflict (id) do nothing
            """, row.id, now, context: "finishing a replay of a journey")
        try connection.execute(
            "delete from quarantine where id = $1", row.id, context: "finishing a replay of a journey")
    }
}
