import Enrolments
import Foundations
import Identity
import Journeys
import Logging
import Payload
import Postgres

/// Lets the events of a batch through to the journeys that are in force.
///
/// What is in force is looked up at most once a second: a single number, as long as nothing is applied.
final class JourneyGate {
    private let setting: Locked<RulesInForce.Setting>
    private let step: JourneyStep
    private var refreshed: UInt64 = 0
    private var isKnown = false
    /// What the present transaction came to.
    private(set) var outcome = JourneyStep.Outcome()

    /// Of the range: persons whose attributes may change, as they are before.
    private var changes: [JourneyStep.Change] = []

    /// Nanoseconds between two looks.
    private static let period: UInt64 = 1_000_000_000

    init(_ setting: Locked<RulesInForce.Setting>, identity: IdentityRules, metrics: IdentityMetrics) {
        self.setting = setting
        step = JourneyStep(RulesInForce(setting.withLock { $0 }), identity: identity, metrics: metrics)
    }

    /// Outside of the loader's transaction.
    func refresh(at now: UInt64, _ connection: Connection, _ logger: Logger) throws(PostgresError) {
        guard refreshed == 0 || now - refreshed >= Self.period else { return }
        refreshed = now
        if isKnown, try RulesInForce.generation(connection) == step.rules.generation { return }
        try step.read(setting.withLock { $0 }, connection, logger)
        isKnown = true
    }

    /// Another database, an older state of it, or another configuration.
    func forget() {
        isKnown = false
        refreshed = 0
    }

    func restore(_ outcome: JourneyStep.Outcome) { self.outcome = outcome }

    func take() -> JourneyStep.Outcome {
        defer { outcome = JourneyStep.Outcome() }
        return outcome
    }

    /// Call before the persons' traits are written: a segment may be entered because they change.
    func look(at profiles: Set<UUID>, _ batch: Batch, _ connection: Connection) throws(PostgresError) {
        changes = []
        guard step.watchesAttributes, !profiles.isEmpty else { return }
        let now = batch.receivedUntil ?? Timestamp(microseconds: 0)
        changes = try step.attributes(of: profiles, at: now, connection)
    }

    /// Steps the events of the range that are stored, or that live on in journeys only. Call before they are written:
    /// what a journey looks back at is what came before.
    func write(
        _ batch: Batch, _ range: Range<Int>, merged: Set<UUID>, _ connection: Connection
    ) throws(PostgresError) {
        if step.rules.isEmpty { return }
        var events: [JourneyStep.Event] = []
        for i in range where batch.events[i].outcome == .stored || batch.events[i].outcome == .unsaved {
            if let event = event(i, batch) { events.append(event) }
        }
        if events.isEmpty, changes.isEmpty, merged.isEmpty { return }
        let now = batch.receivedUntil ?? Timestamp(microseconds: 0)
        outcome.add(try step.step(events, changes: changes, merged: merged, at: now, connection))
    }

    /// Nil: it means nothing to anybody.
    private func event(_ i: Int, _ batch: Batch) -> JourneyStep.Event? {
        let view = batch.events[i].view
        guard step.listens(to: view.activity) else { return nil }
        let claim = batch.claims[batch.events[i].request]
        let time = EventClock.corrected(said: view.said, skew: claim.skew, receivedAt: claim.receivedAt)
        func occurrence() -> Occurrence {
            Occurrence(
                id: view.id, activity: view.activity.text, label: view.label.text, source: claim.source.text,
                time: time, received: claim.receivedAt,
                properties: batch.events[i].trimmed ?? Array(view.properties))
        }
        func isConcerned(_ properties: Bytes) -> Bool {
            step.isConcerned(
                activity: view.activity, properties: properties, time: time, received: claim.receivedAt,
                occurrence)
        }
        let isWanted = batch.events[i].trimmed.map { $0.withUnsafeBytes(isConcerned) }
        guard isWanted ?? isConcerned(view.properties) else { return nil }
        return JourneyStep.Event(occurrence(), profile: batch.profile(of: i))
    }
}
