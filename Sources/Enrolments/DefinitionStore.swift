import ConfigurationFile
import Foundations
import Journeys
import Payload
import Postgres
import Webhooks

/// What `journeys apply` brings into force, and what it would change.
package struct DefinitionSet: Sendable {
    package var journeys: [JourneyDefinition]
    package var segments: [SegmentDefinition]
    package var scores: [ScoreDefinition]
    package var webhooks: [WebhookDefinition]
    package var panel: DefinitionFolder.Panel

    package init(_ folder: DefinitionFolder, webhooks: [WebhookDefinition]) {
        (journeys, segments, scores) = (folder.journeys, folder.segments, folder.scores)
        self.webhooks = webhooks
        panel = folder.panel
    }

    /// Reads the webhooks as well; what is wrong with them is among the folder's mistakes then.
    package init(_ folder: DefinitionFolder) {
        let webhooks = folder.webhookSections.flatMap { section in
            WebhookReader.read(section.value, directory: workingDirectory(), findings: section.findings)
        }
        self.init(folder, webhooks: webhooks)
    }
}

/// One difference between the files and what is in force.
package struct DefinitionChange: Sendable, Equatable {
    package enum Kind: String, Sendable { case added, changed, removed, state }
    package let kind: Kind
    /// `journey high_value_cart`.
    package let what: String
    /// For people: versions, states.
    package let detail: String
    /// Enrolments that run with the version that is replaced, or in what is removed.
    package var running = 0
    /// Timers of those that wait. Only pausing holds them, and ending the pause lets them go; otherwise they stay.
    package var timers = 0
}

/// The definitions in the database.
package enum DefinitionStore {
    /// What applying the set would change; empty: nothing.
    package static func plan(
        _ set: DefinitionSet, _ connection: Connection
    ) throws(PostgresError) -> [DefinitionChange] {
        var changes = try journeyChanges(set.journeys, connection)
        changes += try partChanges(set, connection)
        changes += try webhookChanges(set.webhooks, connection)
        changes += try settingChanges(set.panel, connection)
        return changes
    }

    /// Brings the set into force, in one transaction: all servers read it within seconds. Returns what changed.
    package static func apply(
        _ set: DefinitionSet, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> [DefinitionChange] {
        try connection.transaction { () throws(PostgresError) in
            // Two that apply at the same time do so one after the other.
            try connection.execute(
                "update rulebook set generation = generation + 1, applied_at = $1", now,
                context: "applying journeys")
            let changes = try plan(set, connection)
            try connection.execute(
                "update rulebook set panel = $1, timezone = $2, primary_key = $3, session_events = $4",
                set.panel.name, set.panel.timezone, set.panel.primaryKey, sessionEvents(set),
                context: "applying settings")
            try write(set.journeys, now, connection)
            try writeParts(set, now, connection)
            try WebhookStore.apply(set.webhooks, at: now, connection)
            return changes
        }
    }

    /// Of the events that the server makes itself, those that somebody listens to.
    private static func sessionEvents(_ set: DefinitionSet) -> [String] {
        let engine = Engine(
            Rulebook(journeys: set.journeys, segments: set.segments, scores: set.scores))
        return ["session.start", "session.end"].filter { name in
            name.utf8.withContiguousStorageIfAvailable { engine.listens(to: Bytes($0)) } ?? true
        }
    }

    // MARK: Journeys

    private static func journeyChanges(
        _ journeys: [JourneyDefinition], _ connection: Connection
    ) throws(PostgresError) -> [DefinitionChange] {
        let rows = try connection.execute(
            """
            select j.name, j.version, j.state, e.running, e.timers from journey j cross join lateral (
                select count(*)::int as running, count(due)::int as timers from enrolment e
                where e.journey = j.name and e.ended_at is null) e where j.is_current
            """, context: "reading journeys")
        var known: [String: (version: String, state: String, running: Int, timers: Int)] = [:]
        for row in 0..<rows.count {
            known[rows.string(row, 0)] = (
                rows.string(row, 1), rows.string(row, 2), rows.int(row, 3), rows.int(row, 4)
            )
        }
        var changes: [DefinitionChange] = []
        for journey in journeys.sorted(by: { $0.name < $1.name }) {
            let what = "journey \(journey.name)"
            guard let before = known.removeValue(forKey: journey.name) else {
                changes.append(
                    DefinitionChange(kind: .added, what: what, detail: journey.state.rawValue))
                continue
            }
            if before.version != journey.version {
                let detail = "version \(before.version.prefix(8)) becomes \(journey.version.prefix(8))"
                changes.append(
                    DefinitionChange(
                        kind: .changed, what: what, detail: detail, running: before.running,
                        timers: before.timers))
            }
            if before.state != journey.state.rawValue {
                let detail = "\(before.state) becomes \(journey.state.rawValue)"
                changes.append(
                    DefinitionChange(
                        kind: .state, what: what, detail: detail, running: before.running,
                        timers: before.timers))
            }
        }
        for (name, before) in known.sorted(by: { $0.key < $1.key }) {
            changes.append(
                DefinitionChange(
                    kind: .removed, what: "journey \(name)", detail: "who is in it goes on to its end",
                    running: before.running, timers: before.timers))
        }
        return changes
    }

    /// `applied_at` says since when a version is in force as it is: applying it again changes nothing.
    private static func write(
        _ journeys: [JourneyDefinition], _ now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let sorted = journeys.sorted { $0.name < $1.name }
        let (names, versions) = (sorted.map(\.name), sorted.map(\.version))
        try connection.execute(
            """
            update journey j set is_current = false where is_current and not exists (
                select 1 from unnest($1::text[], $2::text[]) as q(name, version)
                where q.name = j.name and q.version = j.version)
            """, names, versions, context: "applying journeys")
        let definitions = sorted.map { String(decoding: $0.canonicalJSON, as: UTF8.self) }
        let next = try connection.execute("select coalesce(max(number), 0) from journey")
        try connection.execute(
            """
            insert into journey as j (name, version, number, definition, state, is_current, applied_at)
            select q.name, q.version, coalesce(
                    (select min(o.number) from journey o where o.name = q.name), $6 + q.ordinal)::int,
                q.definition, q.state, true, $5
            from unnest($1::text[], $2::text[], $3::text[], $4::text[]) with ordinality
                as q(name, version, definition, state, ordinal)
            on conflict (name, version) do update set state = excluded.state, is_current = true,
                applied_at = excluded.applied_at
            where j.state <> excluded.state or not j.is_current
            """, names, versions, definitions, sorted.map(\.state.rawValue), now, next.int(0, 0),
            context: "applying journeys")
    }

    // MARK: Segments, scores, webhooks, settings

    private static func settingChanges(
        _ panel: DefinitionFolder.Panel, _ connection: Connection
    ) throws(PostgresError) -> [DefinitionChange] {
        let rows = try connection.execute("select panel, timezone, primary_key from rulebook")
        let names = ["panel", "timezone", "primary_key"]
        let wanted = [panel.name, panel.timezone, panel.primaryKey]
        return zip(names, wanted).enumerated().compactMap { column, setting in
            let before = rows.isEmpty ? nil : rows.stringOrNil(0, column)
            if before == setting.1 { return nil }
            let detail = "\(before ?? "as in waymark.yaml") becomes \(setting.1 ?? "as in waymark.yaml")"
            return DefinitionChange(kind: .changed, what: "setting \(setting.0)", detail: detail)
        }
    }

    private static func partChanges(
        _ set: DefinitionSet, _ connection: Connection
    ) throws(PostgresError) -> [DefinitionChange] {
        let rows = try connection.execute(
            "select kind || ' ' || name, definition from journey_part where removed_at is null")
        var known: [String: String] = [:]
        for row in 0..<rows.count { known[rows.string(row, 0)] = rows.string(row, 1) }
        return differences(parts(set).map { ("\($0.kind) \($0.name)", $0.json) }, known)
    }

    private static func webhookChanges(
        _ webhooks: [WebhookDefinition], _ connection: Connection
    ) throws(PostgresError) -> [DefinitionChange] {
        let rows = try connection.execute(
            "select 'webhook ' || name, definition from webhook where removed_at is null")
        var known: [String: String] = [:]
        for row in 0..<rows.count { known[rows.string(row, 0)] = rows.string(row, 1) }
        return differences(webhooks.map { ("webhook \($0.name)", $0.json) }, known)
    }

    private static func differences(
        _ wanted: [(what: String, json: String)], _ known: [String: String]
    ) -> [DefinitionChange] {
        var (known, changes) = (known, [DefinitionChange]())
        for (what, json) in wanted.sorted(by: { $0.what < $1.what }) {
            let before = known.removeValue(forKey: what)
            if before == json { continue }
            changes.append(
                DefinitionChange(kind: before == nil ? .added : .changed, what: what, detail: ""))
        }
        return changes
            + known.keys.sorted().map { DefinitionChange(kind: .removed, what: $0, detail: "") }
    }

    private static func parts(_ set: DefinitionSet) -> [(kind: String, name: String, json: String)] {
        set.segments.map { ("segment", $0.name, String(decoding: $0.canonicalJSON, as: UTF8.self)) }
            + set.scores.map { ("score", $0.name, String(decoding: $0.canonicalJSON, as: UTF8.self)) }
    }

    /// What stands in no file any more is kept for versions that somebody is still in.
    private static func writeParts(
        _ set: DefinitionSet, _ now: Timestamp, _ connection: Connection
    ) throws(PostgresError) {
        let parts = parts(set)
        try connection.execute(
            """
            update journey_part p set removed_at = $3::timestamptz where removed_at is null
                and not exists (select 1 from unnest($1::text[], $2::text[]) as q(kind, name)
                    where q.kind = p.kind and q.name = p.name)
            """, parts.map(\.kind), parts.map(\.name), now, context: "applying segments and scores")
        try connection.execute(
            """
            insert into journey_part as p (kind, name, definition, applied_at)
            select kind, name, definition, $4 from unnest($1::text[], $2::text[], $3::text[]) as q(kind, name, definition)
            on conflict (kind, name) do update set definition = excluded.definition, applied_at = excluded.applied_at,
                removed_at = null
            where p.definition <> excluded.definition or p.removed_at is not null
            """, parts.map(\.kind), parts.map(\.name), parts.map(\.json), now,
            context: "applying segments and scores")
    }
}
