import Foundations
import Identity
import Payload
import Postgres

/// The rows of the table `quarantine`: what could not be taken, kept with the reason.
///
/// They go in by an `INSERT`, not by the `COPY` that stores events: what broke the one must not break the other.
struct QuarantineRows: ~Copyable {
    private var ids: [UUID] = []
    private var received: [Timestamp] = []
    private var sources = ArrayColumn(of: Bytes.self)
    private var activities = ArrayColumn(of: Bytes.self)
    private var reasons = ArrayColumn(of: Bytes.self)
    private var pointers = ArrayColumn(of: Bytes.self)
    private var details = ArrayColumn(of: JSONText.self)
    private var payloads = ArrayColumn(of: JSONText.self)
    private var contexts = ArrayColumn(of: JSONText.self)
    private var sessions = ArrayColumn(of: Bytes.self)
    private var profiles: [UUID?] = []
    private var clientIDs = ArrayColumn(of: Bytes.self)
    private var said: [Timestamp?] = []
    private var tasks: [UUID] = []
    private var sentAt: [Timestamp?] = []
    private var sentProfiles = ArrayColumn(of: Bytes.self)
    private var agents = ArrayColumn(of: Bytes.self)
    private var bases: [Int16] = []
    private var flags: [Int16] = []
    private var wrapped: [Bool] = []
    private var text = ByteBuffer(capacity: 1024)

    static func insert(
        _ batch: Batch, _ events: [Int], instance: UUID, _ connection: Connection
    ) throws(PostgresError) {
        if events.isEmpty { return }
        var rows = QuarantineRows()
        for i in events {
            let event = batch.events[i]
            rows.add(event, batch.claims[event.request], batch.requests[event.request].task)
        }
        try rows.insert(instance, connection)
    }

    private mutating func add(_ event: Batch.Event, _ claim: Claim, _ task: UUID) {
        let view = event.view
        let isPoison = event.refusal?.isPoison ?? false
        ids.append(view.id)
        received.append(claim.receivedAt)
        if isPoison {
            sources.append(repaired: claim.source)
            activities.append(repaired: view.activity)
            sessions.append(repaired: claim.session)
            clientIDs.append(repaired: view.clientID)
        } else {
            sources.append(claim.source)
            activities.append(orNull: view.activity)
            sessions.append(orNull: claim.session)
            clientIDs.append(orNull: view.clientID)
        }
        addRequest(claim, task, isPoison)
        // A time that is no timestamp of PostgreSQL's may be what poisons the event.
        said.append(view.said.flatMap { $0.isStorable ? $0 : nil })
        guard let refusal = event.refusal else {
            reasons.append(view.reason)
            pointers.append(orNull: view.pointer)
            details.append(orNull: view.detail)
            payloads.append(JSONText(view.properties))
            // Intake keeps what nests too deep as a string of its text.
            wrapped.append(view.reason.equals("limit"))
            return
        }
        wrapped.append(isPoison)
        reasons.append(Bytes(start: refusal.reason.utf8Start, count: refusal.reason.utf8CodeUnitCount))
        var pointer = refusal.pointer
        pointer.withUTF8 { pointers.append(orNull: Bytes($0)) }
        text.removeAll()
        refusal.detail.append(to: &text)
        details.append(JSONText(text.bytes))
        text.removeAll()
        payload(view, isPoison)
        payloads.append(JSONText(text.bytes))
    }

    /// What a replay has to know of the request.
    private mutating func addRequest(_ claim: Claim, _ task: UUID, _ isPoison: Bool) {
        profiles.append(claim.answered)
        tasks.append(task)
        sentAt.append(claim.sentAt.flatMap { $0.isStorable ? $0 : nil })
        bases.append(Int16(claim.basis.rawValue))
        flags.append(Int16(claim.flags.rawValue))
        guard isPoison else {
            sentProfiles.append(orNull: claim.sent)
            agents.append(orNull: claim.userAgent)
            contexts.append(orNull: claim.context)
            return
        }
        sentProfiles.append(repaired: claim.sent)
        agents.append(repaired: claim.userAgent)
        text.removeAll()
        if claim.context.count > 0 { _ = appendJSONString(claim.context, to: &text) }
        contexts.append(orNull: text.bytes)
    }

    /// The event as it was sent, put together again. What poisons a statement is kept as texts, which nothing
    /// looks into.
    private mutating func payload(_ view: EventView, _ isPoison: Bool) {
        text.append("{\"type\":")
        _ = appendJSONString(view.label, to: &text)
        if view.clientID.count > 0 {
            text.append(",\"id\":")
            _ = appendJSONString(view.clientID, to: &text)
        }
        value("properties", view.properties, isPoison)
        value("context", view.context, isPoison)
        value("tags", view.tags, isPoison)
        if view.verdict == .unsaved { text.append(",\"options\":{\"save\":false}") }
        text.append("}")
    }

    private mutating func value(_ name: StaticString, _ json: Bytes, _ isPoison: Bool) {
        if json.count == 0 { return }
        text.append(",\"")
        text.append(name)
        text.append("\":")
        if isPoison { _ = appendJSONString(json, to: &text) } else { text.append(json) }
    }

    private consuming func insert(_ instance: UUID, _ connection: Connection) throws(PostgresError) {
        var parameters = Parameters()
        parameters.append(ids)
        parameters.append(received)
        parameters.append(sources)
        parameters.append(activities)
        parameters.append(reasons)
        parameters.append(pointers)
        parameters.append(details)
        parameters.append(payloads)
        parameters.append(contexts)
        parameters.append(sessions)
        parameters.append(profiles)
        parameters.append(clientIDs)
        parameters.append(said)
        parameters.append(tasks)
        parameters.append(sentAt)
        parameters.append(sentProfiles)
        parameters.append(agents)
        parameters.append(bases)
        parameters.append(flags)
        parameters.append(wrapped)
        parameters.append(instance)
        try connection.execute(
            """
            insert into quarantine (id, received_at, source, activity, reason, pointer, detail, payload, context,
                session_id, profile_id, client_id, client_time, task, sent_at, sent_profile, user_agent, basis, flags,
                is_wrapped, instance)
            select *, $21 from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::jsonb[], $8::jsonb[], $9::jsonb[], $10::text[], $11::uuid[], $12::text[], $13::timestamptz[],
                $14::uuid[], $15::timestamptz[], $16::text[], $17::text[], $18::smallint[], $19::smallint[],
                $20::bool[])
            """, with: parameters, context: "writing the quarantine")
    }
}

extension Timestamp {
    /// Not before 4713 BC, where PostgreSQL's timestamps begin.
    fileprivate var isStorable: Bool { microseconds >= -210_866_803_200_000_000 }
}

extension ArrayColumn where Element == Bytes {
    /// A text; null when it is empty.
    fileprivate mutating func append(orNull text: Bytes) {
        if text.count > 0 { append(text) } else { appendNull() }
    }

    /// A text that may be what PostgreSQL refuses, as one that it takes; null when it is empty.
    fileprivate mutating func append(repaired bytes: Bytes) {
        var text = bytes.storableText
        text.withUTF8 { append(orNull: Bytes($0)) }
    }
}

extension ArrayColumn where Element == JSONText {
    /// JSON text; null when it is empty.
    fileprivate mutating func append(orNull text: Bytes) {
        if text.count > 0 { append(JSONText(text)) } else { appendNull() }
    }
}
