import Foundations
import Identity
import Payload
import TestSupport
import Testing

@testable import Loader

/// The rows that identity leaves in the database, request by request.
struct IdentityTableTests {
    let database: Database
    let node: Node
    let cache = SessionCache(capacity: 1024)
    let known = UUID.random()
    let other = UUID.random()

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database, cache: cache)
        node.load()
    }

    /// Loads one request, as a batch of its own.
    private func load(
        _ basis: Submission.Basis, _ answered: UUID?, _ change: (inout TestRequest) -> Void = { _ in }
    ) throws {
        try node.write([TestRequest(session: "s", basis, answered).with(change)])
        try node.drain()
    }

    private func session() throws -> [[String?]] { try database.rows("select id, profile_id from session") }
    private func profiles() throws -> Set<String?> {
        Set(try database.rows("select id from profile").map { $0[0] })
    }
    private func aliases() throws -> [[String?]] {
        try database.rows("select id, profile_id from alias order by 1")
    }
    private func events() throws -> [String?] {
        try database.rows("select profile_id from event order by received_at").map { $0[0] }
    }

    private func derived() throws -> UUID {
        try eventually("the tables are there") { node.loader.status.isConnected }
        let hex = Array((try database.value("select encode(secret, 'hex') from installation") ?? "").utf8)
        let digits = hex.map { $0 < 97 ? $0 - 48 : $0 - 87 }
        let secret = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
        return withBytes("s") { Issuer(secret: secret).profile(forSession: $0) }
    }

    @Test func aNewSessionGetsItsDerivedProfile() throws {
        let derived = try derived()
        try load(.derived, derived)
        try load(.session, derived)
        #expect(try session() == [["s", "\(derived)"]])
        #expect(try profiles() == ["\(derived)"])
        #expect(try events() == ["\(derived)", "\(derived)"])
        #expect(try aliases() == [])
        try node.stop()
    }

    @Test func aDerivedProfileThatWasStoredLosesToAKnownOne() throws {
        let derived = try derived()
        try load(.derived, derived)
        try load(.known, known)
        #expect(try session() == [["s", "\(known)"]])
        #expect(try aliases() == [["\(derived)", "\(known)"]])
        #expect(try profiles() == ["\(known)"])
        #expect(try events() == ["\(derived)", "\(known)"], "events are never rewritten")
        try node.stop()
    }

    @Test func aDerivedProfileThatWasAnsweredLateBecomesAnAlias() throws {
        let derived = try derived()
        try load(.known, known)
        try load(.derived, derived) { $0.flags = [.saveSession] }
        #expect(try session() == [["s", "\(known)"]])
        #expect(try aliases() == [["\(derived)", "\(known)"]])
        #expect(try events() == ["\(known)", "\(known)"])
        try node.stop()
    }

    @Test func betweenTwoKnownOnesTheFirstCommittedStays() throws {
        let got = Locked<Receipt?>(nil)
        let late = TestRequest(session: "s", .known, other).with { $0.flags.insert(.waits) }
        node.receipts.expect(task: late.task) { receipt in got.withLock { $0 = receipt } }
        try load(.known, known)
        try node.write([late])
        try node.drain()
        #expect(try session() == [["s", "\(known)"]])
        #expect(try aliases() == [])
        #expect(try events() == ["\(known)", "\(known)"])
        let receipt = try eventually("the receipt") { got.withLock { $0 } }
        #expect(receipt.profile == known)
        #expect(receipt.warnings == ["session-has-another-profile"])
        try node.stop()
    }

    @Test func aSessionWithoutAProfileIsBoundToTheNextOne() throws {
        try load(.none, nil) { $0.flags.insert(.profileLess) }
        #expect(try session() == [["s", nil]])
        // What Intake does when it answers.
        withBytes("s") { cache.remember(session: $0, profile: known, now: Clock.system.now()) }
        try load(.known, known)
        #expect(try session() == [["s", "\(known)"]])
        #expect(try events() == [nil, "\(known)"])
        try node.stop()
    }

    @Test func withoutSavingTheSessionNoRowIsWrittenButOneThatIsThereCounts() throws {
        let derived = try derived()
        try load(.derived, derived) { $0.flags = [] }
        #expect(try session() == [])
        #expect(try events() == ["\(derived)"])
        try load(.known, known)
        cache.removeAll()
        try load(.derived, derived) { $0.flags = [] }
        #expect(try events() == ["\(derived)", "\(known)", "\(known)"])
        #expect(try aliases() == [["\(derived)", "\(known)"]])
        try node.stop()
    }

    @Test func fixedProfilesStandUnderTheirOwnIDAndNeverMerge() throws {
        let (a, b) = (UUID.random(), UUID.random())
        try load(.known, known)
        try load(.fixed, a) { $0.sent = "customer a" }
        try load(.fixed, b) { $0.sent = "customer b" }
        #expect(try events() == ["\(known)", "\(a)", "\(b)"])
        #expect(try profiles() == ["\(known)", "\(a)", "\(b)"])
        #expect(try aliases() == [])
        let identities = try database.rows("select kind, value, profile_id from identity order by value")
        #expect(identities == [["static", "customer a", "\(a)"], ["static", "customer b", "\(b)"]])
        let buckets = try database.count(
            "select count(*) from identity where bucket <> bucket_of(kind || ':' || value)")
        #expect(buckets == 0)
        try node.stop()
    }

    /// What was sent while the database was away, and proves to be known, is the session's profile.
    @Test(arguments: [false, true])
    func anUnsettledAnswerIsSettledByTheLoader(isStatic: Bool) throws {
        let derived = try derived()
        let sent = isStatic ? "customer a" : "\(known)"
        let target = isStatic ? withBytes(sent) { Issuer.fixed($0) } : known
        try database.run(
            "insert into profile values (bucket_of('\(target)'::uuid), '\(target)', '{}', now(), now())")
        try load(.derived, derived) {
            $0.flags = [.saveSession]
            $0.sent = sent
        }
        #expect(try session() == [["s", "\(target)"]])
        #expect(try events() == ["\(target)"])
        #expect(try aliases() == [["\(derived)", "\(target)"]])
        try node.stop()
    }

    @Test func anIDThatWasNeverIssuedIsNotAdopted() throws {
        let derived = try derived()
        try load(.derived, derived) {
            $0.flags = [.saveSession]
            $0.sent = "\(UUID.random())"
        }
        #expect(try session() == [["s", "\(derived)"]])
        #expect(try aliases() == [])
        try node.stop()
    }

    @Test func theContextIsTheLastThatCame() throws {
        func context() throws -> String? { try database.value("select context::text from session") }
        try load(.known, known) { $0.context = Array(#"{"a":1}"#.utf8) }
        try load(.known, known)
        #expect(try context() == #"{"a": 1}"#)
        try load(.known, known) { $0.context = Array(#"{"a":2}"#.utf8) }
        #expect(try context() == #"{"a": 2}"#)
        try node.stop()
    }
}
