import Foundation
import Foundations
import Outbound
import TestSupport
import Testing

@testable import Webhooks

/// What people who receive are told, and what they can try.
@Suite struct ReceiverTests {
    static let secret = SigningSecret(SignatureTests.secret)!

    /// The code of docs/webhooks.md under a heading.
    static func snippet(_ heading: String) throws -> String {
        let page = String(decoding: try readFile("\(Tools.root)/docs/webhooks.md"), as: UTF8.self)
        let section = try #require(page.components(separatedBy: "### \(heading)\n").last)
        let lines = section.components(separatedBy: "\n").drop { !$0.hasPrefix("```") }.dropFirst()
        return lines.prefix { !$0.hasPrefix("```") }.joined(separator: "\n")
    }

    struct Language: Sendable, CustomTestStringConvertible {
        let name: String
        let program: String
        let file: String
        /// Behind the snippet: calls it with the arguments secret, id, timestamp, signature and the body's file.
        let main: String
        var before = ""
        var command: [String] = []
        var testDescription: String { name }
    }

    static let languages = [
        Language(
            name: "Python", program: "python3", file: "verify.py",
            main: """

                import sys
                headers = dict(zip(['webhook-id', 'webhook-timestamp', 'webhook-signature'], sys.argv[2:5]))
                print('yes' if verify(sys.argv[1], headers, open(sys.argv[5], 'rb').read()) else 'no')
                """),
        Language(
            name: "Node", program: "node", file: "verify.js",
            main: """

                const [secret, id, time, signature, file] = process.argv.slice(2)
                const headers = {'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature}
                console.log(verify(secret, headers, require('fs').readFileSync(file)) ? 'yes' : 'no')
                """),
        Language(
            name: "PHP", program: "php", file: "verify.php",
            main: """

                $headers = ['webhook-id' => $argv[2], 'webhook-timestamp' => $argv[3], 'webhook-signature' => $argv[4]];
                echo verify($argv[1], $headers, file_get_contents($argv[5])) ? "yes\\n" : "no\\n";
                """, before: "<?php\n"),
        Language(
            name: "Java", program: "java", file: "Verifier.java",
            main: """

                class Main {
                    public static void main(String[] a) throws Exception {
                        var headers = Map.of("webhook-id", a[1], "webhook-timestamp", a[2], "webhook-signature", a[3]);
                        var body = java.nio.file.Files.readAllBytes(java.nio.file.Path.of(a[4]));
                        System.out.println(Verifier.verify(a[0], headers, body) ? "yes" : "no");
                    }
                }
                """),
        Language(
            name: "Go", program: "go", file: "verify.go",
            main: """

                func main() {
                	headers := map[string]string{"webhook-id": os.Args[2], "webhook-timestamp": os.Args[3], "webhook-signature": os.Args[4]}
                	body, _ := os.ReadFile(os.Args[5])
                	if verify(os.Args[1], headers, body) { fmt.Println("yes") } else { fmt.Println("no") }
                }
                """, command: ["run"]),
    ]

    /// Where the tool is there; Scripts/test installs those for Python and PHP.
    @Test(arguments: languages)
    func theCodeOfTheDocumentationTellsRightFromWrong(_ language: Language) throws {
        guard let program = Tools.path(of: language.program) else { return }
        let folder = try Scratch.shared.newFolder("verify")
        var code = try Self.snippet(language.name)
        // Java runs the first class of a file; Go imports what the snippet does not.
        if language.name == "Java" {
            let cut = code.range(of: "class Verifier")!.lowerBound
            code = code[..<cut] + language.main + "\n" + code[cut...]
        } else {
            if language.name == "Go" {
                code = code.replacing("import (", with: "import (\n\t\"fmt\"\n\t\"os\"")
            }
            code = language.before + code + "\n" + language.main
        }
        try writeFile("\(folder)/\(language.file)", code)
        let body = Array("data=%7B%22acme%22%3A%5B%5D%7D".utf8)
        let now = Clock.system.now().seconds
        func answer(_ body: [UInt8], signedAs signed: [UInt8], at time: Int64) throws -> String {
            let file = Scratch.shared.newPath("body")
            try writeFile(file, String(decoding: body, as: UTF8.self))
            let right = Self.secret.signature(id: "id-1", timestamp: time, body: signed)
            let words =
                [program] + language.command + ["\(folder)/\(language.file)", SignatureTests.secret, "id-1"]
            return try run(words + ["\(time)", "v1,AAAA \(right)", file], environment: ["HOME": folder])
                .output
        }
        #expect(try answer(body, signedAs: body, at: now) == "yes\n")
        #expect(try answer(body + [32], signedAs: body, at: now) == "no\n")
        if language.name != "Java" { #expect(try answer(body, signedAs: body, at: now - 400) == "no\n") }
    }

    // MARK: webhook receive

    static func call(
        _ id: String, at time: Int64 = 1000, body: String = "data=%7B%22a%22%3A1%7D", signed: Bool = true
    )
        -> Bystander.Call
    {
        let signature = secret.signature(id: id, timestamp: time, body: Array(body.utf8))
        return Bystander.Call(
            id: id, timestamp: "\(time)", signature: signed ? signature : "v1,AAAA", body: Array(body.utf8))
    }

    private func bystander(_ change: (inout Bystander.Behaviour) -> Void = { _ in }) -> Bystander {
        var behaviour = Bystander.Behaviour()
        change(&behaviour)
        return Bystander(secrets: [Self.secret], behaviour: behaviour)
    }

    @Test func aRepeatIsDroppedByItsID() {
        var bystander = bystander()
        let now = Timestamp(seconds: 1000)
        let first = bystander.receive(Self.call("a"), at: now)
        #expect(first.status == 200)
        #expect(first.lines.contains("  {\"a\":1}") && first.lines.contains("  the signature is right"))
        let second = bystander.receive(Self.call("a"), at: now)
        #expect(second.status == 200 && second.lines.last == "  answered 200; a repeat, dropped by its id")
        #expect(bystander.receive(Self.call("b"), at: now).lines.last == "  answered 200")
    }

    @Test func whatIsNotSignedOrTooOldIsRefused() {
        var bystander = bystander()
        #expect(bystander.receive(Self.call("a", signed: false), at: Timestamp(seconds: 1000)).status == 401)
        #expect(bystander.receive(Self.call("a"), at: Timestamp(seconds: 1301)).status == 401)
        let bare = Bystander.Call(id: nil, timestamp: nil, signature: nil, body: [])
        #expect(bystander.receive(bare, at: Timestamp(seconds: 1000)).status == 401)
        #expect(bystander.receive(Self.call("a"), at: Timestamp(seconds: 1300)).status == 200)
    }

    @Test func slowFailingAndForgetfulOnesAreToldWhatTheySuffer() {
        let now = Timestamp(seconds: 1000)
        var slow = bystander { $0.delay = 20_000_000 }
        #expect(
            slow.receive(Self.call("a"), at: now).lines.joined().contains("it hangs up, counts a failure"))
        var failing = bystander {
            $0.failures = 30
            $0.status = 503
        }
        let statuses = (0..<100).map { failing.receive(Self.call("\($0)"), at: now).status }
        #expect(statuses.filter { $0 == 503 }.count == 30)
        var forgetful = bystander { $0.isForgetful = true }
        _ = forgetful.receive(Self.call("a"), at: now)
        #expect(forgetful.receive(Self.call("a"), at: now).lines.joined().contains("DONE AGAIN"))
    }

    // MARK: webhook test

    @Test(arguments: zip(WebhookTest.Shape.allCases, ["SMS_CLICK", "custom_activity"]))
    func theSampleHasTheRealShapeAndIsSigned(_ shape: WebhookTest.Shape, _ word: String) throws {
        var webhook = Samples.webhook()
        webhook.sign = [SignatureTests.secret]
        webhook.attributes = ["CITY"]
        var random = RandomSource()
        let now = Timestamp(seconds: 1000)
        let test = WebhookTest(
            try Endpoint(webhook), panel: "acme", zone: .utc, shape: shape, at: now, random: &random)
        let text = String(decoding: test.body, as: UTF8.self).removingPercentEncoding ?? ""
        #expect(text.hasPrefix("data={\"acme\":[{") && text.contains(word))
        #expect(text.contains(#""att_params":{"CITY":"test"}"#))
        let header = test.request.headers.first { $0.name == "webhook-signature" }?.value ?? ""
        #expect(
            Self.secret.accepts(header: header, id: test.id.description, timestamp: 1000, body: test.body))
    }

    @Test func theSampleIsOnThePanelsClocks() throws {
        var random = RandomSource()
        let zone = try #require(Zone("Asia/Kolkata"))
        let test = WebhookTest(
            try Endpoint(Samples.webhook()), panel: "acme", zone: zone, at: Timestamp(seconds: 1000),
            random: &random)
        let text = String(decoding: test.body, as: UTF8.self).removingPercentEncoding ?? ""
        #expect(text.contains(#""ts":700101054640,"#))
    }

    /// What stands in a file may have another address than what was applied.
    @Test func onlyTheAddressThatWasTestedIsVerified() throws {
        let world = try World()
        let webhook = Samples.webhook()
        try world.apply(webhook)
        func isVerified(by tested: WebhookDefinition) throws -> Bool {
            try WebhookTest.noteSuccess(of: tested, at: Clock.system.now(), world.connection)
            return try WebhookStore.find("call_centre", world.connection)?.isUnverified == false
        }
        #expect(try !isVerified(by: Samples.webhook { $0.url = "http://127.0.0.1:9/other" }))
        #expect(try isVerified(by: webhook))
    }

    @Test func theVerdictSaysWhatWouldHelp() {
        let webhook = Samples.webhook()
        func verdict(_ status: Int) -> String {
            WebhookTest.verdict(.success(OutboundResponse(status: status, milliseconds: 1)), webhook).text
        }
        #expect(verdict(200) == "accepted")
        #expect(verdict(204) == "refused: a success is 200, not 204; `success: 2xx` would take it")
        #expect(verdict(302) == "refused: a success is 200, not 302; redirects are not followed")
    }

    @Test func aFolderIsReadWithAllItsMistakes() throws {
        let folder = try Scratch.shared.newFolder("journeys")
        try writeFile(
            "\(folder)/a.yaml",
            "timezone: Asia/Kolkata\nwebhooks: {a: {url: 'https://a.example/'}}\njourneys: {x: {on: 1}}\n")
        try writeFile("\(folder)/b.yml", "webhooks:\n  b: {urll: 'https://a.example/'}\n")
        try writeFile("\(folder)/notes.txt", "webhooks: {c: {}}")
        let found = try WebhookFolder.read(folder)
        #expect(found.webhooks.map(\.definition.name) == ["a"])
        #expect(found.timezone == "Asia/Kolkata" && found.panel == nil)
        #expect(found.mistakes.count == 2)
        #expect(
            found.mistakes.contains {
                $0.hasPrefix("\(folder)/b.yml:2:7: unknown key \"urll\" in webhooks.b")
            })
        #expect(throws: SystemError.self) { try WebhookFolder.read("\(folder)/none") }
    }
}
