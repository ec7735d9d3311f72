import Foundations
import Logging

/// All lanes, and what they share: places for what was claimed, and for what is on its way. Pure: it decides, `Sender`
/// does.
struct LaneTable {
    /// The next thing to do for a lane.
    enum Departure {
        case single(Claimed, Endpoint)
        /// It has to be stored, or read, before it can go.
        case batch(Errand.Batch, places: Int)
    }

    private(set) var lanes: [String: Lane] = [:]
    /// Lanes with something to send.
    private var busy: Set<String> = []
    private var ahead: FairShare
    private(set) var flight: FairShare
    var share = Claim.Share() {
        didSet { for name in lanes.keys { lanes[name]?.servers = Int(share.count) } }
    }

    init(ahead: Int, flight: Int) {
        (self.ahead, self.flight) = (FairShare(places: ahead), FairShare(places: flight))
    }

    subscript(name: String) -> Lane? { lanes[name] }

    var isQuiet: Bool { lanes.values.allSatisfy { $0.inFlight == 0 } }

    // MARK: Claiming

    /// There may be something new for it.
    mutating func wake(_ name: String) { lanes[name]?.askAt = nil }

    /// There will be something for it, so long from now.
    mutating func wake(_ name: String, at time: Timestamp) {
        guard let askAt = lanes[name]?.askAt, askAt > time else { return }
        lanes[name]?.askAt = time
    }

    /// How many deliveries each lane takes now.
    func rooms(at now: Timestamp) -> [(webhook: String, room: Int)] {
        lanes.values.compactMap { lane in
            let room = lane.room(at: now, ahead)
            return room > 0 ? (lane.name, room) : nil
        }
    }

    /// Takes what was claimed; a lane that got nothing is asked again then. What goes back at once: those of lanes that
    /// stopped meanwhile.
    mutating func take(
        _ claimed: [Claimed], of rooms: [(webhook: String, room: Int)], nextAt: Timestamp
    ) -> [Claimed] {
        var counts: [String: Int] = [:]
        for claim in claimed {
            guard lanes[claim.webhook] != nil else { continue }
            update(claim.webhook) { $0.append(claim) }
            counts[claim.webhook, default: 0] += 1
        }
        for (name, room) in rooms {
            let count = counts[name] ?? 0
            lanes[name]?.claimed(count, of: room)
            lanes[name]?.askAt = count == 0 ? nextAt : nil
        }
        return counts.keys.sorted().flatMap { lanes[$0]?.isSending == false ? empty($0) : [] }
    }

    /// Changes a lane, and keeps count.
    @discardableResult
    private mutating func update<Result>(
        _ name: String, _ change: (inout Lane) -> Result
    ) -> Result? {
        guard var lane = lanes.removeValue(forKey: name) else { return nil }
        let (before, out) = (lane.placesReady, lane.placesInFlight)
        let result = change(&lane)
        ahead.take(lane.placesReady - before)
        flight.take(lane.placesInFlight - out)
        if lane.ready.isEmpty { busy.remove(name) } else { busy.insert(name) }
        lanes[name] = lane
        return result
    }

    // MARK: Sending

    /// What may go out now, in no order among lanes: each takes from its share only.
    mutating func departures(at now: Timestamp) -> [Departure] {
        var departures: [Departure] = []
        for name in busy {
            while let claims = next(name, at: now) {
                if let departure = depart(name, claims) { departures.append(departure) }
            }
        }
        return departures
    }

    /// The deliveries of a lane's next request.
    private mutating func next(_ name: String, at now: Timestamp) -> [Claimed]? {
        while lanes[name]?.ready.isEmpty == false, lanes[name]?.admits(at: now, flight) == true {
            let claims = update(name) { $0.next(at: now) } ?? []
            if claims.isEmpty {
                lanes[name]?.giveBackToken()
                return nil
            }
            // What lay too long would still be on its way when the lease ends: somebody finds it then.
            let latest = now.adding(microseconds: (lanes[name]?.definition.timeout ?? 0) + 2_000_000)
            if claims.allSatisfy({ $0.leaseUntil >= latest }) { return claims }
            lanes[name]?.giveBackToken()
        }
        return nil
    }

    private mutating func depart(_ name: String, _ claims: [Claimed]) -> Departure? {
        guard var first = claims.first, let endpoint = lanes[name]?.endpoint,
            let places = update(name, { $0.depart(claims) })
        else { return nil }
        if first.batch != nil { return .batch(.stored(first), places: places) }
        if claims.count > 1 { return .batch(.new(claims), places: places) }
        first.places = places
        return .single(first, endpoint)
    }

    /// A request is back, or was not sent after all.
    mutating func comeBack(_ name: String, places: Int, sent: Bool = true) {
        update(name) { $0.comeBack(places: places) }
        if !sent { lanes[name]?.giveBackToken() }
    }

    /// When a lane can go on that waits for time alone.
    func nextLook(at now: Timestamp) -> Timestamp? {
        busy.lazy.compactMap { lanes[$0]?.nextLook(at: now, flight) }.min()
    }

    // MARK: What happened

    /// Notes an attempt; what it leads to.
    mutating func note(_ attempt: AttemptResult) -> Lane.Turn {
        let name = attempt.claim.webhook
        comeBack(name, places: attempt.claim.places)
        if case .retry(let after, _) = attempt.decision {
            wake(name, at: attempt.at.adding(microseconds: after))
        }
        return lanes[name]?.note(attempt) ?? .none
    }

    /// Pauses, resumes or disables; what it had claimed and does not send.
    mutating func change(_ name: String, to state: WebhookStatus.State, at now: Timestamp) -> [Claimed] {
        lanes[name]?.state = state
        lanes[name]?.probeAt = now.adding(microseconds: Breaker.probeEvery)
        return state == .active ? [] : empty(name)
    }

    mutating func empty(_ name: String) -> [Claimed] { update(name) { $0.empty() } ?? [] }
    mutating func emptyAll() -> [Claimed] { lanes.keys.sorted().flatMap { empty($0) } }

    mutating func takeTallies() -> [(name: String, tally: Lane.Tally)] {
        lanes.keys.sorted().compactMap { name in
            guard let tally = lanes[name]?.takeTally(), !tally.isEmpty else { return nil }
            return (name, tally)
        }
    }

    mutating func restore(_ tallies: [(name: String, tally: Lane.Tally)]) {
        for (name, tally) in tallies { lanes[name]?.restore(tally) }
    }

    /// Webhooks that had no success for too long.
    func hopeless(at now: Timestamp) -> [Lane] {
        lanes.values.filter { $0.isHopeless(at: now) }
    }

    // MARK: Probes

    /// Paused webhooks that it is time to ask again.
    mutating func dueProbes(at now: Timestamp) -> [String] {
        let due = lanes.values.filter {
            $0.state == .paused && !$0.isProbing && $0.inFlight == 0 && $0.probeAt.map { $0 <= now } == true
        }.map(\.name)
        for name in due { lanes[name]?.probeAt = now.adding(microseconds: Breaker.probeEvery) }
        return due
    }

    mutating func probes(_ name: String) { lanes[name]?.isProbing = true }

    // MARK: Webhooks

    /// Takes over how a webhook is; what it had claimed and does not send any more.
    mutating func take(_ status: Errand.Outcome.Status, isChanging: Bool) -> [Claimed] {
        // What happened since is newer than the table.
        if lanes[status.name]?.tally.isEmpty == true {
            lanes[status.name]?.failingSince = status.failingSince
        }
        if isChanging { return [] }
        lanes[status.name]?.probeAt = status.probeAt
        lanes[status.name]?.changedAt = status.changedAt
        guard let lane = lanes[status.name], lane.state != status.state else { return [] }
        lanes[status.name]?.state = status.state
        return status.state == .active ? [] : empty(status.name)
    }

    /// Takes over a definition.
    mutating func define(_ definition: WebhookDefinition, _ endpoint: Endpoint?, appliedAt: Timestamp) {
        var lane = lanes[definition.name] ?? Lane(definition, endpoint)
        lane.take(definition, endpoint)
        lane.appliedAt = appliedAt
        lane.servers = Int(share.count)
        lanes[definition.name] = lane
    }

    /// Forgets webhooks that are gone.
    mutating func keep(_ names: Set<String>) {
        for name in lanes.keys where !names.contains(name) && lanes[name]?.inFlight == 0 {
            _ = empty(name)
            lanes[name] = nil
        }
    }
}
