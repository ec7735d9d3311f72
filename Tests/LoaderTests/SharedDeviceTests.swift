import Foundations
import Identity
import Payload
import TestSupport
import Testing

@testable import Loader

/// Devices that several people use, and what must not make one person of them.
struct SharedDeviceTests {
    let town: Town

    init() throws { town = try Town() }

    private func owner(_ kind: String, _ value: String) throws -> String? {
        try town.database.value(
            "select person_of(profile_id) from identity where kind = $1 and value = $2", kind, value)
    }

    /// What tells the two apart comes last in the configuration's order.
    @Test func anEventThatPartsTwoPersonsDoesNotJoinThem() throws {
        try town.visit("bob", ["email": "bob@example.com", "phone": "+919820000001"])
        try town.visit("tablet", ["phone": "+919820000002"])
        try town.visit("tablet", ["email": "bob@example.com", "phone": "+919820000001"])
        #expect(try town.database.count("select count(*) from alias") == 0)
        #expect(try town.profile(ofSession: "tablet") == "\(town.derived("bob"))")
        try town.node.stop()
    }

    @Test func whatTheNextPersonShowsBesidesIsNotTheLastOnes() throws {
        try town.visit("tablet", ["phone": "+919820000002"])
        try town.visit("tablet", ["email": "bob@example.com", "phone": "+919820000001"])
        let ada = "\(town.derived("tablet"))"
        #expect(try owner("phone", "+919820000002") == ada)
        #expect(try owner("phone", "+919820000001") != ada)
        #expect(try owner("email", "bob@example.com") == owner("phone", "+919820000001"))
        try town.node.stop()
    }

    /// The telephone of the house.
    @Test func whatBothGiveDoesNotJoinThem() throws {
        try town.visit("tablet", ["email": "ada@example.com", "phone": "+919820000001"])
        try town.visit("tablet", ["email": "bob@example.com", "phone": "+919820000001"])
        let ada = "\(town.derived("tablet"))"
        #expect(try town.database.count("select count(*) from alias") == 0)
        #expect(try owner("phone", "+919820000001") == ada)
        #expect(try owner("email", "bob@example.com") != ada)
        #expect(try town.profile(ofSession: "tablet") == owner("email", "bob@example.com"))
        try town.node.stop()
    }

    @Test func withHisOwnAddressItIsHimself() throws {
        try town.visit("ada", ["email": "ada@example.com", "phone": "+919820000001"])
        try town.visit("ada", ["email": "ada@example.com", "phone": "+919820000002"])
        #expect(try town.database.count("select count(*) from profile") == 1)
        #expect(try owner("phone", "+919820000002") == "\(town.derived("ada"))")
        try town.node.stop()
    }

    /// In a later batch, and in one batch with what came between.
    @Test(arguments: [false, true])
    func aRepeatTakesNoSessionBack(isOneBatch: Bool) throws {
        func signIn(_ id: String, _ mail: String) -> TestRequest {
            town.request("tablet", [.client(id, #"{"email":"\#(mail)"}"#)])
        }
        let requests = [
            signIn("1", "ada@example.com"), signIn("2", "bob@example.com"), signIn("1", "ada@example.com"),
        ]
        if isOneBatch {
            try town.load(requests)
        } else {
            for request in requests { try town.load([request]) }
        }
        #expect(try town.database.count("select count(*) from event") == 2)
        #expect(try town.profile(ofSession: "tablet") == owner("email", "bob@example.com"))
        #expect(try owner("email", "bob@example.com") != owner("email", "ada@example.com"))
        try town.node.stop()
    }

    @Test func whatIsQuarantinedAsAConflictJoinsNobody() throws {
        try town.visit("bob", email: "bob@example.com")
        try town.load([town.request("s", [.client("1")])])
        try town.load([town.request("s", [.client("1", #"{"email":"bob@example.com"}"#)])])
        #expect(try town.database.count("select count(*) from quarantine") == 1)
        #expect(try town.profile(ofSession: "s") == "\(town.derived("s"))")
        try town.node.stop()
    }

    /// With its very first event, too.
    @Test func aStaticProfileNeverLoses() throws {
        try town.visit("bob", email: "bob@example.com")
        let (fixed, bob) = (UUID.random(), town.derived("bob"))
        try town.load([
            TestRequest(session: "s", .fixed, fixed, events: [.signIn(["email": "bob@example.com"])])
                .with { $0.sent = "customer 1" }
        ])
        #expect(
            try town.database.rows("select id, profile_id from alias") == [["\(bob)", "\(fixed)"]])
        try town.node.stop()
    }

    /// Its clients send an id that this server gave, and that was merged since.
    @Test func aStaticIdThatIsAnAliasStandsForItsPerson() throws {
        try town.visit("ann", email: "ann@example.com")
        try town.visit("s", email: "ann@example.com")
        let (ann, gone) = (town.derived("ann"), town.derived("s"))
        #expect(try town.database.rows("select id, profile_id from alias") == [["\(gone)", "\(ann)"]])
        for session in ["new", "s"] {
            try town.load([
                TestRequest(session: session, .fixed, gone, events: [.signIn(["company": session])])
                    .with { $0.sent = "\(gone)" },
                town.request("bystander", [.plain()]),
            ])
        }
        #expect(
            try town.database.count("select count(*) from event where profile_id = $1::uuid", "\(ann)") == 4)
        #expect(try town.database.count("select count(*) from profile where id = $1::uuid", "\(gone)") == 0)
        #expect(try town.database.value("select fixed from profile where id = $1::uuid", "\(ann)") == "t")
        #expect(try town.traits(of: gone)?.contains(#""s""#) == true)
        try town.node.stop()
    }

    /// A row that nobody writes stands for whatever makes an event fail as if somebody had merged its profile just now.
    @Test func aProfileThatIsNeverSettledStopsNobodyElse() throws {
        let odd = UUID.random()
        try town.database.run(
            "insert into alias (bucket, id, profile_id, created_at) values (\(odd.bucket), '\(odd)', '\(odd)', now())"
        )
        try town.load([
            town.request("before", [.plain()]),
            TestRequest(session: "odd", .known, odd, events: [.plain()]),
            town.request("behind", [.plain()]),
        ])
        #expect(try town.people().map(\.first) == ["before", "behind"])
        #expect(
            try town.database.rows("select reason, detail->>'sqlstate' from quarantine") == [
                ["poison", "WM002"]
            ])
        try town.node.stop()
    }
}
