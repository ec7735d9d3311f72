import Foundations
import Identity
import Payload
import Postgres
import TestSupport
import Testing

@testable import Loader

/// Two servers on one database, on the same sessions at the same time.
struct RaceTests {
    /// The sessions' own ids, by the secret that the database has.
    private static func issuer(_ database: Database) throws -> Issuer {
        let hex = try database.value("select encode(secret, 'hex') from installation") ?? ""
        let digits = hex.utf8.map { $0 < 97 ? $0 - 48 : $0 - 87 }
        return Issuer(
            secret: stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }

    /// What an Intake may have answered, that knew nothing but the request and its own certificates.
    private static func request(
        _ session: Int, _ derived: [UUID], _ random: inout SeededRandom
    ) -> TestRequest {
        let events = (0..<Int.random(in: 1...3, using: &random)).map { _ in TestEvent() }
        var request = TestRequest(session: "s\(session)", .derived, derived[session], events: events)
        request.flags = random.chance(90) ? [.saveSession] : []
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: break
        case 4: request.sent = "\(derived.randomElement(using: &random) ?? derived[0])"
        case 5:
            request.basis = .none
            request.answered = nil
        default:
            request.basis = random.chance(50) ? .known : .session
            request.answered = derived.randomElement(using: &random)
            if random.chance(50) { request.flags.insert(.settled) }
        }
        return request
    }

    @Test(arguments: 1...12)
    func everySessionEndsAtOneProfile(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let database = try PostgresServer.shared.get().makeDatabase()
        let nodes = try (0..<2).map { _ in try Node(database, events: 20) }
        for node in nodes { node.load() }
        try eventually("the tables are there") { nodes.allSatisfy(\.loader.status.isConnected) }
        let issuer = try Self.issuer(database)
        let sessions = 6
        let derived = (0..<sessions).map { i in withBytes("s\(i)") { issuer.profile(forSession: $0) } }
        var count = 0
        for _ in 0..<60 {
            let requests = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                Self.request(Int.random(in: 0..<sessions, using: &random), derived, &random)
            }
            count += requests.reduce(0) { $0 + $1.events.count }
            try nodes[random.chance(50) ? 0 : 1].write(requests)
        }
        for node in nodes { try node.drain() }

        #expect(try database.ledger() == [count, count, 0, 0, 0, 0], "seed \(seed)")
        #expect(nodes.map(\.loader.metrics.databaseErrors.total) == [0, 0], "seed \(seed)")
        let chains = try database.count("select count(*) from alias a join alias b on b.id = a.profile_id")
        #expect(chains == 0, "seed \(seed)")
        let ghosts = try database.count("select count(*) from alias a join profile p on p.id = a.id")
        #expect(ghosts == 0, "seed \(seed)")
        let homeless = try database.count(
            """
            select count(*) from event e left join alias a on a.id = e.profile_id
            where e.profile_id is not null
                and not exists (select from profile p where p.id = coalesce(a.profile_id, e.profile_id))
            """)
        #expect(homeless == 0, "seed \(seed)")
        for node in nodes { try node.stop() }
    }

    /// As long as every session is answered one known profile at most, all its events end under the same one.
    @Test(arguments: 1...12)
    func allEventsOfASessionEndUnderItsProfile(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let database = try PostgresServer.shared.get().makeDatabase()
        let nodes = try (0..<2).map { _ in try Node(database, events: 15) }
        for node in nodes { node.load() }
        try eventually("the tables are there") { nodes.allSatisfy(\.loader.status.isConnected) }
        let issuer = try Self.issuer(database)
        let sessions = 8
        let derived = (0..<sessions).map { i in withBytes("s\(i)") { issuer.profile(forSession: $0) } }
        // Whom each session's browser says it is: some other session's profile, in any pattern, also in circles.
        let friend = (0..<sessions).map { _ in Int.random(in: 0..<sessions, using: &random) }
        for _ in 0..<60 {
            let requests = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let s = Int.random(in: 0..<sessions, using: &random)
                var request = TestRequest(session: "s\(s)", .derived, derived[s])
                request.flags = [.saveSession]
                if random.chance(40) {
                    request.basis = .known
                    request.answered = derived[friend[s]]
                } else if random.chance(30) {
                    request.sent = "\(derived[friend[s]])"
                }
                return request
            }
            try nodes[random.chance(50) ? 0 : 1].write(requests)
        }
        for node in nodes { try node.drain() }

        let split = try database.rows(
            """
            select e.session_id, count(distinct coalesce(a.profile_id, e.profile_id)),
                bool_and(coalesce(a.profile_id, e.profile_id) = coalesce(b.profile_id, s.profile_id))
            from event e join session s on s.id = e.session_id
                left join alias a on a.id = e.profile_id left join alias b on b.id = s.profile_id
            group by 1 having count(distinct coalesce(a.profile_id, e.profile_id)) <> 1
                or not bool_and(coalesce(a.profile_id, e.profile_id) = coalesce(b.profile_id, s.profile_id))
            """)
        #expect(split == [], "seed \(seed): friends \(friend)")
        #expect(nodes.map(\.loader.metrics.databaseErrors.total) == [0, 0], "seed \(seed)")
        for node in nodes { try node.stop() }
    }

    @Test(arguments: 1...4)
    func aClientsIDIsStoredOnceWhicheverServerItComesTo(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let database = try PostgresServer.shared.get().makeDatabase()
        let nodes = try (0..<2).map { _ in try Node(database, events: 30) }
        for node in nodes { node.load() }
        var ids: Set<Int> = []
        for _ in 0..<60 {
            let events = (0..<5).map { _ in
                let id = Int.random(in: 0..<80, using: &random)
                ids.insert(id)
                return TestEvent.client("e\(id)")
            }
            try nodes[random.chance(50) ? 0 : 1].write([TestRequest().with { $0.events = events }])
        }
        for node in nodes { try node.drain() }
        #expect(try database.ledger() == [300, ids.count, 300 - ids.count, 0, 0, 0], "seed \(seed)")
        #expect(nodes.map(\.loader.metrics.databaseErrors.total) == [0, 0], "seed \(seed)")
        for node in nodes { try node.stop() }
    }
}
