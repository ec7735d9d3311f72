import Foundations
import Logging
import Outbound
import Postgres
import TestSupport
import Testing

@testable import Webhooks

/// Deliveries that go out together.
@Suite struct BatchingTests {
    /// Answers 503 so many times, and 200 from then on.
    private static func receiver(failing count: Int) throws -> Receiver {
        let failures = Locked(count)
        return try Receiver { _ in
            failures.withLock { left in
                left -= 1
                return .status(left >= 0 ? 503 : 200)
            }
        }
    }

    /// As of one delivery: who lost the lease does not decide about the others of the batch either.
    @Test func aLostLeaseDecidesNothingForABatch() throws {
        let world = try World()
        let webhook = Samples.webhook()
        try world.apply(webhook)
        let ids = try world.enqueue(0..<2)
        let batch = DeliveryID.of(batch: ids)
        try world.database.run("update delivery set batch_id = '\(batch)'")
        try world.database.run("update delivery set state = 'batched', leads = false where id = '\(ids[1])'")
        let now = Clock.system.now()
        func claim(at now: Timestamp) throws -> Claimed? {
            var claim = try Claim.take(
                [(webhook: "call_centre", room: 5)], share: Claim.Share(),
                leaseUntil: now.adding(seconds: 10),
                now: now, world.connection
            ).first
            claim?.members = ids.map { Claimed.Member(bucket: Samples.profile.bucket, id: $0) }
            return claim
        }
        let (first, second) = (try #require(try claim(at: now)), try claim(at: now.adding(seconds: 11)))
        func record(_ claim: Claimed, _ status: Int) throws {
            let response = OutboundResponse(status: status, milliseconds: 1)
            let result = AttemptResult(claim, .success(response), at: now, webhook: webhook)
            try ResultStore.record([result], now: now.adding(seconds: 12), world.connection)
        }
        try record(first, 404)
        #expect(try world.count("queued") == 1 && world.count("batched") == 1)
        try record(#require(second), 200)
        #expect(try world.count("sent") == 2)
    }

    /// A batch may wait for others for longer than a request may take.
    @Test func aBatchMayLingerForAMinute() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(
            World.webhook(receiver) { $0.batch = WebhookDefinition.Batch(max: 50, linger: 60_000_000) })
        try world.enqueue(0..<10)
        let hands = Hands()
        world.startSender(clock: hands.clock)
        try eventually("all are claimed") {
            try world.database.count("select count(*) from delivery where fence = 1") == 10
        }
        hands.move(seconds: 61)
        try world.await("sent", 10)
        #expect(receiver.calls.map { World.numbers($0).count } == [10])
    }

    @Test func aBatchIsSentAgainUnchangedAndCountsForAll() throws {
        let receiver = try Self.receiver(failing: 1)
        defer { receiver.close() }
        let world = try World()
        try world.apply(
            World.webhook(receiver) {
                $0.batch = WebhookDefinition.Batch(max: 10, linger: 100_000)
                $0.limit.concurrency = 1
            })
        let hands = Hands()
        let ids = try world.enqueue(0..<10)
        world.startSender(clock: hands.clock)
        try receiver.await(1)
        try world.awaitAttempts(10)
        #expect(try world.count("batched") == 9)
        hands.move(seconds: 7)
        try world.await("sent", 10)
        let calls = receiver.calls
        #expect(calls.count == 2)
        #expect(calls[0].text == calls[1].text)
        #expect(World.numbers(calls[0]) == Array(0..<10))
        let id = DeliveryID.of(batch: ids)
        #expect(calls.allSatisfy { $0.header("webhook-id") == id.description })
        #expect(try world.database.count("select count(*) from attempt") == 20)
        // Replaying one member replays the batch.
        #expect(try WebhookStore.replay(ids[4], at: hands.clock.now(), world.connection) == 10)
        try receiver.await(3)
        #expect(receiver.calls[2].text == calls[0].text)
    }

    /// Neither is a batch on its way at the same time as another delivery of one of its persons, nor before an earlier one.
    @Test func aBatchKeepsTheOrderOfAllOfItsPersons() throws {
        let world = try World()
        let webhook = Samples.webhook { $0.order = .profile }
        try world.apply(webhook)
        let other = UUID(high: 7, low: 8)
        // The first one and the third are the other person's; the first has failed.
        let ids = try world.enqueue(0..<3, profile: { $0 == 1 ? Samples.profile : other })
        try world.database.run("update delivery set state = 'failed', attempt = 1 where id = '\(ids[0])'")
        var now = Clock.system.now()
        let claims = try world.claim(at: now)
        #expect(Set(claims.map(\.id)) == Set(ids[1...2]))
        func fetch(_ batch: Errand.Batch) throws -> Claimed? {
            try BatchStore.fetch([batch], at: now, world.connection).first??.claim
        }
        func fetch(_ claims: [Claimed]) throws -> Claimed? {
            try claims.first { $0.id == ids[1] }.flatMap { try fetch(.stored($0)) }
        }
        let leader = try #require(claims.first { $0.id == ids[1] })
        let made = try #require(try fetch(.new([leader] + claims.filter { $0.id == ids[2] })))
        try world.record([made], 503, webhook, at: now)
        // On its way again when the first one is replayed: that one waits.
        now = now.adding(seconds: 7)
        let again = try #require(try fetch(world.claim(at: now)))
        #expect(again.members.map(\.id) == [ids[1], ids[2]])
        #expect(try WebhookStore.replay(ids[0], at: now, world.connection) == 1)
        #expect(try world.claim(at: now).isEmpty)
        try world.record([again], 503, webhook, at: now)
        // Both are due: the earlier one goes, and the batch after it.
        now = now.adding(seconds: 400)
        let both = try world.claim(at: now)
        #expect(Set(both.map(\.id)) == Set(ids[0...1]))
        #expect(try fetch(both)?.id == nil)
        try world.record(both.filter { $0.id == ids[0] }, 200, webhook, at: now)
        now = now.adding(seconds: 6)
        #expect(try fetch(world.claim(at: now))?.id == ids[1])
    }

    /// The body is as it was when it was queued; so is what is said about it, alone and in a batch.
    @Test(arguments: [1, 10]) func anotherFormatIsForWhatIsQueuedFromThenOn(_ most: Int) throws {
        let receiver = try Self.receiver(failing: 1)
        defer { receiver.close() }
        let world = try World()
        let webhook = World.webhook(receiver) {
            $0.batch = WebhookDefinition.Batch(max: most, linger: 100_000)
        }
        try world.apply(webhook)
        let hands = Hands()
        world.startSender(clock: hands.clock)
        try world.enqueue(0..<min(most, 2))
        try world.awaitAttempts(1)
        var other = webhook
        other.format = .json
        try world.apply(other)
        hands.move(seconds: 7)
        try world.await("sent", min(most, 2))
        try world.enqueue(5..<6)
        try receiver.await(3)
        let types = receiver.calls.map { $0.header("content-type") }
        #expect(types[0] == "application/x-www-form-urlencoded" && types[1] == types[0])
        #expect(types[2] == "application/json")
    }

    /// What was sent by itself once keeps its id: whoever had it, and could not say so, must be able to drop it.
    @Test func whatWasSentAloneJoinsNoBatch() throws {
        let receiver = try Self.receiver(failing: 2)
        defer { receiver.close() }
        let world = try World()
        try world.apply(
            World.webhook(receiver) { $0.batch = WebhookDefinition.Batch(max: 10, linger: 20_000) })
        let hands = Hands()
        var ids: [UUID] = []
        world.startSender(clock: hands.clock)
        for i in 0..<2 {
            ids += try world.enqueue(i..<i + 1)
            try world.awaitAttempts(i + 1)
        }
        hands.move(seconds: 7)
        try world.await("sent", 2)
        #expect(receiver.calls.allSatisfy { World.numbers($0).count == 1 })
        for (i, id) in ids.enumerated() {
            let calls = receiver.calls.filter { World.numbers($0) == [i] }
            #expect(calls.count == 2 && calls.allSatisfy { $0.header("webhook-id") == id.description })
        }
    }

    /// Nor does what a server had that died: it may have sent it.
    @Test func whatAnotherServerHadJoinsNoBatch() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(
            World.webhook(receiver) { $0.batch = WebhookDefinition.Batch(max: 10, linger: 20_000) })
        let ids = try world.enqueue(0..<4)
        try world.database.run("update delivery set fence = 1 where id = '\(ids[0])' or id = '\(ids[2])'")
        world.startSender()
        try world.await("sent", 4)
        let expected = [ids[0], ids[2], DeliveryID.of(batch: [ids[1], ids[3]])].map(\.description)
        #expect(receiver.calls.compactMap { $0.header("webhook-id") }.sorted() == expected.sorted())
    }

    @Test func aSmallBatchGoesWhenItHasLingered() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(
            World.webhook(receiver) { $0.batch = WebhookDefinition.Batch(max: 100, linger: 150_000) })
        let begun = Moment.now
        let ids = try world.enqueue(0..<1)
        world.startSender()
        try world.await("sent", 1)
        #expect(Moment.now - begun >= 0.15)
        #expect(receiver.calls[0].header("webhook-id") == ids[0].description)
    }
}
