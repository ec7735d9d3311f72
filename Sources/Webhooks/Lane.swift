import Foundations

/// One webhook's own queue in memory: what this server has claimed for it, how much of that may be sent now, and how it
/// went. Pure: it decides, `Sender` does.
struct Lane: Sendable {
    let name: String
    private(set) var endpoint: Endpoint?
    private(set) var definition: WebhookDefinition
    var state: WebhookStatus.State
    var probeAt: Timestamp?
    var failingSince: Timestamp?
    /// When somebody enabled it, else when it was disabled or first applied; pauses come and go.
    var changedAt: Timestamp?
    private(set) var breaker = Breaker()
    /// Claimed and not sent yet, in their order.
    private(set) var ready: ArraySlice<Claimed> = []
    /// Of the places that all lanes share: what `ready` and what is on its way takes.
    private(set) var placesReady = 0
    private(set) var placesInFlight = 0
    /// Of one of those that came last, the large ones for longer.
    private var usualPlaces = 1
    /// The queue was found empty: it is asked again from then on.
    var askAt: Timestamp?
    private(set) var inFlight = 0
    /// A probe is on its way or about to be claimed.
    var isProbing = false
    private var quota: Int
    private var tokens: Double = 0
    private var filledAt: Timestamp?
    /// Our share of the webhook's limits.
    var servers = 1
    /// When the definition was applied, as the table had it.
    var appliedAt: Timestamp?
    private(set) var tally = Tally()

    /// What happened since it was last written to the table.
    struct Tally: Sendable {
        var failures = 0
        var hadSuccess = false
        var failingSince: Timestamp?
        var lastSuccessAt: Timestamp?
        var last: AttemptResult.Answer?
        var lastFailure: AttemptResult.Answer?
        var isEmpty: Bool { failures == 0 && !hadSuccess }

        func followed(by new: Tally) -> Tally {
            if new.isEmpty { return self }
            var both = new
            both.failures += failures
            both.hadSuccess = hadSuccess || new.hadSuccess
            if !new.hadSuccess { both.failingSince = failingSince ?? new.failingSince }
            both.lastSuccessAt = new.lastSuccessAt ?? lastSuccessAt
            both.lastFailure = new.lastFailure ?? lastFailure
            return both
        }
    }

    init(_ definition: WebhookDefinition, _ endpoint: Endpoint?) {
        (name, self.definition, self.endpoint) = (definition.name, definition, endpoint)
        state = .active
        quota = 2 * definition.limit.concurrency * definition.batch.max
    }

    mutating func take(_ definition: WebhookDefinition, _ endpoint: Endpoint?) {
        (self.definition, self.endpoint) = (definition, endpoint)
    }

    // MARK: How much

    private var concurrency: Int { max(1, definition.limit.concurrency / servers) }
    private static let mostReady = 2000

    /// Whether anything may go out: all of it, or a probe.
    var isSending: Bool { state == .active || state == .paused && isProbing }

    /// How many deliveries to claim now.
    ///
    /// - Parameter share: Places for what is claimed and not sent, of all lanes.
    func room(at now: Timestamp, _ share: FairShare) -> Int {
        guard endpoint != nil, !isResting(at: now) else { return 0 }
        switch state {
        case .disabled: return 0
        case .paused: return isProbing && ready.isEmpty && inFlight == 0 ? 1 : 0
        case .active: break
        }
        var wanted = min(quota, Self.mostReady)
        if let rate = definition.limit.rate {
            // Two seconds ahead: what waits longer than that is better found by another server.
            wanted = min(wanted, max(1, rate.count * 2_000_000 / Int(rate.microseconds) / servers))
        }
        guard ready.count <= wanted / 2 else { return 0 }
        let room = share.room(holding: placesReady)
        return min(wanted - ready.count, room > 0 ? max(room / usualPlaces, 1) : 0)
    }

    /// Whether its queue was empty a moment ago. What lies further ahead was said by a clock that was set back since.
    private func isResting(at now: Timestamp) -> Bool {
        guard let askAt else { return false }
        return askAt > now && askAt <= now.adding(seconds: 5)
    }

    /// What came of a claim makes the next one larger or smaller.
    mutating func claimed(_ count: Int, of room: Int) {
        let least = 2 * concurrency * definition.batch.max
        if count >= room {
            quota = min(quota * 2, Self.mostReady)
        } else if count < room / 4 {
            quota = max(quota / 2, least)
        }
    }

    /// Whether one more request may go out now; takes its token if it may.
    ///
    /// - Parameter share: Places for what is on its way, of all lanes.
    mutating func admits(at now: Timestamp, _ share: FairShare) -> Bool {
        guard share.room(holding: placesInFlight) > 0 else { return false }
        guard endpoint != nil, inFlight < (state == .paused ? 1 : concurrency) else { return false }
        guard isSending else { return false }
        guard let rate = definition.limit.rate else { return true }
        let perMicrosecond = Double(rate.count) / Double(rate.microseconds) / Double(servers)
        // A burst is what comes in a second, or one.
        let most = max(1, perMicrosecond * 1_000_000)
        if let filledAt {
            let passed = max(now.microseconds - filledAt.microseconds, 0)
            tokens = min(most, tokens + Double(passed) * perMicrosecond)
        } else {
            tokens = most
        }
        filledAt = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// A request that was admitted is not sent after all.
    mutating func giveBackToken() { tokens += 1 }

    /// When something of `ready` can be sent at the earliest; nil: nothing waits for time alone.
    func nextLook(at now: Timestamp, _ share: FairShare) -> Timestamp? {
        guard share.room(holding: placesInFlight) > 0 else { return nil }
        guard let first = ready.first, endpoint != nil, state != .disabled, inFlight < concurrency else {
            return nil
        }
        if let rate = definition.limit.rate, tokens < 1 {
            return now.adding(microseconds: max(rate.microseconds * Int64(servers) / Int64(rate.count), 1000))
        }
        if definition.batch.max > 1, first.mayJoin {
            return first.claimedAt.adding(microseconds: definition.batch.linger)
        }
        return now
    }

    /// The deliveries of the next request: one, or as many as make a batch. Empty: it still waits for more.
    mutating func next(at now: Timestamp) -> [Claimed] {
        guard let first = ready.first else { return [] }
        if !first.mayJoin || definition.batch.max == 1 || state == .paused {
            _ = ready.popFirst()
            placesReady -= Self.places(ready: first)
            return [first]
        }
        var chosen: [Claimed] = []
        var bytes = 0
        let others = ready.lazy.filter(\.mayJoin)
        for claim in others where claim.envelope == first.envelope {
            // On the wire an item may take three times its size.
            if !chosen.isEmpty, bytes + claim.item.count * 3 > WireBody.largest { break }
            chosen.append(claim)
            bytes += claim.item.count * 3
            if chosen.count == definition.batch.max { break }
        }
        let isFull = chosen.count == definition.batch.max || chosen.count < others.count
        // Or the clock was set back.
        let isOld =
            now >= first.claimedAt.adding(microseconds: definition.batch.linger) || now < first.claimedAt
        guard isFull || isOld else { return [] }
        let ids = Set(chosen.map(\.id))
        ready.removeAll { ids.contains($0.id) }
        for claim in chosen { placesReady -= Self.places(ready: claim) }
        return chosen
    }

    /// A place for what waits is 4 KiB of memory, …
    private static func places(ready claim: Claimed) -> Int { 1 + claim.item.count >> 12 }
    /// … one for what is on its way 32 KiB: the request, and the answer of up to 16 KiB.
    private static func places(inFlight claims: [Claimed]) -> Int {
        1 + claims.reduce(0) { $0 + $1.item.count } >> 15
    }

    mutating func append(_ claim: Claimed) {
        let places = Self.places(ready: claim)
        ready.append(claim)
        placesReady += places
        usualPlaces = max(places, usualPlaces - usualPlaces / 8)
    }

    /// These go out as one request, and hold so many places until they are back.
    mutating func depart(_ claims: [Claimed]) -> Int {
        let places = Self.places(inFlight: claims)
        inFlight += 1
        placesInFlight += places
        return places
    }

    mutating func comeBack(places: Int) {
        inFlight -= 1
        placesInFlight -= places
    }

    // MARK: How it went

    /// Whether there was no success for too long. Whoever enables a webhook gives it as long again.
    func isHopeless(at now: Timestamp) -> Bool {
        guard state != .disabled, let failingSince else { return false }
        let since = max(failingSince, changedAt ?? failingSince)
        return now.microseconds - since.microseconds >= definition.disableAfter
    }

    enum Turn: Sendable, Equatable { case none, pause, resume }

    mutating func note(_ result: AttemptResult) -> Turn {
        isProbing = false
        let opens = breaker.note(success: result.isSuccess, at: result.at)
        tally.last = result.answer
        if result.isSuccess {
            tally.hadSuccess = true
            tally.failingSince = nil
            tally.lastSuccessAt = result.at
            failingSince = nil
        } else {
            tally.failures += 1
            if tally.failingSince == nil { tally.failingSince = result.at }
            tally.lastFailure = result.answer
            failingSince = failingSince ?? result.at
        }
        if state == .paused, result.isSuccess {
            breaker.reset()
            return .resume
        }
        return state == .active && opens ? .pause : .none
    }

    mutating func takeTally() -> Tally {
        defer { tally = Tally() }
        return tally
    }

    /// It was not written after all: what happened since comes on top.
    mutating func restore(_ older: Tally) { tally = older.followed(by: tally) }

    /// Nothing is sent for a while: what was claimed goes back.
    mutating func empty() -> [Claimed] {
        defer { (ready, placesReady) = ([], 0) }
        return Array(ready)
    }
}
