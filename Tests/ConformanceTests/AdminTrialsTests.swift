import Foundation
import TestSupport
import Testing

/// What the commands do with journeys' files, with stored history and with webhooks, over the admin API.
@Suite(.serialized) struct AdminTrialsTests {
    private static let shared = Result {
        let world = try JourneysWorld(JourneysTests.journeys) { $0.settings.append(AdminWorld.admin) }
        try world.settle()
        return world
    }
    let world: JourneysWorld
    init() throws { world = try Self.shared.get() }

    private func ask(
        _ method: String, _ target: String, _ token: AdminWorld.Token = .read, body: String? = nil
    ) throws -> Response {
        let headers = [token.header] + (body == nil ? [] : [("Content-Type", "application/json")])
        let request = Request(method, "/admin/\(target)", headers, body: body.map { Array($0.utf8) })
        let answer = try Client(world.server.adminAddress, patience: 40).exchange(request)
        AdminWorld.answers.note(request, answer)
        return answer
    }

    private func files(_ texts: String...) -> String {
        let files = texts.enumerated().map { #"{"name":"\#($0.offset).yaml","text":\#(quoted($0.element))}"# }
        return #"{"files":[\#(files.joined(separator: ","))]}"#
    }

    /// What is in force, as a file.
    private func exported() throws -> String {
        try #require(try ask("GET", "definitions").json()["text"]?.text)
    }

    // MARK: Files

    @Test func whatIsExportedChangesNothing() throws {
        let plan = try ask("POST", "definitions/plan", body: files(try exported()))
        #expect(plan.status == 200)
        #expect(try plan.json()["changes"] == [], "\(plan.text)")
    }

    @Test func allMistakesAreSaidAndNothingIsDoneWithThem() throws {
        let wrong = "journeys: {x: {on: {dit: a}, do: [{webhook: nobody}]}}\ntimezone: Europe/Berlin"
        let answer = try ask("POST", "definitions/check", body: files(try exported(), wrong))
        #expect(try answer.json()["ok"] == false)
        let mistakes = try #require(try answer.json()["mistakes"]?.list?.compactMap(\.text))
        for part in [
            #"unknown key "dit""#, #"unknown webhook "nobody""#, "timezone is another one",
        ] {
            #expect(mistakes.contains { $0.contains(part) }, "\(part): \(mistakes)")
        }
        for verb in ["plan", "apply", "simulate"] {
            let refused = try ask("POST", "definitions/\(verb)", .write, body: files(try exported(), wrong))
            try expectError(refused, 409)
            #expect(refused.text.contains("unknown webhook"), "\(refused.text)")
        }
        try expectError(try ask("POST", "definitions/apply", .write, body: #"{"files":[]}"#), 409)
    }

    @Test func namesThatNobodyHasSentAreWarnedOf() throws {
        try world.track("visit", #"{"visit":"1","tier":"none"}"#, session: unique("s"))
        let text =
            "journeys: {x: {on: {did: visitt, where: 'a == 1'}, who: 'attr.tiers == 1', do: [{exit: y}]}}"
        try eventually("the catalogue knows it") {
            try world.database.count("select count(*) from activity where key = 'visit'") == 1
        }
        let answer = try ask("POST", "definitions/check", body: files(text))
        let warnings = try #require(try answer.json()["warnings"]?.list?.compactMap(\.text))
        let near = #""visitt" was seen yet (did you mean "visit"?)"#
        #expect(warnings.contains { $0.contains(near) }, "\(warnings)")
        #expect(warnings.contains { $0.contains("\"tiers\" yet (did you mean \"tier\"?)") }, "\(warnings)")
        let plan = try world.plan()
        #expect(!plan.contains("\"visit\" was seen"), "\(plan)")
    }

    @Test func scenariosAreRun() throws {
        let story = """
            scenarios:
              bought:
                journey: bought
                events: [{at: 0s, profile: p, did: product purchase, with: {total: 100}}]
                expect: [{at: 0s, webhook: feed}]
              cheap:
                journey: bought
                events: [{at: 0s, profile: p, did: product purchase, with: {total: 1}}]
                expect: [{at: 0s, webhook: feed}]
            """
        let answer = try ask("POST", "definitions/simulate", body: files(try exported(), story)).json()
        #expect(answer["passed"] == 1 && answer["failed"] == 1)
        #expect(
            answer["scenarios", 1, "report"]?.encoded.contains("expected     0s feed") == true, "\(answer)")
    }

    @Test func filesAreBroughtIntoForceByTheWriteTokenOnly() throws {
        let before = try exported()
        let more = "journeys: {quiet: {state: shadow, on: {did: a}, do: [{webhook: feed}]}}"
        try expectError(try ask("POST", "definitions/apply", body: files(before, more)), 403)
        let applied = try ask("POST", "definitions/apply", .write, body: files(before, more))
        #expect(try applied.json()["changes", 0, "what"] == "journey quiet", "\(applied.text)")
        #expect(try exported().contains("quiet"))
        let back = try ask("POST", "definitions/apply", .write, body: files(before)).json()
        #expect(back["changes", 0, "kind"] == "removed")
    }

    /// Whoever has the token, and no more, cannot have the server's environment sent to him.
    @Test(arguments: [
        (#"{url: "https://other.example/", bearer: "${FEED_TOKEN}"}"#, "${FEED_TOKEN}"),
        (#"{url: "http://127.0.0.1:1/", allow_networks: [127.0.0.0/8]}"#, "allow_networks 127.0.0.0/8"),
        (#"{url: "https://other.example/?${PATH}"}"#, "${PATH}"),
        (#"{url: "https://other.example/", headers: {X: "a${HOME:-b}c"}}"#, "${HOME:-b}"),
        (#"{url: "https://other.example/", ca: /etc/hostname}"#, "ca /etc/hostname"),
    ])
    func aSecretGoesToNoNewAddress(webhook: String, what: String) throws {
        let more = "webhooks: {other: \(webhook)}"
        #expect(try ask("POST", "definitions/plan", body: files(try exported(), more)).status == 200)
        let answer = try ask("POST", "definitions/apply", .write, body: files(try exported(), more))
        try expectError(answer, 409)
        #expect(answer.text.contains("webhook other wants \(what)"), "\(answer.text)")
    }

    // MARK: Backtests

    @Test func aBacktestSaysWhatTheCommandSays() throws {
        let carts = (0..<4).map { _ in unique("cart") }
        for (i, cart) in carts.enumerated() {
            let session = unique("s")
            try world.track("add to cart", #"{"cart":"\#(cart)"}"#, session: session)
            if i % 2 == 0 { try world.track("checkout", #"{"cart":"\#(cart)"}"#, session: session) }
        }
        for cart in carts { try world.awaitDecision("left", key: cart) }
        let deliveries = try world.database.count("select count(*) from delivery")
        let answer = try ask("GET", "journeys/cart/backtest?limit=1")
        let json = try answer.json()
        #expect(json["complete"] == true && json["enrolled"] == 4 && json["fired"] == 2, "\(answer.text)")
        #expect(json["live"] == 2 && json["only_live"] == 0 && json["only_backtest"] == 0, "\(answer.text)")
        #expect(json["fires"]?.list?.count == 1)
        // As it would be with other files: nobody is too late any more.
        let changed = """
            webhooks: {feed: {url: "https://x.example/"}}
            journeys:
              cart: {on: {did: add to cart}, key: cart, reentry: per_key, do: [{webhook: feed}]}
            """
        let other = try ask("POST", "journeys/cart/backtest", body: files(changed)).json()
        #expect(other["fired"] == 4 && other["only_backtest"] == 2, "\(other.encoded)")
        try expectError(try ask("GET", "journeys/nothing/backtest"), 404)
        try expectError(try ask("POST", "journeys/nothing/backtest", body: files(changed)), 404)
        #expect(try world.database.count("select count(*) from delivery") == deliveries)
    }

    // MARK: Webhooks

    @Test func aWebhookIsTested() throws {
        let seen = world.receiver.count
        try expectError(try ask("POST", "webhooks/feed/test"), 403)
        #expect(world.receiver.count == seen)
        let answer = try ask("POST", "webhooks/feed/test?shape=channel", .write)
        let json = try answer.json()
        #expect(json["success"] == true && json["status"] == 200, "\(answer.text)")
        #expect(json["verdict"] == "accepted")
        let call = try #require(world.receiver.calls.last { $0.header("webhook-id") == json["id"]?.text })
        // The panel is the one that was applied, not the configuration's.
        let body = try #require(call.text.removingPercentEncoding)
        #expect(body.hasPrefix(#"data={"acme":[{"webhook_name":"SMS_CLICK""#), "\(body)")
        #expect(try ask("GET", "webhooks/feed").json()["verified"] == true)
        try expectError(try ask("POST", "webhooks/nothing/test", .write), 404)
    }

    @Test func aTestSaysWhyThereIsNoAnswerAndHoldsUpNobody() throws {
        let silent = try Receiver { _ in .silence }
        defer { silent.close() }
        let world = try JourneysWorld("{}") { $0.settings.append(AdminWorld.admin) }
        let folder = try Scratch.shared.newFolder("silent")
        try writeFile(
            "\(folder)/j.yaml",
            """
            webhooks:
              silent: {url: "\(silent.url)", timeout: 2s, allow_networks: [127.0.0.0/8]}
              secret: {url: "https://x.example/", bearer: "${NOT_THERE}"}
            """)
        #expect(try world.server.command("journeys", "apply", folder).exit == .code(0))
        let address = try world.server.adminAddress
        func request(_ webhook: String) -> Request {
            Request("POST", "/admin/webhooks/\(webhook)/test", [AdminWorld.Token.write.header])
        }
        // More of them than there are workers for such things.
        let waiting = try (0..<4).map { _ in
            let client = try Client(address, patience: 40)
            try client.send(request("silent").bytes)
            return client
        }
        try eventually("they are on their way") { silent.count >= 2 }
        let begin = Moment.now
        let quick = try Client(address).exchange(
            Request("GET", "/admin/webhooks", [AdminWorld.Token.read.header]))
        #expect(quick.status == 200 && Moment.now - begin < 2)
        for client in waiting {
            let answer = try client.receive(to: "POST")
            let json = try answer.json()
            #expect(answer.status == 200 && json["status"] == JSON.null, "\(answer.text)")
            #expect(json["verdict"]?.text?.hasPrefix("failed: ") == true, "\(answer.text)")
        }
        let missing = try Client(address).exchange(request("secret"))
        try expectError(missing, 409)
        #expect(missing.text.contains("NOT_THERE"))
    }
}
