import Foundations
import Testing

@testable import Webhooks

/// What lanes share, and that none takes it all.
@Suite struct ShareTests {
    @Test func oneAloneGetsHalfAndWhoeverComesFindsRoom() {
        var share = FairShare(places: 100)
        var own: [Int] = []
        for count in 1...20 {
            own.append(0)
            // All take what they can and never let go, until nobody gets anything.
            var isMoving = true
            while isMoving {
                isMoving = false
                for i in own.indices where share.room(holding: own[i]) > 0 {
                    (own[i], isMoving) = (own[i] + 1, true)
                    share.take(1)
                }
            }
            if count == 1 { #expect(own == [50]) }
            #expect(share.room(holding: 0) > 0)
            #expect(own.allSatisfy { $0 >= 1 })
            #expect(share.taken <= 100 + count)
        }
    }

    @Test func whatComesBackIsThereForOthers() {
        var share = FairShare(places: 10)
        share.take(10)
        #expect(share.room(holding: 5) == 0)
        #expect(share.room(holding: 0) == 1)
        share.give(8)
        #expect(share.room(holding: 0) == 8)
        #expect(share.taken == 2)
    }

    /// Thirty webhooks hang with all that they may have on its way; another one's deliveries still go out.
    @Test func lanesThatHangLeaveRoomForOthers() throws {
        let now = Timestamp(seconds: 1000)
        var table = LaneTable(ahead: 1000, flight: 60)
        for n in 0..<30 { try define("dead\(n)", concurrency: 1000, &table) }
        try define("healthy", concurrency: 10, &table)
        for n in 0..<30 { fill("dead\(n)", 100, at: now, &table) }
        let hanging = table.departures(at: now)
        #expect(hanging.count <= 60 + 30)
        for n in 0..<30 { #expect(table["dead\(n)"].map { $0.inFlight >= 1 } == true) }
        #expect(table.departures(at: now).isEmpty)
        var sent = 0
        for _ in 0..<20 {
            fill("healthy", 5, at: now, &table)
            while true {
                let departures = table.departures(at: now)
                if departures.isEmpty { break }
                for case .single(let claim, _) in departures {
                    #expect(claim.webhook == "healthy")
                    sent += 1
                    table.comeBack(claim.webhook, places: claim.places)
                }
            }
        }
        #expect(sent == 100)
    }

    @Test func largeBodiesTakeMorePlaces() throws {
        let now = Timestamp(seconds: 1000)
        var table = LaneTable(ahead: 1000, flight: 40)
        try define("large", concurrency: 1000, &table)
        fill("large", 100, size: 100_000, at: now, &table)
        // Four places of 32 KiB each, and half of all are its.
        #expect(table.departures(at: now).count == 5)
        #expect(table.flight.taken == 20)
    }

    @Test func whatWasClaimedForAWebhookThatStoppedMeanwhileGoesBack() throws {
        let now = Timestamp(seconds: 1000)
        var table = LaneTable(ahead: 1000, flight: 40)
        try define("gone", concurrency: 10, &table)
        #expect(table.change("gone", to: .disabled, at: now).isEmpty)
        let claims = [Self.claim("gone", 1, size: 10, at: now)]
        #expect(table.take(claims, of: [("gone", 5)], nextAt: now).map(\.id) == claims.map(\.id))
        #expect(table.departures(at: now).isEmpty)
    }

    /// A clock that is set back by an hour keeps no lane waiting for an hour.
    @Test func aClockThatGoesBackHoldsUpNothing() throws {
        let (now, before) = (Timestamp(seconds: 10_000), Timestamp(seconds: 6400))
        var table = LaneTable(ahead: 1000, flight: 40)
        try define("lane", concurrency: 10, &table) {
            $0.limit.rate = Rate(count: 10, microseconds: 1_000_000)
            $0.batch = WebhookDefinition.Batch(max: 100, linger: 1_000_000)
        }
        _ = table.take([], of: [("lane", 5)], nextAt: now.adding(seconds: 1))
        #expect(table.rooms(at: now).isEmpty)
        #expect(table.rooms(at: before).count == 1)
        for _ in 0..<3 {
            fill("lane", 1, at: now, &table)
            #expect(table.departures(at: now).isEmpty)
            #expect(table.departures(at: before).count == 1)
        }
    }

    /// A tally that could not be written is written with the next one.
    @Test func talliesAddUp() {
        func tally(_ change: (inout Lane.Tally) -> Void) -> Lane.Tally {
            var tally = Lane.Tally()
            change(&tally)
            return tally
        }
        let (one, two) = (Timestamp(seconds: 1), Timestamp(seconds: 2))
        let no = AttemptResult.Answer(at: one, status: 503, error: "status 503", excerpt: "no")
        let yes = AttemptResult.Answer(at: two, status: 200, error: nil, excerpt: "yes")
        let failed = tally { ($0.failures, $0.failingSince, $0.last, $0.lastFailure) = (3, one, no, no) }
        let worked = tally { ($0.hadSuccess, $0.lastSuccessAt, $0.last) = (true, two, yes) }
        #expect(failed.followed(by: Lane.Tally()).failures == 3)
        let both = failed.followed(by: worked)
        #expect(both.failures == 3 && both.hadSuccess && both.failingSince == nil)
        #expect(both.lastFailure?.excerpt == "no" && both.last?.status == 200 && both.lastSuccessAt == two)
        #expect(worked.followed(by: failed).failingSince == one)
        #expect(failed.followed(by: failed).failures == 6)
    }

    // MARK: Helpers

    private func define(
        _ name: String, concurrency: Int, _ table: inout LaneTable,
        _ change: (inout WebhookDefinition) -> Void = { _ in }
    ) throws {
        let webhook = Samples.webhook(name) {
            $0.limit.concurrency = concurrency
            change(&$0)
        }
        let endpoint = try Endpoint(webhook) { _ in nil }
        table.define(webhook, endpoint, appliedAt: Timestamp(seconds: 1))
    }

    private func fill(
        _ name: String, _ count: Int, size: Int = 100, at now: Timestamp, _ table: inout LaneTable
    ) {
        let claims = (0..<count).map { Self.claim(name, $0, size: size, at: now) }
        #expect(table.take(claims, of: [(name, count)], nextAt: now).isEmpty)
    }

    private static func claim(_ name: String, _ number: Int, size: Int, at now: Timestamp) -> Claimed {
        Claimed(
            bucket: 0, id: DeliveryID.uuid5("\(name) \(number)"), fence: 1, webhook: name, profile: nil,
            attempts: 0,
            number: 0, hadExtra: false, envelope: "form acme", item: [UInt8](repeating: 49, count: size),
            leaseUntil: now.adding(seconds: 45), claimedAt: now)
    }
}
