import Foundations
import Identity
import Payload
import TestSupport

@testable import Loader

/// A node whose sources have identification points and traits, and people who use them.
struct Town {
    static var configuration: Configuration {
        var configuration = Configuration()
        var shop = Source(id: "shop", kinds: [.web, .backend])
        shop.country = "IN"
        shop.identify = ["email", "phone", "voucher_id"].map {
            IdentityPoint(kind: $0, from: ValuePath(.properties, [$0]))
        }
        func from(_ name: String) -> TraitMapping.Value { .from(ValuePath(.properties, [name])) }
        shop.traits = [
            TraitMapping(.set, "company", from("company")), TraitMapping(.setOnce, "first", from("first")),
            TraitMapping(.append, "tags", from("tags")), TraitMapping(.increment, "spent", from("spent")),
            TraitMapping(.set, "private.score", from("score")), TraitMapping(.set, "motto", from("motto")),
        ]
        configuration.sources = [shop]
        var motto = TraitRule("motto")
        motto.merge = .longest
        configuration.identity.traits = [motto]
        return configuration
    }

    let database: Database
    let node: Node
    let issuer: Issuer
    let cache: SessionCache

    init(_ database: Database? = nil, events: Int = 5000) throws {
        let database = try database ?? PostgresServer.shared.get().makeDatabase()
        self.database = database
        cache = SessionCache(capacity: 4096)
        let node = try Node(database, events: events, cache: cache)
        self.node = node
        node.loader.use(IdentityRules(Self.configuration))
        node.load()
        try eventually("the tables are there") { node.loader.status.isConnected }
        let hex = try database.value("select encode(secret, 'hex') from installation") ?? ""
        let digits = hex.utf8.map { $0 < 97 ? $0 - 48 : $0 - 87 }
        issuer = Issuer(
            secret: stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }

    func derived(_ session: String) -> UUID { withBytes(session) { issuer.profile(forSession: $0) } }

    /// As Intake answers it when nothing is known; nil: an event of a backend, without a session.
    func request(_ session: String?, _ events: [TestEvent]) -> TestRequest {
        guard let session else {
            return TestRequest(session: "", .none, nil, events: events).with { $0.flags = [] }
        }
        return TestRequest(session: session, .derived, derived(session), events: events)
    }

    func voucher(_ id: String, spent: String? = nil) -> TestRequest {
        let more = spent.map { #","spent":\#($0)"# } ?? ""
        return request(nil, [TestEvent { $0.properties = Array(#"{"voucher_id":"\#(id)"\#(more)}"#.utf8) }])
    }

    /// Loads the requests, as one batch.
    func load(_ requests: [TestRequest]) throws {
        try node.write(requests)
        try node.drain()
    }

    func visit(_ session: String, _ shown: [String: String] = [:]) throws {
        try load([request(session, [.signIn(shown)])])
    }

    func visit(_ session: String, email: String) throws { try visit(session, ["email": email]) }

    func visit(_ session: String, json: String) throws {
        try load([request(session, [TestEvent { $0.properties = Array(json.utf8) }])])
    }

    func redeem(_ voucher: String, spent: String? = nil) throws {
        try load([self.voucher(voucher, spent: spent)])
    }

    // MARK: What came of it

    func identities() throws -> [[String?]] {
        try database.rows(
            "select kind, value, profile_id from identity where profile_id is not null order by 1, 2")
    }

    /// Session and person of each event, in the order in which they were loaded.
    func people() throws -> [[String?]] {
        try database.rows("select session_id, person_of(profile_id) from event order by received_at, id")
    }

    func profile(ofSession session: String) throws -> String? {
        try database.value("select person_of(profile_id) from session where id = $1", session)
    }

    func traits(of profile: UUID) throws -> String? {
        try database.value("select traits from profile where id = person_of($1::uuid)", "\(profile)")
    }
}

extension TestEvent {
    private static let numbers = Counter()

    /// Ids that grow, so that events of one moment keep their order.
    private static func next() -> UUID {
        numbers.add()
        return UUID(high: 0x7000, low: 1 << 63 | UInt64(numbers.total))
    }

    static func plain() -> TestEvent { signIn([:]) }

    static func signIn(_ shown: [String: String]) -> TestEvent {
        TestEvent {
            $0.id = next()
            let members = shown.sorted { $0.key < $1.key }.map { #""\#($0.key)":"\#($0.value)""# }
            $0.properties = Array("{\(members.joined(separator: ","))}".utf8)
        }
    }
}
