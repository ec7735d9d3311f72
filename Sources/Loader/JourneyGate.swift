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

    /// Of the range: persons whose attributes something else than its events may change, as they are before.
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

    /// Steps the events of the range that are stored, or that live on in journeys only, and numbers all of them. Call
    /// before they are written: what a journey looks back at is what came before, and the numbers go with them.
    ///
    /// - Parameter turns: What the events made of attributes, in their order.
    func write(
        _ batch: Batch, _ range: Range<Int>, _ turns: [TraitTurn], merged: Set<UUID>, _ connection: Connection
    ) throws(PostgresError) {
        if step.rules.isEmpty { return }
        let going = range.filter {
            batch.events[$0].outcome == .stored || batch.events[$0].outcome == .unsaved
        }
        let turns = self.turns(turns, batch)
        let events = try concerning(going, turns, merged, batch, connection)
        var came = JourneyStep.Outcome()
        if !events.isEmpty || !changes.isEmpty || !turns.isEmpty || !merged.isEmpty {
            let others = witnesses(going, besides: events, turns, merged, batch)
            let now = batch.receivedUntil ?? Timestamp(microseconds: 0)
            came = try step.step(
                events, others: others, changes: changes, turns: turns, merged: merged, at: now, connection)
            outcome.add(came)
        }
        if going.isEmpty { return }
        if came.base == nil { came.number(try JourneyStep.number(connection)) }
        for i in going { batch.events[i].step = came.number(i) }
    }

    /// Those that may mean something to their persons.
    private func concerning(
        _ going: [Int], _ turns: [JourneyStep.Turn], _ merged: Set<UUID>, _ batch: Batch,
        _ connection: Connection
    ) throws(PostgresError) -> [JourneyStep.Event] {
        var concerns: [(event: Int, mayStart: Bool)] = []
        var (stepped, others) = (concerned(turns, merged), Set<UUID>())
        for i in going {
            let (concern, profile) = (concern(i, batch), batch.profile(of: i))
            // An event that is nobody's has only what it starts itself.
            if concern == .nothing || concern == .running && profile == nil { continue }
            concerns.append((i, concern == .start))
            guard let profile else { continue }
            if concern == .start { stepped.insert(profile) } else { others.insert(profile) }
        }
        let now = batch.receivedUntil ?? Timestamp(microseconds: 0)
        let idle = try step.idle(others.subtracting(stepped), besides: stepped, at: now, connection)
        return concerns.compactMap { i, mayStart in
            if let profile = batch.profile(of: i), idle.contains(profile) { return nil }
            return event(i, batch, mayStart: mayStart)
        }
    }

    /// Persons who are stepped without an event that concerns them.
    private func concerned(_ turns: [JourneyStep.Turn], _ merged: Set<UUID>) -> Set<UUID> {
        let persons = merged.union(changes.map(\.profile))
        return step.watchesAttributes ? persons.union(turns.map(\.profile)) : persons
    }

    private func concern(_ i: Int, _ batch: Batch) -> Engine.Concern {
        let view = batch.events[i].view
        guard step.listens(to: view.activity) else { return .nothing }
        let claim = batch.claims[batch.events[i].request]
        let time = EventClock.corrected(said: view.said, skew: claim.skew, receivedAt: claim.receivedAt)
        func ask(_ properties: Bytes) -> Engine.Concern {
            step.concern(
                activity: view.activity, properties: properties, time: time, received: claim.receivedAt
            ) { event(i, batch).occurrence }
        }
        return batch.events[i].trimmed.map { $0.withUnsafeBytes(ask) } ?? ask(view.properties)
    }

    private func event(_ i: Int, _ batch: Batch, mayStart: Bool = true) -> JourneyStep.Event {
        let (view, claim) = (batch.events[i].view, batch.claims[batch.events[i].request])
        let time = EventClock.corrected(said: view.said, skew: claim.skew, receivedAt: claim.receivedAt)
        let occurrence = Occurrence(
            id: view.id, activity: view.activity.text, label: view.label.text, source: claim.source.text,
            time: time, received: claim.receivedAt,
            properties: batch.events[i].trimmed ?? Array(view.properties))
        return JourneyStep.Event(
            occurrence, profile: batch.profile(of: i), place: i,
            isStored: batch.events[i].outcome == .stored, mayStart: mayStart)
    }

    /// What each event made of its person. Where nobody watches attributes, it only matters to persons who are stepped.
    private func turns(_ traits: [TraitTurn], _ batch: Batch) -> [JourneyStep.Turn] {
        Dictionary(grouping: traits, by: \.place).map { place, traits in
            let claim = batch.claims[batch.events[place].request]
            return JourneyStep.Turn(
                profile: traits[0].profile, place: place, at: claim.receivedAt, traits: traits)
        }
    }

    /// Events that start nothing, of persons that are stepped: a condition may look back at them within the batch, as
    /// it would if they had come in one before.
    private func witnesses(
        _ going: [Int], besides events: [JourneyStep.Event], _ turns: [JourneyStep.Turn], _ merged: Set<UUID>,
        _ batch: Batch
    ) -> [JourneyStep.Event] {
        let persons = concerned(turns, merged).union(events.compactMap(\.profile))
        let places = Set(events.map(\.place))
        return going.compactMap { i in
            guard batch.events[i].outcome == .stored, !places.contains(i),
                step.looksBack(at: batch.events[i].view.activity),
                let profile = batch.profile(of: i), persons.contains(profile)
            else { return nil }
            return event(i, batch)
        }
    }
}
