import Foundation
import TestSupport
import Testing

/// Starting, reloading and losing the database, as the admin API shows it.
@Suite struct AdminOperationTests {
    private func options(_ admin: String, database: Database? = nil) throws -> ServerOptions {
        let database = try database ?? PostgresServer.shared.get().makeDatabase()
        var options = ServerOptions(sources: World.sources, database: database.conninfo)
        options.settings = ["admin: {\(admin)}"]
        return options
    }

    private func ask(_ server: Server, _ target: String, _ token: String) throws -> Response {
        try Client(server.adminAddress).exchange(
            Request("GET", target, [("Authorization", "Bearer \(token)")]))
    }

    @Test func withoutATokenItIsNotStarted() throws {
        let server = try Server.ready(try options("listen: '127.0.0.1:0'"))
        #expect(!server.log.contains("admin listening"))
    }

    @Test func itsAddressIsToldAfterTheOneThatMeansReady() throws {
        let server = try Server.ready(try options("listen: '127.0.0.1:0', read_token: the-token-that-reads"))
        _ = try server.adminAddress
        let words = server.log.split(separator: "\n").filter {
            !$0.hasPrefix("time=") && $0.contains("listening on")
        }
        #expect(words.map { $0.hasPrefix("listening on ") } == [true, false])
        #expect(server.addresses.count == 1)
    }

    @Test func aTakenPortEndsTheStart() throws {
        let first = try Server.ready(try options("listen: '127.0.0.1:0', read_token: the-token-that-reads"))
        let second = try Server(
            try options("listen: '\(try first.adminAddress)', read_token: the-token-that-reads"))
        let child = try second.launch()
        #expect(child.exit(within: 60) == .code(1))
        #expect(child.said.contains("admin.listen"), "\(child.said)")
        #expect(!child.said.contains("\nlistening on"))
    }

    @Test(arguments: ["read_token: short", "read_token: ${NOT_THERE}", "token: 0123456789abcdef"])
    func aWrongConfigurationEndsTheStart(admin: String) throws {
        let server = try Server(try options(admin))
        for command in ["check", "serve"] { #expect(try server.command(command).exit == .code(78)) }
    }

    @Test func aReloadTakesTokensOver() throws {
        let server = try Server.ready(try options("listen: '127.0.0.1:0', read_token: the-token-that-reads"))
        #expect(try ask(server, "/admin/status", "the-token-that-reads").status == 200)
        try server.change {
            $0.settings = ["admin: {listen: '127.0.0.1:0', write_token: another-token-to-write}"]
        }
        server.reload()
        try eventually("the new token is known") {
            try ask(server, "/admin/status", "another-token-to-write").status == 200
        }
        #expect(try ask(server, "/admin/status", "the-token-that-reads").status == 401)
    }

    @Test func itAnswersWhileTheDatabaseIsAway() throws {
        let postgres = try PostgresServer(durable: false)
        let server = try Server.ready(
            try options(
                "listen: '127.0.0.1:0', read_token: the-token-that-reads", database: postgres.makeDatabase()))
        #expect(try ask(server, "/admin/sources", "the-token-that-reads").status == 200)
        postgres.stop()
        let away = try ask(server, "/admin/sources", "the-token-that-reads")
        try expectError(away, 503)
        #expect(away.header("Retry-After").flatMap { Int($0) } ?? 0 > 0)
        try eventually("the status says so") {
            let status = try ask(server, "/admin/status", "the-token-that-reads")
            return try status.status == 200 && status.json()["ready"] == false
        }
        try postgres.start()
        try eventually("it is back") {
            try ask(server, "/admin/sources", "the-token-that-reads").status == 200
        }
        // Connections that died behind our back are made anew before anybody notices.
        postgres.kill()
        try postgres.start()
        for _ in 0..<4 { #expect(try ask(server, "/admin/sources", "the-token-that-reads").status == 200) }

        // A database that hangs holds up those who ask it, and nobody else.
        postgres.freeze()
        defer { postgres.thaw() }
        let waiting = try (0..<5).map { _ in
            let client = try Client(server.adminAddress, patience: 30)
            try client.send(
                Request("GET", "/admin/sources", [("Authorization", "Bearer the-token-that-reads")]).bytes)
            return client
        }
        let begin = Moment.now
        #expect(try ask(server, "/admin/status", "the-token-that-reads").status == 200)
        #expect(try server.get("/healthz").status == 200)
        #expect(Moment.now - begin < 4.5)
        for client in waiting { #expect(try client.receive(to: "GET").status == 503) }
        #expect(Moment.now - begin < 30)
    }

    @Test func theMetricsCountIt() throws {
        let world = try AdminWorld.get()
        let before = try world.server.metric("waymark_admin_requests_total", "401") ?? 0
        _ = try world.get("/admin/status", .wrong)
        try eventually("it is counted") {
            try world.server.metric("waymark_admin_requests_total", "401") ?? 0 >= before + 1
        }
    }
}
