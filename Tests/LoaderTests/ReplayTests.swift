import Foundations
import Payload
import TestSupport
import Testing

@testable import Loader

/// What the loader makes of events that are replayed from the quarantine.
struct ReplayTests {
    let database: Database
    let node: Node
    /// When the events came first.
    let past = Timestamp(seconds: 1_790_000_000)

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database)
    }

    /// An event that is in the quarantine, from the past.
    private func quarantined(_ change: (inout TestEvent) -> Void = { _ in }) throws -> TestEvent {
        let event = TestEvent {
            $0.verdict = .quarantined
            change(&$0)
        }
        try node.write([TestRequest(event)], at: past)
        node.load()
        try node.drain()
        return event
    }

    private func ask(for event: TestEvent) throws {
        try database.run("update quarantine set requested_at = now() where id = '\(event.id)'")
    }

    /// The event as the replayer puts it into the spool, once it is taken.
    private func replay(_ event: TestEvent, instance: UUID? = nil, session: String = "s") -> TestRequest {
        var taken = event
        taken.verdict = .store
        return TestRequest(session: session, events: [taken]).with {
            $0.original = Submission.Original(instance: instance ?? node.spool.instance, receivedAt: past)
        }
    }

    private func write(_ requests: TestRequest..., to other: Node? = nil) throws {
        try (other ?? node).write(requests)
        try (other ?? node).drain()
    }

    @Test func itIsStoredOnceInItsOwnTimeHoweverManyCopiesThereAre() throws {
        let event = try quarantined()
        #expect(try database.ledger() == [1, 0, 0, 0, 1, 0])
        try ask(for: event)
        try write(replay(event), replay(event))
        try write(replay(event))
        #expect(try database.ledger() == [1, 1, 0, 0, 0, 0])
        let rows = try database.rows("select id, extract(epoch from received_at)::bigint from event")
        #expect(rows == [["\(event.id)", "1790000000"]])
        #expect(try database.count("select count(*) from quarantine") == 0)
        #expect(try database.rows("select id, outcome from replay") == [["\(event.id)", "stored"]])
        let minutes = try database.rows("select distinct extract(epoch from minute)::bigint from ledger")
        #expect(minutes == [["1789999980"]])
        try node.stop()
    }

    @Test func whatIsNotAskedForOrDroppedHasNoEffect() throws {
        let (first, second) = (try quarantined(), try quarantined())
        try ask(for: second)
        try database.run("delete from quarantine where id = '\(second.id)'")
        try write(replay(first, session: "new"), replay(second, session: "new"))
        #expect(try database.ledger() == [2, 0, 0, 0, 2, 0])
        #expect(try database.count("select count(*) from event") == 0)
        #expect(try database.count("select count(*) from session where id = 'new'") == 0)
        #expect(try database.count("select count(*) from quarantine") == 1)
        try node.stop()
    }

    @Test func theLineOfTheServerThatReceivedItMoves() throws {
        let event = try quarantined()
        let other = try Node(database)
        other.load()
        try ask(for: event)
        try write(replay(event), to: other)
        #expect(
            try database.rows("select instance, received, stored, quarantined from ledger_entry")
                == [["\(node.spool.instance)", "1", "1", "0"]])
        try node.stop()
        try other.stop()
    }

    @Test func twoServersThatReplayTheSameStoreItOnce() throws {
        let other = try Node(database)
        let events = try (0..<50).map { _ in try quarantined() }
        try database.run("update quarantine set requested_at = now()")
        let copies = events.map { replay($0) }
        try node.write(copies)
        try other.write(copies.reversed())
        other.load()
        try node.drain()
        try other.drain()
        #expect(try database.ledger() == [50, 50, 0, 0, 0, 0])
        #expect(try database.count("select count(*) from event") == 50)
        try node.stop()
        try other.stop()
    }

    @Test func whatIsStillPoisonGoesBackWithItsError() throws {
        let event = try quarantined()
        try ask(for: event)
        var bad = event
        bad.properties = Array(#"{"a":1e400000}"#.utf8)
        try write(TestRequest(TestEvent()), replay(bad), TestRequest(TestEvent()))
        #expect(try database.ledger() == [3, 2, 0, 0, 1, 0])
        let row = try database.rows(
            """
            select reason, left(detail->>'sqlstate', 2), attempts, requested_at is null, replayed_at is not null,
                payload::text from quarantine
            """)
        #expect(row == [["poison", "22", "1", "t", "t", #"{"a": 1}"#]])
        try write(replay(event))
        #expect(try database.ledger() == [3, 2, 0, 0, 1, 0], "it was not asked for again")
        try node.stop()
    }

    @Test func anIdThatCameAgainMeanwhileIsADuplicateOrAConflict() throws {
        let same = try quarantined { $0.clientID = Array("same".utf8) }
        let other = try quarantined { $0.clientID = Array("other".utf8) }
        try write(TestRequest(.client("same"), .client("other", #"{"a":2}"#)))
        try ask(for: same)
        try ask(for: other)
        try write(replay(same), replay(other))
        #expect(try database.ledger() == [4, 2, 1, 0, 1, 0])
        #expect(try database.rows("select outcome from replay") == [["duplicate"]])
        #expect(
            try database.rows("select id, reason, pointer from quarantine") == [
                ["\(other.id)", "conflict", "/id"]
            ])
        try node.stop()
    }

    /// Its session had gone on, or was never seen: the event stands under the profile that was answered.
    @Test(arguments: [false, true])
    func itStandsUnderTheProfileThatWasAnswered(isSessionKnown: Bool) throws {
        let profile = UUID.random()
        let event = try quarantined()
        if isSessionKnown { try write(TestRequest(session: "mine", .known, profile)) }
        try ask(for: event)
        let request = replay(event, session: "mine").with {
            $0.basis = .known
            $0.answered = profile
            if isSessionKnown { $0.flags.remove(.saveSession) }
        }
        try write(request)
        #expect(
            try database.rows("select session_id, profile_id from event where id = $1::uuid", "\(event.id)")
                == [["mine", "\(profile)"]])
        #expect(try database.value("select profile_id from session where id = 'mine'") == "\(profile)")
        #expect(try database.count("select count(*) from profile where id = $1::uuid", "\(profile)") == 1)
        try node.stop()
    }

    @Test func theRowKeepsWhatAReplayNeeds() throws {
        let profile = UUID.random()
        let bad = TestEvent { $0.label = [0x61, 0xff] }
        let request = TestRequest(session: "s", .session, profile, events: [bad]).with {
            $0.sent = "sent"
            $0.sentAt = past
            $0.userAgent = Array("agent".utf8)
            $0.context = Array(#"{"page":1}"#.utf8)
        }
        try node.write([request])
        node.load()
        try node.drain()
        let row = try database.rows(
            """
            select basis, flags, is_wrapped, sent_profile, user_agent, extract(epoch from sent_at)::bigint,
                context::text, payload->>'properties', profile_id from quarantine
            """)
        #expect(
            row == [
                [
                    "3", "9", "t", "sent", "agent", "1790000000", #""{\"page\":1}""#, #"{"a":1}"#,
                    "\(profile)",
                ]
            ])
        try node.stop()
    }
}
