import Foundations
import Journeys
import Postgres
import Webhooks

/// All that was applied, read from the database and ready to be stepped with: journeys, segments, scores and webhooks.
package final class RulesInForce: Sendable {
    /// What the operator's configuration says and the database does not.
    package struct Setting: Sendable {
        package var panel: String
        package var timezone: String
        package var primaryKey: String?
        /// By the source's id.
        package var sources: [String: Source]
        /// How many activities the catalogue takes.
        package var mostActivities: Int

        package init(_ configuration: Configuration) {
            panel = configuration.panel
            timezone = configuration.timezone
            primaryKey = configuration.primaryKey
            mostActivities = configuration.limits.activities
            sources = Dictionary(configuration.sources.map { ($0.id, $0) }) { a, _ in a }
        }
    }

    package let generation: Int64
    let engine: Engine
    let queue: DeliveryQueue
    let panel: String
    let primaryKey: String?
    package let zone: Zone
    let sources: [String: Source]
    let mostActivities: Int
    /// By the journey's name.
    let numbers: [String: Int]
    /// Is there anything to be stepped with?
    package let isEmpty: Bool
    /// Of segments that stand in a file.
    private let segmentNames: Set<String>

    /// Nothing was applied.
    package init(_ setting: Setting) {
        generation = 0
        engine = Engine(Rulebook(journeys: []))
        queue = DeliveryQueue([:])
        (panel, primaryKey, sources) = (setting.panel, setting.primaryKey, setting.sources)
        zone = Zone(setting.timezone) ?? .utc
        mostActivities = setting.mostActivities
        (numbers, segmentNames) = ([:], [])
        isEmpty = true
    }

    /// Reads what is in force. A definition that this version cannot read is left out and named in `faults`.
    package init(
        _ setting: Setting, faults: inout [String], _ connection: Connection
    ) throws(PostgresError) {
        let own = try connection.execute("select generation, panel, timezone, primary_key from rulebook")
        generation = own.isEmpty ? 0 : own.int8(0, 0)
        panel = (own.isEmpty ? nil : own.stringOrNil(0, 1)) ?? setting.panel
        zone = Zone((own.isEmpty ? nil : own.stringOrNil(0, 2)) ?? setting.timezone) ?? .utc
        primaryKey = (own.isEmpty ? nil : own.stringOrNil(0, 3)) ?? setting.primaryKey
        sources = setting.sources
        mostActivities = setting.mostActivities
        let stored = try StoredJourneys(connection)
        faults = stored.faults
        numbers = stored.numbers
        engine = Engine(
            Rulebook(
                journeys: stored.current, old: stored.old, segments: stored.segments + stored.oldSegments,
                scores: stored.scores + stored.oldScores, zone: zone))
        segmentNames = Set(stored.segments.map(\.name))
        queue = DeliveryQueue(try WebhookStore.definitions(connection))
        isEmpty = stored.current.isEmpty && stored.old.isEmpty
    }

    /// For a command: a definition that cannot be read is left out.
    package static func read(_ setting: Setting, _ connection: Connection) throws(PostgresError)
        -> RulesInForce
    {
        var faults: [String] = []
        return try RulesInForce(setting, faults: &faults, connection)
    }

    package func hasSegment(_ name: String) -> Bool { segmentNames.contains(name) }
    /// By name, with their conditions as they are written.
    package var segments: [(name: String, condition: String)] {
        engine.rules.segments.filter { hasSegment($0.key) }.sorted { $0.key < $1.key }
            .map { ($0.key, $0.value.condition.source) }
    }

    /// The number that is raised by each apply.
    package static func generation(_ connection: Connection) throws(PostgresError) -> Int64 {
        let rows = try connection.execute("select generation from rulebook")
        return rows.isEmpty ? 0 : rows.int8(0, 0)
    }
}

/// Definitions as they stand in the tables.
struct StoredJourneys {
    private(set) var current: [JourneyDefinition] = []
    private(set) var old: [Rulebook.Old] = []
    private(set) var segments: [SegmentDefinition] = []
    private(set) var scores: [ScoreDefinition] = []
    /// Those that stand in no file any more, if versions are there that may ask for them.
    private(set) var oldSegments: [SegmentDefinition] = []
    private(set) var oldScores: [ScoreDefinition] = []
    private(set) var numbers: [String: Int] = [:]
    private(set) var faults: [String] = []

    /// Current versions, and older ones that somebody is still in, was in when a fault ended it, or may reach the goal
    /// of, or be late evidence for, after the end.
    init(_ connection: Connection) throws(PostgresError) {
        let rows = try connection.execute(
            """
            select j.name, j.definition, j.state, j.is_current, j.number,
                (select c.state from journey c where c.name = j.name and c.is_current)
            from journey j where j.is_current or exists (select 1 from enrolment e
                where e.journey = j.name and e.version = j.version and e.ended_at is null)
                or exists (select 1 from enrolment e
                where e.journey = j.name and e.version = j.version and e.open_until is not null)
                or exists (select 1 from quarantine q where q.journey = j.name)
            order by j.name, j.applied_at
            """, context: "reading journeys")
        for row in 0..<rows.count { take(rows, row) }
        let parts = try connection.execute(
            """
            select kind, name, definition, removed_at is not null from journey_part
            where removed_at is null or $1 order by kind, name
            """, !old.isEmpty, context: "reading segments and scores")
        for row in 0..<parts.count { takePart(parts, row) }
    }

    private mutating func take(_ rows: Rows, _ row: Int) {
        let name = rows.string(row, 0)
        numbers[name] = rows.int(row, 4)
        let isCurrent = rows.bool(row, 3)
        // Of a journey that was removed nothing starts any more; who is in it goes on to the end.
        let state = isCurrent ? rows.string(row, 2) : rows.stringOrNil(row, 5) ?? "draining"
        do throws(StoredDefinitionError) {
            let state = JourneyDefinition.State(rawValue: state) ?? .draining
            let journey = try JourneyDefinition(
                name: name, canonicalJSON: Array(rows.text(row, 1)), state: state)
            if isCurrent {
                current.append(journey)
            } else {
                old.append(Rulebook.Old(journey: journey, state: state))
            }
        } catch {
            faults.append("journey \(name): \(error)")
        }
    }

    private mutating func takePart(_ rows: Rows, _ row: Int) {
        let (kind, name, json) = (rows.string(row, 0), rows.string(row, 1), Array(rows.text(row, 2)))
        do throws(StoredDefinitionError) {
            let isOld = rows.bool(row, 3)
            if kind == "segment" {
                let segment = try SegmentDefinition(name: name, canonicalJSON: json)
                if isOld { oldSegments.append(segment) } else { segments.append(segment) }
            } else {
                let score = try ScoreDefinition(name: name, canonicalJSON: json)
                if isOld { oldScores.append(score) } else { scores.append(score) }
            }
        } catch {
            faults.append("\(kind) \(name): \(error)")
        }
    }
}
