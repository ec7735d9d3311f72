import TestSupport
import Testing

/// The shapes of the answers to `/track` (contract, section 2).
@Suite struct AnswerTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private let members: Set = [
        "task", "ux", "response", "events", "profile", "session", "source", "errors", "warnings",
    ]

    @Test func theDefaultAnswerHasTheUnionOfAllGenerations() throws {
        let session = unique("s")
        let answer = try shop.track(#""session":{"id":"\#(session)"}"#)
        #expect(Set(answer.members?.keys ?? [:].keys) == members)
        #expect(isUUID(answer["task"]))
        #expect(answer["ux"] == [])
        #expect(answer["response"] == [:])
        #expect(answer["events"] == [])
        #expect(isUUID(answer["profile", "id"]))
        #expect(answer["profile"]?.members?.count == 1)
        #expect(answer["session", "id"] == .string(session))
        #expect(answer["source"] == ["consent": false])
        #expect(answer["errors"] == [])
        #expect(answer["warnings"] == [])
    }

    @Test func theDebuggerWaitsAndSaysWhatHappened() throws {
        let (marker, id) = (unique("m"), unique("id"))
        let answer = try shop.server.track(
            """
            {"source":{"id":"shop-web"},"options":{"debugger":true},"events":[
             {"type":"Page View","id":"\(id)","properties":{"m":"\(marker)"}},
             {"type":"purchase","properties":{"m":"\(marker)"}}]}
            """)
        #expect(try shop.events(marker) == 2, "the answer came before the events were stored")
        #expect(answer["events"]?.list?.count == 2)
        #expect(Set(answer.members?.keys ?? [:].keys) == members.union(["debugging"]))
        let debugging = try #require(answer["debugging"]?.members)
        #expect(Set(debugging.keys) == ["session", "events", "profile", "execution", "segmentation", "logs"])
        for name in ["session", "events", "profile"] {
            let part = try #require(debugging[name]?.members)
            #expect(Set(part.keys) == ["saved", "errors", "ids", "types"], "\(name)")
            #expect(part["errors"] == [])
        }
        #expect(debugging["events"]?["saved"] == 2)
        #expect(debugging["events"]?["ids"] == answer["events"])
        #expect(debugging["events"]?["types"]?.list?.count == 2)
        #expect(debugging["session"]?["saved"] == 1)
        #expect(debugging["profile"]?["ids"] == [try #require(answer["profile", "id"])])
    }

    @Test func withoutDebugInTheConfigurationTheDebuggerIsSilent() throws {
        let answer = try shop.track(#""options":{"debugger":true}"#, on: World.second.get())
        #expect(answer["debugging"] == nil)
        #expect(answer["events"] == [])
    }

    @Test func aProfileIsReturnedWholeWithoutItsPrivateTraits() throws {
        let session = unique("s")
        let first = try shop.track(
            source: "whole", #""session":{"id":"\#(session)"},"options":{"debugger":true}"#)
        let id = try #require(first["profile", "id"]?.text)
        try shop.database.rows(
            #"update profile set traits = '{"city":"Oslo","private":{"ssn":"1"}}' where id = $1::uuid"#, id)
        let answer = try shop.track(
            source: "whole", #""session":{"id":"\#(session)"},"options":{"profile":true}"#)
        #expect(answer["profile", "id"] == .string(id))
        #expect(answer["profile"]?.encoded.contains("Oslo") == true)
        #expect(answer["profile"]?.encoded.contains("ssn") == false)
    }

    @Test func aSourceThatDoesNotReturnProfilesReturnsTheIdAlone() throws {
        let answer = try shop.track(#""options":{"profile":true}"#)
        #expect(answer["profile"]?.members?.count == 1)
        #expect(isUUID(answer["profile", "id"]))
    }

    @Test func aProfileLessRequestMakesASessionAndNoProfile() throws {
        let marker = unique("m")
        let answer = try shop.track(marker: marker, query: "?profile_less=true")
        #expect(answer["profile"] == ["id": .null])
        let session = try #require(answer["session", "id"]?.text)
        #expect(try shop.event(marker)["profile_id"] == .null)
        #expect(try shop.session(session)["profile_id"] == .null)
    }

    @Test(arguments: [#""events":[]"#, #""events":null"#, #""session":{"id":"s"}"#])
    func nothingAskedForIsAnEmptyAnswer(_ member: String) throws {
        let answer = try shop.server.track(#"{"source":{"id":"shop-web"},\#(member)}"#)
        #expect(answer["events"] == [])
        #expect(answer["errors"] == [])
        #expect(isUUID(answer["task"]))
    }

    @Test func everyAnswerCarriesTheCallersRequestId() throws {
        let answer = try shop.server.post(
            "/track", #"{"source":{"id":"shop-web"}}"#, [("X-Request-Id", "abc-123.DEF")])
        #expect(answer.header("X-Request-Id") == "abc-123.DEF")
    }

    @Test(arguments: [String(repeating: "a", count: 5000), "a b<script>", "", "\u{e9}"])
    func aRequestIdThatIsNotSaneIsReplaced(_ id: String) throws {
        let answer = try shop.server.post("/track", #"{"source":{"id":"shop-web"}}"#, [("X-Request-Id", id)])
        #expect(answer.status == 200)
        let given = try #require(answer.header("X-Request-Id"))
        #expect(given != id && !given.isEmpty && given.count <= 256)
    }

    @Test func eventsThatAreNotToBeSavedAreCountedAsUnsaved() throws {
        let (marker, kept) = (unique("m"), unique("m"))
        let before = try Books.total("unsaved", in: shop.database)
        _ = try shop.track(marker: marker, event: #""options":{"save":false}"#)
        _ = try shop.track(marker: marker, #""options":{"saveEvents":false}"#)
        _ = try shop.track(marker: kept)
        _ = try shop.event(kept)
        #expect(try shop.events(marker) == 0)
        try eventually("the ledger counts them") {
            try Books.total("unsaved", in: shop.database) >= before + 2
        }
    }

    @Test func aSessionThatIsNotToBeSavedLeavesItsIdAtTheEvent() throws {
        let (marker, session) = (unique("m"), unique("s"))
        let answer = try shop.track(
            marker: marker, #""session":{"id":"\#(session)"},"options":{"saveSession":false}"#)
        #expect(answer["session", "id"] == .string(session))
        #expect(try shop.event(marker)["session_id"] == .string(session))
        #expect(try shop.sessions(session) == 0)
    }

    @Test func theContextGoesToTheSessionWhenItIsNewOrChanged() throws {
        let session = unique("s")
        _ = try shop.track(#""session":{"id":"\#(session)"},"context":{"screen":"1x1"}"#)
        #expect(try shop.session(session)["context"] == ["screen": "1x1"])
        _ = try shop.track(#""session":{"id":"\#(session)"},"context":{"screen":"2x2"}"#)
        try eventually("the changed context is kept") {
            try shop.session(session)["context"] == ["screen": "2x2"]
        }
    }
}
