import Foundation
import TestSupport
import Testing

/// The identity table (contract, section 2), row by row.
@Suite struct IdentityTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    /// A profile that the server issued and stored.
    private func known() throws -> String {
        let marker = unique("m")
        let answer = try shop.track(marker: marker, #""session":{"id":"\#(unique("s"))"}"#)
        _ = try shop.event(marker)
        return try #require(answer["profile", "id"]?.text)
    }

    private func ask(session: String?, profile: String?, on server: Server? = nil, query: String = "") throws
        -> (session: String?, profile: String?, marker: String)
    {
        let marker = unique("m")
        var members: [String] = []
        if let session { members.append(#""session":{"id":\#(quoted(session))}"#) }
        if let profile { members.append(#""profile":{"id":\#(quoted(profile))}"#) }
        let answer = try shop.track(
            marker: marker, members.joined(separator: ","), query: query, on: server)
        return (answer["session", "id"]?.text, answer["profile", "id"]?.text, marker)
    }

    @Test(arguments: [nil, "", "   "])
    func aMissingSessionIsMadeReturnedAndSaved(_ sent: String?) throws {
        let answer = try ask(session: sent, profile: nil)
        let session = try #require(answer.session)
        #expect(UUID(uuidString: session) != nil)
        #expect(try shop.session(session)["profile_id"]?.text == answer.profile)
        #expect(try shop.session(session)["source"] == "shop-web")
    }

    @Test func anUnknownSessionWithoutAProfileGetsANewOne() throws {
        let session = unique("s")
        let first = try ask(session: session, profile: nil)
        #expect(first.session == session)
        let second = try ask(session: session, profile: nil)
        #expect(second.profile == first.profile)
        #expect(try shop.event(second.marker)["profile_id"]?.text == first.profile)
        #expect(try ask(session: unique("s"), profile: nil).profile != first.profile)
    }

    @Test func anUnknownSessionWithAKnownProfileGetsThatProfile() throws {
        let (profile, session) = (try known(), unique("s"))
        #expect(try ask(session: session, profile: profile).profile == profile)
        #expect(try shop.session(session)["profile_id"]?.text == profile)
    }

    @Test func aCertifiedIdIsKnownBeforeAnyRowOfItExists() throws {
        let answer = try ask(session: unique("s"), profile: nil)
        let profile = try #require(answer.profile)
        #expect(try ask(session: unique("s"), profile: profile).profile == profile)
    }

    @Test func anIdOfAnotherServerOfTheInstallationIsKnown() throws {
        let issued = try #require(try ask(session: unique("s"), profile: nil, on: World.second.get()).profile)
        #expect(try ask(session: unique("s"), profile: issued).profile == issued)
    }

    @Test func aMergedProfileIsAnsweredWithItsSurvivor() throws {
        let (survivor, loser) = (try known(), newUUID())
        try shop.database.rows(
            """
            insert into alias (bucket, id, profile_id, created_at)
            values (bucket_of($1::uuid), $1::uuid, $2::uuid, now())
            """, loser, survivor)
        let answer = try ask(session: unique("s"), profile: loser)
        #expect(answer.profile == survivor)
        #expect(try shop.event(answer.marker)["profile_id"]?.text == survivor)
    }

    @Test(arguments: [
        "a-name-of-its-own", "4f8a1d3c-8f0e-4b5f-9a51-0c5d5f1f2a77", "ffffffff-ffff-8fff-bfff-ffffffffffff",
    ])
    func anIdThatWasNeverIssuedIsNeverAdopted(_ sent: String) throws {
        let answer = try ask(session: unique("s"), profile: sent)
        #expect(answer.profile != sent)
        #expect(answer.profile.flatMap { UUID(uuidString: $0) } != nil)
        #expect(try shop.event(answer.marker)["profile_id"]?.text == answer.profile)
        #expect(try shop.database.count("select count(*) from profile where id::text = $1", sent) == 0)
    }

    @Test func anImportedProfileIsKnown() throws {
        let imported = newUUID()
        try shop.database.rows(
            """
            insert into profile (bucket, id, traits, created_at, last_seen_at)
            values (bucket_of($1::uuid), $1::uuid, '{}', now(), now())
            """, imported)
        #expect(try ask(session: unique("s"), profile: imported).profile == imported)
    }

    @Test func theProfileOfAKnownSessionWins() throws {
        let (session, other) = (unique("s"), try known())
        let first = try ask(session: session, profile: nil)
        _ = try shop.event(first.marker)
        #expect(try ask(session: session, profile: other).profile == first.profile)
        #expect(try ask(session: session, profile: "nonsense").profile == first.profile)
    }

    @Test func aSessionWithoutAProfileIsBoundToTheNextOne() throws {
        let (session, profile) = (unique("s"), try known())
        let first = try ask(session: session, profile: nil, query: "?profile_less=true")
        #expect(first.profile == nil)
        _ = try shop.event(first.marker)
        #expect(try ask(session: session, profile: profile).profile == profile)
        try eventually("it is bound") { try shop.session(session)["profile_id"]?.text == profile }
    }

    @Test func aProfileLessRequestIgnoresTheProfile() throws {
        let (session, profile) = (unique("s"), try known())
        let answer = try ask(session: session, profile: profile, query: "?profile_less=true")
        #expect(answer.profile == nil)
        #expect(try shop.event(answer.marker)["profile_id"] == .null)
        #expect(try shop.session(session)["profile_id"] == .null)
    }

    @Test func idsAreTrimmed() throws {
        let (profile, session) = (try known(), unique("s"))
        let answer = try ask(session: "  \(session)\t", profile: " \(profile) ")
        #expect(answer.session == session)
        #expect(answer.profile == profile)
    }

    @Test func aStaticUUIDIsTheProfileBeforeAnyOtherRow() throws {
        let (session, sent) = (unique("s"), newUUID())
        let bound = try ask(session: session, profile: nil)
        _ = try shop.event(bound.marker)
        let marker = unique("m")
        let answer = try shop.track(
            marker: marker, source: "static-ids",
            #""session":{"id":"\#(session)"},"profile":{"id":"\#(sent)"}"#)
        #expect(answer["profile", "id"] == .string(sent))
        #expect(try shop.event(marker)["profile_id"] == .string(sent))
    }

    @Test func aStaticIdThatIsNoUUIDIsKeptAsOneAndEchoedAsSent() throws {
        let (sent, markers) = (unique("customer"), [unique("m"), unique("m")])
        for marker in markers {
            let answer = try shop.track(
                marker: marker, source: "static-ids",
                #""session":{"id":"\#(unique("s"))"},"profile":{"id":"\#(sent)"}"#)
            #expect(answer["profile", "id"] == .string(sent))
        }
        let kept = try markers.map { try shop.event($0)["profile_id"]?.text }
        #expect(kept[0] != nil && kept[0] == kept[1])
        #expect(kept[0]?.dropFirst(14).first == "5")
        let identity = try shop.database.rows(
            "select profile_id::text from identity where kind = 'static' and value = $1", sent)
        #expect(identity == [[kept[0]]])
    }

    @Test func twoRequestsAtOnceWithANewSessionGetOneProfile() throws {
        for _ in 0..<10 {
            let session = unique("s")
            let this = self
            let (a, b) = try together(
                { try this.ask(session: session, profile: nil) },
                { try this.ask(session: session, profile: nil) })
            #expect(a.profile == b.profile)
            #expect(try shop.session(session)["profile_id"]?.text == a.profile)
        }
    }

    @Test func twoServersAtOnceWithANewSessionGiveOneProfile() throws {
        let second = try World.second.get()
        for _ in 0..<10 {
            let session = unique("s")
            let this = self
            let (a, b) = try together(
                { try this.ask(session: session, profile: nil) },
                { try this.ask(session: session, profile: nil, on: second) })
            #expect(a.profile == b.profile)
            #expect(try shop.event(a.marker)["profile_id"] == (try shop.event(b.marker)["profile_id"]))
        }
    }

    @Test func aLosersEventsAreReadUnderTheWinner() throws {
        // The second server hears of the session with a known profile, the first at the same moment without one.
        let (session, profile, second) = (unique("s"), try known(), try World.second.get())
        let this = self
        let (a, b) = try together(
            { try this.ask(session: session, profile: nil) },
            { try this.ask(session: session, profile: profile, on: second) })
        _ = try (shop.event(a.marker), shop.event(b.marker))
        try eventually("both resolve to what the second was answered") {
            let resolved = try shop.database.rows(
                """
                select distinct coalesce(a.profile_id, e.profile_id)::text
                from event e left join alias a on a.id = e.profile_id where e.session_id = $1
                """, session)
            return resolved == [[b.profile]]
        }
    }
}
