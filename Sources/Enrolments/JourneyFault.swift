import Foundations
import Journeys
import Payload
import Postgres

/// A journey and an event of which the database refuses what the one makes of the other. It goes into the quarantine;
/// the event itself is stored, and counts as stored.
struct JourneyFault {
    let subject: Subject
    let what: Withheld
    /// What the database said; nil: it was not tried, since the journey had failed too often.
    let error: PostgresError?

    private var detail: QuarantineDetail {
        let name = what.journey.isEmpty ? "the journeys" : "the journey \(what.journey)"
        guard let error else {
            return QuarantineDetail(
                code: "untried", expected: "something that \(name) makes of it and PostgreSQL stores",
                found: "a journey that had just failed with others",
                message: "\(name) had just failed with other events, and is asked again")
        }
        var detail = QuarantineDetail(
            code: error.sqlstate, expected: "something that \(name) makes of it and PostgreSQL stores",
            found: "something that it refuses",
            message: "PostgreSQL refused what \(name) made of it: \(error.message)")
        detail.more = [
            ("sqlstate", error.sqlstate), ("detail", error.detail), ("where", error.location),
            ("constraint", error.constraint),
        ]
        return detail
    }

    /// As JSON text.
    static func detail(_ what: Withheld, _ error: PostgresError) -> String {
        JourneyFault(subject: .event(UUID(high: 0, low: 0)), what: what, error: error).detail.json
    }

    /// The event as the quarantine shows events.
    private var payload: String {
        var json = JSONWriter(capacity: 256)
        json.object { json in
            guard let event = what.event else { return }
            json.member("type", event.label)
            if !event.properties.isEmpty {
                event.properties.withUnsafeBytes { json.member("properties", json: $0) }
            }
        }
        return json.text
    }

    /// Rows of the quarantine, and a line each of the trace.
    static func write(
        _ faults: [JourneyFault], at now: Timestamp, _ random: inout RandomSource, _ connection: Connection
    ) throws(PostgresError) {
        if faults.isEmpty { return }
        let ids = faults.map { _ in UUID.v7(at: now, &random) }.sorted()
        var parameters = Parameters()
        parameters.append(ids)
        parameters.append(faults.map(\.what.clock))
        parameters.append(faults.map { $0.what.event?.source ?? "@journey" })
        parameters.append(faults.map { $0.what.event?.activity })
        parameters.append(faults.map(\.detail.json))
        parameters.append(faults.map(\.payload))
        parameters.append(faults.map(\.subject.profile))
        parameters.append(faults.map(\.what.journey))
        parameters.append(faults.map { $0.what.event?.id })
        parameters.append(faults.map { String(decoding: $0.what.encoded, as: UTF8.self) })
        parameters.append(faults.map { $0.error == nil ? now : nil })
        try connection.execute(
            """
            insert into quarantine (id, received_at, source, activity, reason, detail, payload, profile_id, journey,
                event_id, input, requested_at)
            select id, at, source, activity, 'journey', detail::jsonb, payload::jsonb, profile, journey, event, input,
                requested
            from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[],
                $8::text[], $9::uuid[], $10::text[], $11::timestamptz[])
                as q(id, at, source, activity, detail, payload, profile, journey, event, input, requested)
            """, with: parameters, context: "writing the quarantine")
        try trace(faults, ids, &random, connection)
    }

    private static func trace(
        _ faults: [JourneyFault], _ ids: [UUID], _ random: inout RandomSource, _ connection: Connection
    ) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(faults.map(\.subject.id.bucket))
        parameters.append(faults.map { UUID.v7(at: $0.what.clock, &random) })
        parameters.append(faults.map(\.subject.id))
        parameters.append(faults.map(\.what.clock))
        parameters.append(faults.map(\.what.journey))
        parameters.append(faults.map(\.enrolment))
        parameters.append(
            zip(faults, ids).map { fault, id in
                (fault.error == nil ? "it had just failed with others" : "PostgreSQL refused what it did")
                    + "; \(id) in the quarantine"
            })
        parameters.append(faults.map { $0.what.event?.id })
        try connection.execute(
            """
            insert into decision (bucket, id, subject, at, journey, version, enrolment, kind, detail, event_id)
            select bucket, id, subject, at, journey, '', enrolment, 'fault', detail, event
            from unnest($1::int[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::uuid[], $7::text[],
                $8::uuid[]) as q(bucket, id, subject, at, journey, enrolment, detail, event)
            """, with: parameters, context: "noting faults of journeys")
    }

    /// The subject, where there is no enrolment yet.
    private var enrolment: UUID {
        if case .timer(let enrolment) = what.cause { return enrolment.id }
        return subject.id
    }
}
