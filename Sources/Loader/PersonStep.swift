import Foundations
import Identity
import Payload
import Postgres

/// The loader's part in who is who: reads what events say about their persons, and writes what it comes to once it
/// is certain which events are stored.
///
/// With no rules it reads nothing and writes only what merges of profiles leave to be done.
final class PersonStep {
    private let metrics: IdentityMetrics
    private var reader: SignReader
    private var signs: [Sign] = []
    private var settlement = Settlement()
    /// By event: its sign.
    private var signOf: [Int: Int] = [:]
    private var attached: [WaitingEvents.Attached] = []
    /// What the events of the range made of traits, in their order.
    private(set) var turns: [TraitTurn] = []

    /// What is remembered of whole transactions; its keeper says when one ended.
    private(set) var given = GivenIdentities()

    var rules: IdentityRules {
        didSet {
            reader = SignReader(rules, metrics: metrics)
            given = GivenIdentities()
        }
    }

    init(_ rules: IdentityRules, metrics: IdentityMetrics) {
        (self.rules, self.metrics) = (rules, metrics)
        reader = SignReader(rules, metrics: metrics)
    }

    /// What the events say that are processed, in their order. `active`: the requests that have such events.
    func read(_ batch: Batch, _ events: [Int], _ active: [Int]) -> [Sign] {
        (signs, settlement, signOf, turns) = ([], Settlement(), [:], [])
        if rules.isEmpty { return [] }
        var claim = 0
        for i in events {
            let event = batch.events[i]
            while active[claim] != event.request { claim += 1 }
            guard let sign = reader.read(event.view, i, of: batch.claims[event.request], claim) else {
                continue
            }
            signOf[i] = signs.count
            signs.append(sign)
        }
        return signs
    }

    /// Takes over what the settler came to: under whom each event stands.
    func take(_ settlement: Settlement, _ batch: Batch, _ events: [Int], _ active: [Int]) {
        self.settlement = settlement
        if settlement.isPlain { return }
        let claims = Dictionary(uniqueKeysWithValues: active.enumerated().map { ($1, $0) })
        for i in events {
            let request = batch.events[i].request
            guard let claim = claims[request],
                let profile = settlement.profile(ofEvent: i, claim: claim)
            else { continue }
            batch.events[i].profile = profile
        }
    }

    /// Writes traits, events that wait, and events that waited. Call when it is decided what is stored, and before
    /// the events themselves are.
    func write(_ batch: Batch, _ range: Range<Int>, _ connection: Connection) throws(PostgresError) {
        if signs.isEmpty, settlement.merges.isEmpty, settlement.awaited.isEmpty { return }
        let now = batch.receivedUntil ?? Timestamp(microseconds: 0)
        let (attached, late) = try WaitingEvents.attach(settlement.awaited, at: now, rules, connection)
        turns = try TraitWriter.write(late + changes(batch), after: settlement, rules, metrics, connection)
        let waiting = settlement.waiting.filter { batch.events[$0.event].outcome == .stored }
            .map { self.waiting($0, batch) }
        try WaitingEvents.add(waiting, rules, connection)
        try LookupQueue.add(waiting, at: now, connection)
        metrics.attached.add(attached.count)
        metrics.waiting.add(waiting.count { !$0.isQuestionOnly })
        try given.write(shown(batch), at: now, rules, connection)
    }

    /// The identity that each person gave last: of several at once the one that the configuration names first.
    private func shown(_ batch: Batch) -> [UUID: Kinship.Key] {
        var last: [UUID: Kinship.Key] = [:]
        for sign in signs {
            let outcome = batch.events[sign.event].outcome
            guard let shown = sign.shown.first, outcome == .stored || outcome == .unsaved,
                let profile = batch.profile(of: sign.event)
            else { continue }
            last[profile] = Kinship.Key(shown.kind, shown.value)
        }
        return last
    }

    /// Persons whose traits something else may change than events of the range: merges, and events that waited.
    var changing: Set<UUID> { winners.union(settlement.awaited.map(\.profile)) }

    /// Persons that others were merged into.
    var winners: Set<UUID> { Set(settlement.merges.map(\.winner)) }

    private func waiting(_ sign: Sign, _ batch: Batch) -> WaitingEvents.Waiting {
        let (view, claim) = (batch.events[sign.event].view, batch.claims[batch.events[sign.event].request])
        return WaitingEvents.Waiting(
            sign, id: view.id, receivedAt: claim.receivedAt, time: time(sign.event, batch),
            source: claim.source.text)
    }

    private func time(_ event: Int, _ batch: Batch) -> Timestamp {
        let (view, claim) = (batch.events[event].view, batch.claims[batch.events[event].request])
        return EventClock.corrected(said: view.said, skew: claim.skew, receivedAt: claim.receivedAt)
    }

    /// What the events that count do to the traits of their persons.
    private func changes(_ batch: Batch) -> [ProfileChange] {
        var changes: [ProfileChange] = []
        for sign in signs {
            let event = batch.events[sign.event]
            guard event.outcome == .stored || event.outcome == .unsaved,
                let profile = batch.profile(of: sign.event)
            else { continue }
            let stamp = TraitState.Stamp(time(sign.event, batch), event.view.id)
            let source = batch.claims[event.request].source.text
            for change in sign.changes + settlement.changes(by: sign) {
                changes.append(
                    ProfileChange(profile, change, stamp, source: source, place: sign.event))
            }
        }
        return changes
    }
}

extension Batch {
    /// The profile that an event stands under.
    func profile(of event: Int) -> UUID? { events[event].profile ?? claims[events[event].request].profile }
}
