import Foundation
import TestSupport
import Testing

/// The description of the admin API by itself, judged by others' programs: it is valid, and the server does as it says.
@Suite(.serialized) struct AdminDescriptionTests {
    /// Of its own: what is generated drops and replays what it finds.
    private static let shared = Result { try AdminWorld() }
    let world: AdminWorld
    init() throws { world = try Self.shared.get() }

    private static let unknown = "00000000-0000-4000-8000-000000000000"
    private static let files =
        #"{"files":[{"name":"a","text":"journeys: {high_value_cart: {on: {did: a}, do: [{exit: b}]}}"}]}"#
    private static let wrongFiles = #"{"files":[{"name":"a","text":"journeys: {x: {on: {dit: a}}}"}]}"#

    /// Every endpoint, rightly and wrongly asked.
    private var questions: [(method: String, target: String, body: String?)] {
        var questions: [(String, String, String?)] = []
        func add(_ method: String, _ targets: String..., body: String? = nil) {
            for target in targets { questions.append((method, "/admin/\(target)", body)) }
        }
        add(
            "GET", "openapi.json", "status", "status?x=1", "sources", "sources?limit=1", "sources?limit=x",
            "nothing")
        add(
            "GET", "ledger", "ledger?limit=1&source=shop-web", "ledger?from=x",
            "ledger?to=9999-12-31T23:59:59Z")
        add(
            "GET", "profiles", "profiles?session=the%20session", "profiles?identity=x",
            "profiles?identity=a:b")
        for id in [world.profile, Self.unknown, "42"] {
            add("GET", "profiles/\(id)", "profiles/\(id)/timeline", "profiles/\(id)/timeline?limit=1")
            add("GET", "profiles/\(id)/visits", "profiles/\(id)/traits")
        }
        for key in ["product-purchase", "session.end", "nothing-like-it", escaped("a/b-🛋-\"c\""), "%00"] {
            add("GET", "activities/\(key)", "activities/\(key)/drift", "activities/\(key)/schema")
        }
        for key in ["product-purchase", "session.end", "nothing-like-it"] {
            add(
                "POST", "activities/\(key)/freeze", "activities/\(key)/freeze?extra=x",
                "activities/\(key)/unfreeze")
        }
        add("GET", "activities", "activities?limit=1", "activities/product-purchase/drift?limit=1&after=5")
        add(
            "GET", "quarantine", "quarantine?reason=malformed&limit=1", "quarantine?reason=mal",
            "quarantine/groups")
        add(
            "GET", "quarantine?source=shop-web&from=2001-01-01T00:00:00Z&waiting=false",
            "replays/\(Self.unknown)")
        for id in world.quarantined.suffix(1) + [Self.unknown, "42"] {
            add("GET", "quarantine/\(id)")
            add("POST", "quarantine/\(id)/replay")
            add("DELETE", "quarantine/\(id)")
        }
        add("POST", "quarantine/replay", body: #"{"reason":"malformed","to":"2001-01-01T00:00:00Z"}"#)
        for body in ["{}", "{", #"{"reason":"mal"}"#, #"{"all":true}"#] {
            add("POST", "quarantine/replay", body: body)
        }
        add("POST", "quarantine/replay")
        add("GET", "journeys", "journeys?limit=1", "segments", "webhooks", "webhooks?after=a")
        for name in ["high_value_cart", "nothing"] {
            add("GET", "journeys/\(name)", "journeys/\(name)/enrolments?limit=1")
            for id in [world.profile, Self.unknown] { add("GET", "journeys/\(name)/profiles/\(id)") }
        }
        for id in [world.profile, Self.unknown] {
            add(
                "GET", "profiles/\(id)/enrolments?journey=high_value_cart", "profiles/\(id)/decisions?limit=2"
            )
        }
        for name in ["in_canada", "nothing"] {
            add("GET", "segments/\(name)/count", "segments/\(name)/members")
        }
        for name in ["call_centre", "nothing"] {
            add(
                "GET", "webhooks/\(name)", "webhooks/\(name)/deliveries",
                "webhooks/\(name)/deliveries?state=x")
            add("POST", "webhooks/\(name)/enable", "webhooks/\(name)/replay?from=2026-01-01T00:00:00Z")
        }
        for name in ["high_value_cart", "nothing"] {
            add("GET", "journeys/\(name)/backtest", "journeys/\(name)/backtest?since=x&limit=0")
            for body in [Self.files, "{}"] { add("POST", "journeys/\(name)/backtest", body: body) }
        }
        for verb in ["check", "simulate", "plan"] {
            for body in [Self.files, Self.wrongFiles, #"{"files":[{"name":""}]}"#] {
                add("POST", "definitions/\(verb)", body: body)
            }
        }
        add("GET", "definitions", "definitions?x=1")
        add("POST", "definitions/apply", body: Self.wrongFiles)
        add("POST", "webhooks/nothing/test", "webhooks/nothing/test?shape=x")
        add("GET", "deliveries/\(Self.unknown)")
        add("POST", "deliveries/\(Self.unknown)/replay")
        add("HEAD", "sources", "profiles/\(world.profile)")
        add("PUT", "sources", "profiles/\(world.profile)")
        return questions
    }

    @Test func everyAnswerFitsTheDescription() throws {
        for (method, target, body) in questions {
            for token in [AdminWorld.Token.read, .write, .wrong] {
                _ = try world.ask(method, target, token, body: body)
            }
        }
        let folder = try Scratch.shared.newFolder("answers")
        try writeFile("\(folder)/openapi.json", try world.get("/admin/openapi.json").text)
        try writeFile("\(folder)/answers.jsonl", AdminWorld.answers.text)
        let result = try run([
            try Python.program("python"), "\(Python.scripts)/answers.py", "\(folder)/openapi.json",
            "\(folder)/answers.jsonl",
        ])
        #expect(result.exit == .code(0), "\(result.output)")
        #expect(result.output.contains(" answers, 0 faults"), "\(result.output)")
    }

    /// The same requests on every day, so that a failure is of what was changed; `WAYMARK_SEED` asks for others.
    private static let seed = ProcessInfo.processInfo.environment["WAYMARK_SEED"] ?? "1"

    /// Generated requests, right and wrong ones: for ids that there are, and for made up ones.
    @Test(arguments: [("read", true), ("write", true), ("write", false)])
    func schemathesisFindsNothing(token: String, withKnownIDs: Bool) throws {
        // What is generated brings other files into force, and none.
        defer { try? AdminWorld.applyJourneys(world.server) }
        let folder = try Scratch.shared.newFolder("schemathesis")
        let secret = token == "read" ? AdminWorld.Token.read : .write
        try writeFile("\(folder)/schemathesis.toml", withKnownIDs ? try knownIDs() : "")
        let address = try world.server.adminAddress
        let result = try run(
            [
                try Python.program("st"), "--config-file", "\(folder)/schemathesis.toml", "run",
                "http://\(address)/admin/openapi.json", "--header",
                "Authorization: Bearer \(secret.rawValue)",
                "--checks", "all", "--max-examples", "10", "--seed", Self.seed,
                "--phases", withKnownIDs ? "examples,coverage,fuzzing,stateful" : "examples,coverage",
                "--request-timeout", "10", "--no-shrink", "--no-color",
            ], environment: ["HYPOTHESIS_STORAGE_DIRECTORY": folder, "HOME": folder], within: 900)
        #expect(result.exit == .code(0), "\(result.output.suffix(6000))")
        let words = result.output.suffix(2000)
        #expect(words.contains(/[0-9]{3,} generated, [0-9]{3,} passed/), "\(words)")
        // Whoever may only read drops nothing: there is something behind every id.
        if token == "read" { #expect(!result.output.contains("Missing test data"), "\(words)") }
    }

    /// What stands for the parameters of which paths, as schemathesis is told.
    private func knownIDs() throws -> String {
        let asked = try world.ask("POST", "/admin/quarantine/\(try denied())/replay", .write).json()
        let delivery = newUUID()
        try world.database.run(
            """
            insert into delivery (bucket, id, webhook, state, ordinal, next_at, created_at, finished_at, envelope, body)
            values (1, '\(delivery)', 'call_centre', 'sent', 1, now(), now(), now(), '{}', '{}')
            """)
        let known = [
            ("profiles", "id", world.profile), ("quarantine", "id", try denied()),
            ("deliveries", "id", delivery),
            ("activities", "key", "product-purchase"), ("replays", "request", asked["request"]?.text ?? ""),
        ]
        let lines = known.map { path, name, value in
            "[[operations]]\ninclude-path-regex = \"^/admin/\(path)/\"\nparameters = { \(name) = \"\(value)\" }\n"
        }
        return lines.joined()
    }

    /// An event of its own that was denied: its id in the quarantine.
    private func denied() throws -> String {
        let activity = unique("secret")
        _ = try world.server.track(
            #"{"source":{"id":"keeping"},"events":[{"type":"ok"},{"type":"\#(activity)"}]}"#)
        return try eventually("it is in quarantine") {
            try world.database.value("select id from quarantine where activity = $1", activity)
        }
    }

    /// The lines of docs/admin-api.md that ask something, as they stand there.
    @Test func everyLineOfTheDocumentationWorks() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let page = String(decoding: try readFile("\(root)/docs/admin-api.md"), as: UTF8.self)
        let begins = ["    curl ", "    api=", "    read=", "    write=", "    json=", "    files="]
        var lines: [Substring] = []
        for line in page.split(separator: "\n") {
            let goesOn = lines.last?.hasSuffix("\\") == true
            if goesOn || begins.contains(where: { line.hasPrefix($0) }) { lines.append(line) }
        }
        let script =
            """
            set -e
            curl() { command curl --fail-with-body --show-error --max-time 10 "$@" || { echo "failed: $*"; exit 1; }; }

            """
            + lines.joined(separator: "\n").replacingOccurrences(
                of: "127.0.0.1:8687", with: try world.server.adminAddress)
        let answer = try world.ask("POST", "/admin/quarantine/\(try denied())/replay", .write)
        let result = try run(
            ["/bin/bash", "-c", script],
            environment: [
                "WAYMARK_READ_TOKEN": AdminWorld.Token.read.rawValue,
                "WAYMARK_WRITE_TOKEN": AdminWorld.Token.write.rawValue, "profile": world.profile,
                "event": try denied(), "request": try #require(try answer.json()["request"]?.text),
            ])
        #expect(result.exit == .code(0), "\(result.output)")
        #expect(lines.count > 15)
    }
}
