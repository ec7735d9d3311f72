import Foundation
import TestSupport
import Testing

/// Starting, reloading, stopping, and what an operator asks (design, "Names that others rely on").
@Suite struct OperationTests {
    let shop: Shop
    init() throws { shop = try Shop() }

    private func options(_ sources: [String] = World.sources) -> ServerOptions {
        ServerOptions(sources: sources, database: shop.database.conninfo)
    }

    @Test func healthAndReadinessAreTold() throws {
        #expect(try shop.server.get("/healthz").status == 200)
        let ready = try shop.server.get("/readyz")
        #expect(ready.status == 200)
        #expect(try shop.server.get("/healthz/").status == 200)
    }

    @Test func theMetricsArePrometheusText() throws {
        try shop.flush()
        let answer = try shop.server.get("/metrics")
        #expect(answer.status == 200)
        #expect(answer.header("Content-Type")?.hasPrefix("text/plain") == true)
        var names: Set<String> = []
        for line in answer.text.split(separator: "\n") where !line.hasPrefix("#") {
            let match = try #require(
                line.wholeMatch(of: #/([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? ([-+0-9.eE]+|\+Inf|NaN)/#),
                "\(line)")
            names.insert(String(match.1))
        }
        #expect(names.allSatisfy { $0.hasPrefix("waymark_") || $0.hasPrefix("process_") }, "\(names)")
        for part in [
            "requests", "events", "spool", "lag", "connections", "answer", "commit", "bucket",
            "database_errors",
        ] {
            #expect(names.contains { $0.contains(part) }, "no metric about \(part) in \(names.sorted())")
        }
    }

    @Test func aReloadTakesSourcesAndLimits() throws {
        let server = try Server.ready(options())
        let body = #"{"source":{"id":"late"},"events":[{"type":"a"}]}"#
        #expect(try server.post("/track", body).status == 401)
        try server.change {
            $0.sources.append("{id: late, kind: web}")
            $0.sources.removeAll { $0.contains("shop-web") }
            $0.limits = ["body: 1KiB"]
        }
        server.reload()
        try eventually("the new source is known") { try server.post("/track", body).status == 200 }
        #expect(
            try server.post("/track", #"{"source":{"id":"shop-web"},"events":[{"type":"a"}]}"#).status == 401)
        #expect(try server.post("/track", "{\"x\":\"\(String(repeating: "x", count: 2000))\"}").status == 413)
    }

    @Test func aReloadOfAWrongConfigurationChangesNothing() throws {
        let server = try Server.ready(options())
        try server.change { $0.settings.append("nonsense: true") }
        server.reload()
        try eventually("the mistake is told") { server.log.contains("nonsense") }
        #expect(
            try server.post("/track", #"{"source":{"id":"shop-web"},"events":[{"type":"a"}]}"#).status == 200)
        #expect(server.process?.isRunning == true)
    }

    @Test func aTermFinishesWhatIsInFlightAndExitsZero() throws {
        let server = try Server.ready(options())
        let marker = unique("m")
        let body = #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"m":"\#(marker)"}}]}"#
        let client = try Client(server.address)
        let idle = try Client(server.address)
        let request = Request("POST", "/track", body: Array(body.utf8)).bytes
        try client.send(Array(request.dropLast(10)))
        #expect(try idle.exchange(Request("GET", "/healthz")).status == 200)
        let begin = Moment.now
        server.process?.signal(SIGTERM)
        #expect(idle.isClosed())
        try client.send(Array(request.suffix(10)))
        #expect(try client.receive().status == 200)
        #expect(server.process?.exit(within: 20) == .code(0))
        #expect(Moment.now - begin < 20)
        #expect(throws: (any Error).self) { try Client(server.address) }
        try server.start()
        _ = try shop.event(marker)
    }

    @Test func aSecondStartOnTheSameDataIsRefused() throws {
        let server = try Server.ready(options())
        let second = try server.command("serve")
        guard case .code(let code) = second.exit else { throw Failure("\(second)") }
        #expect(code != 0)
        #expect(second.output.contains(server.data) || second.output.contains("another"), "\(second.output)")
        #expect(!second.output.contains("listening on"))
        #expect(try server.get("/readyz").status == 200)
    }

    @Test func aRightConfigurationIsChecked() throws {
        let server = try Server(options())
        #expect(try server.command("check").exit == .code(0))
    }

    @Test func everyMistakeOfAConfigurationIsTold() throws {
        let server = try Server(options())
        try writeFile(
            server.configuration,
            """
            listen: 127.0.0.1:99999
            databse: postgres://x
            limits:
              body: much
              heads: 1KiB
            sources:
              - {id: a, kind: web}
              - {id: a, kind: app}
              - {kind: web}
            """)
        for command in ["check", "serve"] {
            let result = try server.command(command)
            #expect(result.exit == .code(78))
            for line in [":1:", ":2:", ":4:", ":5:", ":8:", ":9:"] {
                #expect(result.output.contains(server.configuration + line), "\(line) in \(result.output)")
            }
            #expect(result.output.contains("database"), "the nearest key is named")
        }
    }

    @Test(arguments: [
        ["--help"], ["serve", "--help"], ["check", "--help"], ["database", "--help"], ["version"],
    ])
    func helpAndVersionArePrinted(_ words: [String]) throws {
        let result = try run([Server.binary] + words)
        #expect(result.exit == .code(0))
        #expect(!result.output.isEmpty)
    }

    @Test(arguments: [["nonsense"], ["serve", "--nonsense"]])
    func wrongUsageExits64(_ words: [String]) throws {
        #expect(try run([Server.binary] + words).exit == .code(64))
    }

    @Test func theDatabaseIsPrintedForPsql() throws {
        let result = try shop.server.command("database")
        #expect(result.exit == .code(0))
        let conninfo = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try Database(conninfo: conninfo).value("select count(*) > -1 from event") == "t")
    }

    @Test func threeServersMigrateAtOnce() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let servers = try (0..<3).map { _ in
            try Server(ServerOptions(sources: World.sources, database: database.conninfo))
        }
        for server in servers { try server.launch() }
        for server in servers {
            try eventually("it listens") { !server.addresses.isEmpty }
            try server.awaitReady()
        }
        #expect(try database.count("select count(*) - count(distinct number) from migration") == 0)
        #expect(try database.count("select count(*) from migration") > 0)
        let markers = servers.map { _ in unique("m") }
        for (server, marker) in zip(servers, markers) {
            _ = try server.track(
                #"{"source":{"id":"shop-web"},"events":[{"type":"a","properties":{"m":"\#(marker)"}}]}"#)
        }
        for marker in markers {
            try eventually("stored") {
                try database.count("select count(*) from event where properties->>'m' = $1", marker) == 1
            }
        }
    }

    @Test func theEmbeddedPostgresServesTheSame() throws {
        let server = try Server.ready(ServerOptions(sources: World.sources, database: nil))
        let conninfo = try server.command("database").output.trimmingCharacters(in: .whitespacesAndNewlines)
        let database = Database(conninfo: conninfo)
        let marker = unique("m")
        _ = try server.track(
            #"{"source":{"id":"shop-web"},"options":{"debugger":true},"events":[{"type":"a","properties":{"m":"\#(marker)"}}]}"#
        )
        #expect(try database.count("select count(*) from event where properties->>'m' = $1", marker) == 1)
        #expect(server.terminate() == .code(0))
        #expect(throws: (any Error).self) { try Database(conninfo: conninfo).value("select 1") }
        try server.start()
        try server.awaitReady()
        #expect(try database.count("select count(*) from event where source <> '@waymark'") == 1)
        #expect(server.terminate() == .code(0))
    }

    @Test func noPayloadIsLogged() throws {
        let secret = unique("private")
        let server = try Server.ready(options())
        _ = try? server.track(
            #"{"source":{"id":"shop-web"},"session":{"id":"\#(secret)"},"events":[{"type":"\#(secret)","properties":{"x":"\#(secret)"}}]}"#
        )
        _ = try server.post("/track", #"{"source":{"id":"\#(secret)"},"events":[{"type":"a"}]}"#)
        _ = try server.post("/track", "{\(secret)")
        _ = try server.post("/\(secret)", "{}", [("X-Secret", secret)])
        #expect(server.terminate() == .code(0))
        #expect(!server.log.contains(secret))
    }
}
