import Foundations
import Logging
import Outbound
import Postgres
import TestSupport
import Testing

@testable import Webhooks

/// The queue and the sender with a real PostgreSQL and real sockets.
@Suite struct SendingTests {
    @Test func whatIsQueuedIsPostedSignedAndRecorded() throws {
        let receiver = try Receiver { _ in .status(200, body: "thanks") }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.sign = [SignatureTests.secret] })
        let ids = try world.enqueue(0..<3)
        world.startSender()
        try world.await("sent", 3)
        let calls = receiver.calls
        #expect(Set(calls.compactMap { $0.header("webhook-id") }) == Set(ids.map(\.description)))
        let secret = try #require(SigningSecret(SignatureTests.secret))
        for call in calls {
            #expect(call.text.hasPrefix("data=%7B%22acme%22%3A%5B%7B%22channel%22%3A%22custom_activity%22"))
            let time = Int64(call.header("webhook-timestamp") ?? "") ?? 0
            #expect(
                secret.accepts(
                    header: call.header("webhook-signature") ?? "", id: call.header("webhook-id") ?? "",
                    timestamp: time, body: call.body))
        }
        let row = try world.database.rows(
            "select number, status, error, excerpt from attempt where delivery_id = $1", ids[0].description)
        #expect(row == [["1", "200", nil, "thanks"]])
        try eventually("verified") {
            try WebhookStore.find("call_centre", world.connection)?.isUnverified == false
        }
        let status = try #require(try WebhookStore.list(world.connection).first)
        #expect(status.waiting == 0 && status.failed == 0 && status.state == .active)
        #expect(try WebhookStore.attempts(of: ids[0], world.connection).first?.status == 200)
        #expect(try WebhookStore.delivery(ids[0], world.connection)?.state == "sent")
    }

    @Test func theSameIdIsQueuedOnce() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.enqueue(0..<5)
        try world.enqueue(0..<5)
        #expect(try world.count("queued") == 5)
    }

    @Test func whatIsRolledBackIsNeverSent() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.connection.begin()
        try world.enqueue(0..<5)
        try world.connection.rollback()
        try world.enqueue(5..<6)
        world.startSender()
        try world.await("sent", 1)
        #expect(receiver.calls.map(World.numbers) == [[5]])
    }

    @Test func aFailureIsTriedAgainWithTheSameIdAndBytes() throws {
        let failures = Locked(2)
        let receiver = try Receiver { _ in
            failures.withLock { left in
                left -= 1
                return left >= 0 ? .status(500, body: "no\u{0}t now") : .status(200)
            }
        }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        let hands = Hands()
        try world.enqueue(0..<1)
        world.startSender(clock: hands.clock)
        // The next try is counted from when the last one is recorded.
        try world.awaitAttempts(1)
        hands.move(seconds: 7)
        try world.awaitAttempts(2)
        hands.move(seconds: 400)
        try world.await("sent", 1)
        let calls = receiver.calls
        #expect(Set(calls.map(\.text)).count == 1)
        #expect(Set(calls.map { $0.header("webhook-id") }).count == 1)
        #expect(Set(calls.map { $0.header("webhook-timestamp") }).count == 3)
        let log = try world.database.rows(
            "select number, status, error, excerpt from attempt order by number")
        #expect(
            log == [
                ["1", "500", "status 500", "no\u{FFFD}t now"], ["2", "500", "status 500", "no\u{FFFD}t now"],
                ["3", "200", nil, "ok"],
            ])
        let fared = """
            select failures, last_status, last_error, last_excerpt, failure_status, failure_error, failure_excerpt
            from webhook
            """
        try eventually("how it fared is noted") {
            try world.database.rows(fared)
                == [["2", "200", nil, "ok", "500", "status 500", "no\u{FFFD}t now"]]
        }
    }

    @Test func aRefusalIsFinalAndCanBeReplayed() throws {
        let status = Locked(404)
        let receiver = try Receiver { _ in .status(status.withLock { $0 }) }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        let ids = try world.enqueue(0..<4)
        world.startSender()
        try world.await("failed", 4)
        status.withLock { $0 = 200 }
        #expect(try WebhookStore.replay(ids[2], at: Clock.system.now(), world.connection) == 1)
        try world.await("sent", 1)
        let hourAgo = Clock.system.now().adding(seconds: -3600)
        let replayed = try WebhookStore.replay(
            "call_centre", since: hourAgo, at: Clock.system.now(), world.connection)
        #expect(replayed == 3)
        try world.await("sent", 4)
        let again = receiver.calls.filter { $0.header("webhook-id") == ids[2].description }
        #expect(again.count == 2 && again[0].text == again[1].text)
    }

    @Test func goneDisablesUntilSomebodyEnables() throws {
        let status = Locked(410)
        let receiver = try Receiver { _ in .status(status.withLock { $0 }) }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.limit.concurrency = 1 })
        try world.enqueue(0..<3)
        world.startSender()
        try eventually("disabled") {
            try WebhookStore.find("call_centre", world.connection)?.state == .disabled
        }
        let seen = receiver.count
        try world.enqueue(3..<6)
        status.withLock { $0 = 200 }
        #expect(try world.count("queued") == 6)
        #expect(try WebhookStore.enable("call_centre", at: Clock.system.now(), world.connection))
        try world.await("sent", 6)
        #expect(receiver.count == seen + 6)
        // In the order in which they were queued.
        #expect(receiver.calls.dropFirst(seen).flatMap(World.numbers) == [0, 1, 2, 3, 4, 5])
        #expect(try !WebhookStore.enable("nobody", at: Clock.system.now(), world.connection))
    }

    /// Enabled is not mended: it fails until something arrives, and has its whole patience before it is disabled again.
    @Test func enablingIsNoSuccess() throws {
        let status = Locked(500)
        let receiver = try Receiver { _ in .status(status.withLock { $0 }) }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.disableAfter = 600_000_000 })
        try world.enqueue(0..<1)
        let hands = Hands()
        world.startSender(clock: hands.clock)
        func find() throws -> WebhookStatus? { try WebhookStore.find("call_centre", world.connection) }
        try eventually("it fails") { try find()?.failingSince != nil }
        let since = try find()?.failingSince
        hands.move(seconds: 700)
        try eventually("disabled") { try find()?.state == .disabled }
        #expect(try find()?.reason == "no success for 10m")
        #expect(try WebhookStore.enable("call_centre", at: hands.clock.now(), world.connection))
        try world.awaitAttempts(2)
        #expect(try find()?.state == .active && find()?.failingSince == since)
        status.withLock { $0 = 200 }
        hands.move(seconds: 400)
        try world.await("sent", 1)
        try eventually("it works") { try find()?.failingSince == nil }
    }

    /// A pause is no new beginning.
    @Test func aPauseGivesNoMorePatience() throws {
        let world = try World()
        try world.apply(Samples.webhook())
        func changedAt() throws -> Timestamp? {
            try WebhookStore.find("call_centre", world.connection)?.changedAt
        }
        let applied = try changedAt()
        let later = Clock.system.now().adding(seconds: 60)
        try WebhookStore.change(
            "call_centre", from: [.active], to: .paused, reason: nil, at: later, world.connection)
        #expect(try changedAt() == applied)
        try WebhookStore.change(
            "call_centre", from: [.paused], to: .disabled, reason: nil, at: later, world.connection)
        #expect(try changedAt() == later)
    }

    @Test func whatWaitsForItsNextTryGoesOutWhenSomebodyEnables() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.enqueue(0..<3)
        // Two minutes are longer than any server has a delivery, with time-outs of 15 s.
        try world.database.run(
            "update delivery set attempt = 2, next_at = now() + interval '2 minutes'")
        #expect(try WebhookStore.enable("call_centre", at: Clock.system.now(), world.connection))
        world.startSender()
        try world.await("sent", 3)
    }

    @Test func aBrokenReceiverIsPausedProbedAndResumed() throws {
        let status = Locked(500)
        let receiver = try Receiver { _ in .status(status.withLock { $0 }) }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.limit.concurrency = 2 })
        let hands = Hands()
        try world.enqueue(0..<100)
        // A lease outlives the steps in which the clock goes below.
        world.startSender(clock: hands.clock, slack: 600)
        try eventually("paused") { try WebhookStore.find("call_centre", world.connection)?.state == .paused }
        let seen = receiver.count
        #expect((10...14).contains(seen))
        hands.move(seconds: 31)
        try receiver.await(seen + 1)
        hands.move(seconds: 31)
        try receiver.await(seen + 2)
        #expect(receiver.count == seen + 2)
        status.withLock { $0 = 200 }
        hands.move(seconds: 31)
        try eventually("resumed", every: 0.1) {
            hands.move(seconds: 1)
            return try WebhookStore.find("call_centre", world.connection)?.state == .active
        }
        // The clock only moves when nothing else does, or a slow machine would never send within a lease.
        var before = -1
        try eventually("all are sent", every: 0.2) {
            let sent = try world.count("sent")
            if sent == before { hands.move(seconds: 60) }
            before = sent
            return sent == 100
        }
    }

    /// Its deliveries wait for hours by now, but a probe asks every half minute.
    @Test func aProbeDoesNotWaitForTheNextRetry() throws {
        let status = Locked(500)
        let receiver = try Receiver { _ in .status(status.withLock { $0 }) }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.enqueue(0..<10)
        try world.database.run("update delivery set attempt = 3")
        let hands = Hands()
        world.startSender(clock: hands.clock)
        try eventually("paused") { try WebhookStore.find("call_centre", world.connection)?.state == .paused }
        status.withLock { $0 = 200 }
        hands.move(seconds: 31)
        try eventually("resumed") { try WebhookStore.find("call_centre", world.connection)?.state == .active }
        #expect(try world.count("sent") == 1 && world.count("queued") == 9)
    }

    /// An hour of probes must not use up the attempts that are meant for three days.
    @Test func aProbeIsNoAttemptOfThePlan() throws {
        let world = try World()
        let webhook = Samples.webhook()
        try world.apply(webhook)
        try world.enqueue(0..<1)
        try world.database.run("update delivery set attempt = 3, next_at = now() + interval '2 hours'")
        for number in 4...6 {
            let now = Clock.system.now()
            let claims = try Claim.takeEarly(
                "call_centre", leaseUntil: now.adding(seconds: 45), now: now, world.connection)
            #expect(claims.map(\.number) == [number - 1])
            let response = OutboundResponse(status: 500, milliseconds: 1)
            let result = try AttemptResult(
                #require(claims.first), .success(response), at: now, webhook: webhook)
            try ResultStore.record([result], now: now, world.connection)
            #expect(
                try world.database.rows("select attempt, attempt - attempt_base from delivery") == [
                    ["\(number)", "3"]
                ])
        }
    }

    /// What failed since then goes out again, with the rest of its batch, and however long ago it was queued.
    @Test func aReplayGoesByWhenItFailed() throws {
        let world = try World()
        try world.apply(Samples.webhook())
        let ids = try world.enqueue(0..<5)
        let batch = DeliveryID.of(batch: Array(ids[0...1]))
        let ages =
            [(ids[0], "3 days", "2 hours"), (ids[1], "1 hour", "5 minutes"), (ids[2], "3 days", "5 minutes")]
            + [(ids[3], "1 hour", "30 minutes"), (ids[4], "15 days", "5 minutes")]
        for (id, queued, failed) in ages {
            try world.database.run(
                """
                update delivery set state = 'failed', attempt = 1, created_at = now() - interval '\(queued)',
                    finished_at = now() - interval '\(failed)' where id = '\(id)'
                """)
        }
        try world.database.run(
            "update delivery set batch_id = '\(batch)', leads = id = '\(ids[0])' where id in ('\(ids[0])', '\(ids[1])')"
        )
        let now = Clock.system.now()
        #expect(
            try WebhookStore.replay(
                "call_centre", since: now.adding(seconds: -600), at: now, world.connection) == 3)
        let states = try world.database.rows("select state from delivery order by ordinal").map { $0[0] }
        #expect(states == ["queued", "batched", "queued", "failed", "failed"])
    }

    /// One person's deliveries go out one after the other, also when one fails; others overtake.
    @Test func onePersonsDeliveriesKeepTheirOrder() throws {
        let failed = Locked(false)
        let receiver = try Receiver { call in
            pause(0.005)
            return failed.withLock { failed in
                if World.numbers(call) == [0], !failed {
                    failed = true
                    return .status(500)
                }
                return .status(200)
            }
        }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.order = .profile })
        let hands = Hands()
        let other = UUID(high: 7, low: 8)
        try world.enqueue(0..<20, profile: { $0 < 10 ? Samples.profile : other })
        world.startSender(clock: hands.clock)
        try world.await("sent", 10)
        try world.awaitAttempts(11)
        #expect(receiver.calls.flatMap(World.numbers).filter { $0 < 10 } == [0])
        hands.move(seconds: 7)
        try world.await("sent", 20)
        let numbers = receiver.calls.flatMap(World.numbers)
        #expect(numbers.filter { $0 < 10 } == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(numbers.filter { $0 >= 10 } == Array(10..<20))
    }

    /// Also what is replayed waits until nothing of its person is on its way.
    @Test func whatIsReplayedDoesNotMeetALaterOneOnItsWay() throws {
        let world = try World()
        let webhook = Samples.webhook { $0.order = .profile }
        try world.apply(webhook)
        let ids = try world.enqueue(0..<2)
        try world.database.run("update delivery set state = 'failed', attempt = 1 where id = '\(ids[0])'")
        let now = Clock.system.now()
        let later = try world.claim(at: now)
        #expect(later.map(\.id) == [ids[1]])
        #expect(try WebhookStore.replay(ids[0], at: now, world.connection) == 1)
        #expect(try world.claim(at: now).isEmpty)
        try world.record(later, 200, webhook, at: now)
        #expect(try world.claim(at: now).map(\.id) == [ids[0]])
    }

    /// A probe is nobody's turn before it comes, and asks nobody who asked for patience.
    @Test func aProbeKeepsTheOrderAndTheReceiversPatience() throws {
        let world = try World()
        let webhook = Samples.webhook { $0.order = .profile }
        try world.apply(webhook)
        let other = UUID(high: 7, low: 8)
        let ids = try world.enqueue(0..<3, profile: { $0 < 2 ? Samples.profile : other })
        let now = Clock.system.now()
        func probe() throws -> [Claimed] {
            try Claim.takeEarly(
                "call_centre", leaseUntil: now.adding(seconds: 60), now: now, world.connection)
        }
        func wait(_ hours: [Int]) throws {
            for (id, hours) in zip(ids, hours) {
                try world.database.run(
                    "update delivery set next_at = now() + interval '\(hours) hours' where id = '\(id)'")
            }
        }
        try wait([2, 1, 3])
        #expect(try probe().map(\.id) == [ids[0]])
        // The first one was answered with a Retry-After of two hours, the third one waits as planned.
        for (id, attempt) in [(ids[0], 1), (ids[2], 4)] {
            try world.database.run(
                "update delivery set attempt = \(attempt), attempt_base = 0 where id = '\(id)'")
            try world.database.run(
                """
                insert into attempt (bucket, delivery_id, number, at, milliseconds, status)
                select bucket, id, attempt, now(), 5, 503 from delivery where id = '\(id)'
                """)
        }
        try wait([2, 1, 2])
        #expect(try probe().map(\.id) == [ids[2]])
    }

    /// A server that dies between sending and recording: the receiver gets the delivery again, under the same id.
    @Test func aServerThatDiesBeforeItRecordsMakesNoSecondId() throws {
        let holds = Locked(true)
        let receiver = try Receiver { _ in holds.withLock { $0 } ? .silence : .status(200) }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.timeout = 2_000_000 })
        let ids = try world.enqueue(0..<3)
        // The first server dies: its database connection is cut, and nothing of it comes back.
        let dying = try OutboundClient(logger: Logger(label: "test"))
        let hands = Hands()
        var options = Sender.Options { _ in nil }
        options.slack = 5
        let first = Sender(client: dying, options: options, clock: hands.clock, logger: Logger(label: "test"))
        first.use(world.database.conninfo)
        try receiver.await(3)
        first.use(nil)
        holds.withLock { $0 = false }
        let second = world.startSender(clock: hands.clock, slack: 5)
        #expect(try world.count("sent") == 0)
        hands.move(seconds: 30)
        second.wake()
        try world.await("sent", 3)
        dying.stop()
        let calls = receiver.calls
        #expect(calls.count == 6)
        #expect(Set(calls.compactMap { $0.header("webhook-id") }) == Set(ids.map(\.description)))
        #expect(try world.database.count("select count(*) from attempt") == 3)
    }

    /// The fence: whoever lost its lease records nothing.
    @Test func aLostLeaseRecordsNothing() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        let webhook = World.webhook(receiver)
        try world.apply(webhook)
        try world.enqueue(0..<1)
        let now = Clock.system.now()
        let rooms = [(webhook: "call_centre", room: 5)]
        let first = try Claim.take(
            rooms, share: Claim.Share(), leaseUntil: now.adding(seconds: 10), now: now, world.connection)
        #expect(first.count == 1)
        let none = try Claim.take(
            rooms, share: Claim.Share(), leaseUntil: now.adding(seconds: 10), now: now, world.connection)
        #expect(none.isEmpty)
        let later = now.adding(seconds: 11)
        let second = try Claim.take(
            rooms, share: Claim.Share(), leaseUntil: later.adding(seconds: 10), now: later, world.connection)
        #expect(second.count == 1 && second[0].fence == first[0].fence + 1)
        let response = OutboundResponse(status: 404, headers: [], body: [], milliseconds: 1)
        let late = AttemptResult(first[0], .success(response), at: now, webhook: webhook)
        try ResultStore.record([late], now: later, world.connection)
        #expect(try world.count("queued") == 1)
        try Claim.release(first, until: now, world.connection)
        #expect(try world.database.value("select next_at > now() from delivery") == "t")
    }

    @Test func twoServersShareTheQueueAndSendNothingTwice() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        world.startSender()
        world.startSender()
        try eventually("both servers have said that they are there") {
            try world.database.count("select count(*) from sender") == 2
        }
        for part in 0..<10 {
            try world.enqueue(part * 100..<part * 100 + 100, profile: { UUID(high: 1, low: UInt64($0)) })
        }
        try world.await("sent", 1000)
        let ids = receiver.calls.compactMap { $0.header("webhook-id") }
        #expect(ids.count == 1000 && Set(ids).count == 1000)
    }

    /// One that cannot send has its share of the queue, and the other takes it in a while.
    @Test func whatAServerWithoutTheSecretLeavesAnotherSends() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.sign = ["${SECRET}"] })
        world.startSender { $0.environment = { _ in SignatureTests.secret } }
        world.startSender()
        try eventually("both servers have said that they are there") {
            try world.database.count("select count(*) from sender") == 2
        }
        // As if they knew of each other for a while.
        pause(3.5)
        try world.enqueue(0..<20, profile: { UUID(high: 1, low: UInt64($0)) })
        try world.await("sent", 10)
        try world.await("sent", 20)
        #expect(receiver.count == 20)
    }

    @Test func aRateIsKept() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.limit.rate = Rate(count: 20, microseconds: 1_000_000) })
        try world.enqueue(0..<40)
        world.startSender()
        try world.await("sent", 40)
        let times = receiver.calls.map(\.at)
        // A second's burst at once, the rest as the rate allows.
        #expect((0.7...20).contains((times.last ?? 0) - (times.first ?? 0)))
        #expect(times.filter { $0 < (times.first ?? 0) + 0.5 }.count <= 36)
    }

    /// Many that hang, with much to send, and places for few requests: the healthy one's go out while all the others'
    /// first ones are still on their way. No time is measured.
    @Test func hangingWebhooksDelayNoOther() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let dead = try Receiver { _ in .silence }
        defer { dead.close() }
        let world = try World()
        let names = (0..<20).map { "dead\($0)" }
        let webhooks = names.map {
            World.webhook(dead, $0) {
                $0.timeout = 300_000_000
                $0.limit.concurrency = 50
            }
        }
        try world.apply(webhooks + [World.webhook(receiver)])
        for name in names { try world.enqueue(0..<30, to: name) }
        world.startSender { $0.inFlight = 40 }
        try dead.await(names.count)
        try world.enqueue(0..<200)
        try world.await("sent", 200, within: 60)
        // Nothing of the others came to an end, and each has one place at least, and no more than there are.
        #expect(try world.database.count("select count(*) from attempt") == 200)
        #expect((names.count...60).contains(dead.count))
        #expect(receiver.count == 200)
    }

    @Test func whatIsTooLargeOrGoesNowhereHasFailedFromTheStart() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.enqueue(0..<1, size: 300 << 10)
        try world.enqueue(0..<1, to: "nobody")
        #expect(try world.count("failed") == 2)
        let errors = try world.database.rows("select error from attempt order by error").compactMap { $0[0] }
        #expect(errors.count == 2 && errors[0].hasPrefix("the body is too large: 307"))
        #expect(errors[1] == "there is no webhook nobody")
        // The one is never sent; the other is, once there is a webhook.
        let now = Clock.system.now()
        let since = now.adding(seconds: -60)
        #expect(try WebhookStore.replay("call_centre", since: since, at: now, world.connection) == 0)
        #expect(try WebhookStore.replay("nobody", since: since, at: now, world.connection) == 1)
    }

    @Test func aRemovedWebhookSendsWhatWaits() throws {
        let receiver = try Receiver()
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver))
        try world.enqueue(0..<3)
        try world.apply([])
        #expect(try WebhookStore.find("call_centre", world.connection)?.removedAt != nil)
        world.startSender()
        try world.await("sent", 3)
    }

    @Test func aStopGivesBackWhatWasNotSent() throws {
        let receiver = try Receiver { _ in .silence }
        defer { receiver.close() }
        let world = try World()
        try world.apply(World.webhook(receiver) { $0.limit.concurrency = 1 })
        try world.enqueue(0..<10)
        let sender = world.startSender()
        try receiver.await(1)
        World.stop(sender)
        let due = try world.database.count(
            "select count(*) from delivery where state = 'queued' and next_at <= now()")
        #expect(due == 9)
    }
}
