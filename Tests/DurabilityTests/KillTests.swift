import Foundation
import TestSupport
import Testing

/// Invariants 1, 2, 3 and 5: what was answered 200 exists exactly once and the ledger adds up, whatever is
/// killed, stopped or frozen under load.
@Suite struct KillTests {
    private func expectKept(_ books: Books, at site: Site, atLeast promised: Int = 200) throws {
        let violations = try site.violations(of: books)
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        #expect(books.promised >= promised, "too little happened: \(books.summary)")
        print(books.summary)
    }

    @Test func theServerIsKilledAtRandomMoments() throws {
        let site = try Site()
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load()
        for _ in 0..<8 {
            pause(.random(in: 0.1...1, using: &random))
            _ = try Calamity.killServer.perform(at: site, &random)
        }
        try expectKept(load.stop(), at: site)
    }

    @Test func postgresIsKilledAtRandomMoments() throws {
        let site = try Site()
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load()
        for _ in 0..<5 {
            pause(.random(in: 0.3...1, using: &random))
            _ = try Calamity.killPostgres.perform(at: site, &random)
        }
        let books = load.stop()
        #expect(books.answers[503] == nil && books.answers[0] == nil, "\(books.summary)")
        try expectKept(books, at: site)
    }

    @Test func bothAreKilledAtRandomMoments() throws {
        let site = try Site(instances: 2)
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load()
        for _ in 0..<4 {
            pause(.random(in: 0.3...1, using: &random))
            _ = try Calamity.killBoth.perform(at: site, &random)
        }
        try expectKept(load.stop(), at: site)
    }

    @Test func postgresIsAwayForHalfAMinute() throws {
        let site = try Site()
        let load = site.load(clients: 4, pace: 0.01)
        pause(1)
        site.postgres.stop()
        let begin = Moment.now
        try eventually("readiness tells that the database is away") {
            let answer = try site.server.get("/readyz")
            return answer.status == 503 && answer.text.lowercased().contains("database")
        }
        #expect(try site.server.get("/healthz").status == 200)
        while Moment.now - begin < 30 {
            let sent = Moment.now
            _ = try site.server.track(
                #"{"source":{"id":"load-web"},"events":[{"type":"a","properties":{}}]}"#)
            #expect(Moment.now - sent < 8)
            pause(0.25)
        }
        try site.postgres.start()
        let books = load.stop()
        #expect(Set(books.answers.keys) == [200], "\(books.summary)")
        #expect(site.server.residentMemory < 100 << 20, "\(site.server.residentMemory >> 20) MiB")
        try expectKept(books, at: site)
    }

    @Test func postgresStandsStillForAWhile() throws {
        let site = try Site()
        let load = site.load(clients: 4, pace: 0.005)
        pause(1)
        site.postgres.freeze()
        pause(8)
        site.postgres.thaw()
        let books = load.stop()
        #expect(Set(books.answers.keys) == [200], "\(books.summary)")
        try expectKept(books, at: site)
    }

    @Test func anOrderlyStopLosesNothing() throws {
        let site = try Site(instances: 2)
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load()
        for _ in 0..<4 {
            pause(.random(in: 0.2...0.6, using: &random))
            _ = try Calamity.terminateServer.perform(at: site, &random)
        }
        try expectKept(load.stop(), at: site)
    }

    @Test func theEmbeddedPostgresIsKilledWithItsServer() throws {
        let server = try Server.ready(ServerOptions(sources: Books.sources, database: nil))
        let conninfo = try server.command("database").output.trimmingCharacters(in: .whitespacesAndNewlines)
        let load = Load(clients: 4, round: "e") { server.process?.isRunning == true ? server.addresses : [] }
        for round in 0..<3 {
            pause(1)
            if round != 1 { server.kill() }
            for pid in server.embeddedPostgres() { kill(pid, SIGKILL) }
            if round != 1 { try server.start() }
        }
        let books = load.stop()
        try server.awaitReady()
        let violations = try books.violations(in: Database(conninfo: conninfo))
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        #expect(books.promised > 100, "\(books.summary)")
        #expect(server.terminate() == .code(0))
        #expect(server.embeddedPostgres().isEmpty)
    }

    @Test func aSessionThatStartsWhilePostgresIsAwayHasOneProfileOnTwoServers() throws {
        let site = try Site(instances: 2)
        site.postgres.stop()
        var answered: [String: Set<String>] = [:]
        for i in 0..<20 {
            for server in site.servers {
                let answer = try server.track(
                    #"{"source":{"id":"load-web"},"session":{"id":"away-\#(i)"},"events":[{"type":"a","properties":{"m":"a\#(i)-\#(server.folder.hashValue)"}}]}"#
                )
                answered["away-\(i)", default: []].insert(try #require(answer["profile", "id"]?.text))
            }
        }
        try site.heal()
        try eventually("all are stored") {
            try site.database.count(
                "select count(*) from event where session_id like 'away-%' and source <> '@waymark'") == 40
        }
        #expect(answered.values.allSatisfy { $0.count == 1 })
        for (session, profiles) in answered {
            let kept = try site.database.rows(
                "select distinct profile_id::text from event where session_id = $1", session)
            #expect(kept == [[profiles.first]])
        }
    }
}
