import Foundations
import Identity
import Payload
import TestSupport
import Testing

@testable import Loader

/// What identification points do to a real database: anonymous to known, merging, a shared device, vouchers, traits.
struct IdentificationTests {
    let town: Town

    init() throws { town = try Town() }

    @Test func anAnonymousProfileBecomesKnown() throws {
        try town.visit("s1", email: " Ada@Example.COM ")
        let derived = town.derived("s1")
        #expect(try town.identities() == [["email", "ada@example.com", "\(derived)"]])
        #expect(
            try town.database.rows("select traits->>'email', kinds::text, known_at is not null from profile")
                == [["ada@example.com", "{email}", "t"]])
        try eventually("it is counted") { town.node.loader.identityMetrics.known.total == 1 }
        try town.node.stop()
    }

    @Test func anIdentityOfSomebodyElseMergesTheAnonymous() throws {
        try town.visit("s1", email: "ada@example.com")
        try town.visit("s2")
        try town.visit("s2", email: "ADA@example.com")
        let (ada, other) = (town.derived("s1"), town.derived("s2"))
        #expect(try town.database.rows("select id, profile_id from alias") == [["\(other)", "\(ada)"]])
        #expect(try town.database.rows("select id from profile") == [["\(ada)"]])
        #expect(try town.profile(ofSession: "s2") == "\(ada)")
        #expect(try town.people() == [["s1", "\(ada)"], ["s2", "\(ada)"], ["s2", "\(ada)"]])
        // The session goes on under the survivor.
        try town.visit("s2")
        #expect(try town.database.count("select count(*) from profile") == 1)
        try town.node.stop()
    }

    @Test func aSharedDeviceGoesOverToWhoSignsIn() throws {
        try town.visit("bob", email: "bob@example.com")
        try town.visit("tablet", email: "ada@example.com")
        try town.visit("tablet", email: "bob@example.com")
        try town.visit("tablet")
        try town.visit("tablet", email: "ada@example.com")
        let (bob, ada) = (town.derived("bob"), town.derived("tablet"))
        #expect(try town.database.count("select count(*) from alias") == 0, "nothing is merged")
        #expect(
            try town.people().filter { $0[0] == "tablet" }.map { $0[1] } == [
                "\(ada)", "\(bob)", "\(bob)", "\(ada)",
            ])
        #expect(try town.profile(ofSession: "tablet") == "\(ada)")
        try eventually("it is counted") { town.node.loader.identityMetrics.rebinds.total == 2 }
        try town.node.stop()
    }

    @Test func whoeverIsNewOnASharedDeviceIsAnotherPerson() throws {
        try town.visit("tablet", email: "ada@example.com")
        try town.visit("tablet", email: "new@example.com")
        let people = try town.people().map { $0[1] }
        #expect(Set(people).count == 2)
        #expect(try town.database.count("select count(*) from profile") == 2)
        // On another device it is the same person again.
        try town.visit("phone", email: "new@example.com")
        #expect(try town.people().last?[1] == people[1])
        try town.node.stop()
    }

    @Test func theEventsOfOneRequestGoToWhoeverSignedInBeforeThem() throws {
        try town.visit("bob", email: "bob@example.com")
        try town.visit("tablet", email: "ada@example.com")
        try town.load([
            town.request("tablet", [.plain(), .signIn(["email": "bob@example.com"]), .plain()])
        ])
        let (bob, ada) = ("\(town.derived("bob"))", "\(town.derived("tablet"))")
        let events = try town.people().filter { $0[0] == "tablet" }.map { $0[1] }
        #expect(events == [ada, ada, bob, bob])
        try town.node.stop()
    }

    @Test func twoKnownOnesAreMergedByWhatTheyShare() throws {
        try town.visit("s1", ["email": "ada@example.com"])
        try town.visit("s2", ["phone": "098200 12345"])
        try town.visit("s1", ["phone": "+91 98200 12345"])
        let (winner, loser) = (town.derived("s1"), town.derived("s2"))
        #expect(try town.database.rows("select id, profile_id from alias") == [["\(loser)", "\(winner)"]])
        #expect(
            try town.identities() == [
                ["email", "ada@example.com", "\(winner)"], ["phone", "+919820012345", "\(winner)"],
            ])
        #expect(try town.database.value("select kinds::text from profile") == "{email,phone}")
        #expect(try town.traits(of: winner) == #"{"email": "ada@example.com", "phone": "+919820012345"}"#)
        try town.node.stop()
    }

    @Test func valuesThatAreNoneAreIgnoredAndCounted() throws {
        let wrong = [
            "[1]", "{}", "true", "\"no-address\"", "\"a@\(String(repeating: "x", count: 300))\"", "1.5",
        ]
        for value in wrong { try town.visit("s1", json: #"{"email":\#(value)}"#) }
        for nothing in ["null", "\"\"", "\"  \""] { try town.visit("s1", json: #"{"email":\#(nothing)}"#) }
        #expect(try town.identities() == [])
        #expect(try town.database.count("select count(*) from event") == wrong.count + 3)
        try eventually("it is counted") {
            town.node.loader.identityMetrics.ignoredValues.total == wrong.count
        }
        try town.node.stop()
    }

    @Test func aVoucherThatIsKnownFindsItsPersonAtOnce() throws {
        try town.visit("s1", ["voucher_id": "V1"])
        try town.redeem("V1")
        let person = "\(town.derived("s1"))"
        #expect(
            try town.database.rows(
                "select profile_id, bucket = bucket_of(profile_id) from event where session_id is null") == [
                    [person, "t"]
                ])
        try town.node.stop()
    }

    @Test func aVoucherThatBecomesKnownLaterFindsItsEvents() throws {
        try town.redeem("V1", spent: "10.50")
        try town.redeem("V1", spent: "0.25")
        try town.redeem("V2")
        let before = try town.database.rows("select id, received_at, properties from event order by 1")
        #expect(try town.database.count("select count(*) from waiting") == 3)
        #expect(try town.database.count("select count(*) from event where profile_id is null") == 3)
        try town.visit("s1", ["voucher_id": "V1"])
        let person = "\(town.derived("s1"))"
        #expect(try town.database.count("select count(*) from waiting") == 1)
        #expect(
            try town.database.rows(
                "select distinct profile_id, bucket = bucket_of(profile_id) from event where session_id is null and profile_id is not null"
            ) == [[person, "t"]])
        #expect(
            try town.database.rows(
                "select id, received_at, properties from event where session_id is null order by 1") == before
        )
        #expect(
            try town.database.count("select count(*) from attached where profile_id = $1::uuid", person) == 2)
        #expect(try town.database.value("select traits->>'spent' from profile") == "10.75")
        try eventually("it is counted") { town.node.loader.identityMetrics.attached.total == 2 }
        try town.node.stop()
    }

    @Test func aVoucherThatBecomesKnownInTheSameBatchFindsItsEvents() throws {
        try town.load([
            town.voucher("V1"), town.request("s1", [.signIn(["voucher_id": "V1"])]), town.voucher("V1"),
        ])
        #expect(
            try town.database.rows("select distinct profile_id from event") == [["\(town.derived("s1"))"]])
        #expect(try town.database.count("select count(*) from waiting") == 0)
        try town.node.stop()
    }

    @Test func aBackendsEventTiesItsIdentitiesTogether() throws {
        try town.visit("s1", email: "ada@example.com")
        try town.load([town.request(nil, [.signIn(["email": "ada@example.com", "voucher_id": "V9"])])])
        try town.visit("s2", ["voucher_id": "V9"])
        #expect(try town.profile(ofSession: "s2") == "\(town.derived("s1"))")
        try town.node.stop()
    }
}
