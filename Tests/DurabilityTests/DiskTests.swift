import Foundation
import TestSupport
import Testing

/// Invariant 1 on disks that lie, fill up and refuse; invariant 5's cap; invariant 6.
@Suite struct DiskTests {
    private func expectKept(_ books: Books, at site: Site) throws {
        let violations = try site.violations(of: books)
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        print(books.summary)
    }

    private func event(_ marker: String, padding: Int = 0) -> String {
        let text = String(repeating: "x", count: padding)
        return
            #"{"source":{"id":"load-web"},"events":[{"type":"a","properties":{"m":"\#(marker)","p":"\#(text)"}}]}"#
    }

    private func stored(_ marker: String, at site: Site) throws -> Int {
        try site.database.count("select count(*) from event where properties->>'m' = $1", marker)
    }

    @Test(arguments: SpoolFiles.Damage.allCases)
    func aTornLastRecordIsCutOff(_ damage: SpoolFiles.Damage) throws {
        let site = try Site(faults: true)
        for i in 0..<20 { _ = try site.server.track(event("before-\(i)")) }
        // The last record is written and not synced, so its sender is not answered.
        try site.set(.syncHangs)
        let client = try Client(site.server.address, patience: 0.5)
        try client.send(Request("POST", "/track", body: Array(event("torn", padding: 2000).utf8)).bytes)
        #expect(throws: (any Error).self) { try client.receive() }
        site.server.kill()
        try SpoolFiles(of: site.server).damageTail(damage)
        try site.heal()
        for i in 0..<20 { _ = try site.server.track(event("after-\(i)")) }
        try eventually("all others are stored") {
            try site.database.count(
                "select count(distinct properties->>'m') from event where properties->>'m' <> 'torn'")
                == 40
        }
        let torn = try stored("torn", at: site)
        #expect(damage == .followed ? torn <= 1 : torn == 0)
        #expect(try site.database.count("select count(*) from event where source <> '@waymark'") == 40 + torn)
        #expect(try Books.imbalances(in: site.database).isEmpty)
    }

    @Test(arguments: [FaultShim.Fault.syncFails, .diskFull, .writeFails])
    func whatTheDiskRefusedIsRefusedAndNeverStored(_ fault: FaultShim.Fault) throws {
        let site = try Site(faults: true)
        let load = site.load(clients: 4)
        for round in 0..<4 {
            pause(0.5)
            try site.set(fault)
            pause(0.3)
            if round % 2 == 1 { site.server.kill() }
            try site.set(.none)
            if round % 2 == 1 { try site.server.start() }
        }
        pause(0.5)
        let books = load.stop()
        #expect(books.answers[503, default: 0] > 0, "nothing was refused: \(books.summary)")
        #expect(books.promised > 100, "\(books.summary)")
        try expectKept(books, at: site)
    }

    @Test func aRefusalByTheDiskIsToldByReadinessAndPasses() throws {
        let site = try Site(faults: true)
        try site.set(.diskFull)
        let answer = try eventually("it is refused") { () throws -> Response? in
            let answer = try site.server.post("/track", event("x"), [("Origin", "https://a.example")])
            return answer.status == 503 ? answer : nil
        }
        #expect(answer.header("Retry-After") != nil)
        #expect(answer.header("Access-Control-Allow-Origin") == "https://a.example")
        #expect(try answer.json()["status"] == 503)
        let ready = try site.server.get("/readyz")
        #expect(ready.status == 503 && ready.text.lowercased().contains("spool"), "\(ready.text)")
        try site.set(.none)
        try eventually("it is taken again") { try site.server.post("/track", event("y")).status == 200 }
        try site.server.awaitReady()
    }

    @Test func aFullSpoolIs503UntilItIsLoaded() throws {
        let site = try Site(limits: ["spool: 256MiB", "retain: 0s"])
        site.postgres.stop()
        var promised: [String] = []
        var refused: Response?
        for i in 0..<100 where refused == nil {
            let answer = try site.server.post("/track", event("full-\(i)", padding: 3_900_000))
            if answer.status == 200 { promised.append("full-\(i)") } else { refused = answer }
        }
        let answer = try #require(refused)
        #expect(answer.status == 503)
        #expect(answer.header("Retry-After").flatMap { Int($0) }.map { $0 > 0 } == true)
        #expect(try answer.json()["status"] == 503)
        #expect(promised.count > 20, "\(promised.count) were taken")
        #expect(try site.server.get("/healthz").status == 200)
        #expect(site.server.residentMemory < 200 << 20, "\(site.server.residentMemory >> 20) MiB")
        try site.postgres.start()
        try eventually("there is room again", within: 60, every: 0.1) {
            try site.server.post("/track", event("room")).status == 200
        }
        try eventually("all that was promised is stored", within: 60, every: 0.25) {
            try site.database.count("select count(*) from event where properties->>'m' like 'full-%'")
                == promised.count
        }
        #expect(try Books.imbalances(in: site.database).isEmpty)
        #expect(site.server.residentMemory < 200 << 20, "\(site.server.residentMemory >> 20) MiB")
    }

    private static let mayMount: Bool = {
        guard getuid() == 0, let folder = try? Scratch.shared.newFolder("mount") else { return false }
        guard mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0 else { return false }
        umount2(folder, 0)
        return true
    }()

    @Test(.enabled(if: mayMount, "mounting a small file system takes root"))
    func aFullFileSystemIs503UntilThereIsRoom() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let server = try Server(ServerOptions(sources: Books.sources, database: database.conninfo))
        mkdir(server.data, 0o755)
        try #require(mount("tmpfs", server.data, "tmpfs", 0, "size=300m") == 0)
        defer {
            server.kill()
            umount2(server.data, 2)  // detached even if something still looks at it
        }
        try server.start()
        try server.awaitReady()
        let filler = "\(server.data)/filler"
        let file = open(filler, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        while write(file, zeros, zeros.count) == zeros.count {}
        close(file)
        var promised = 0
        var refused = false
        for i in 0..<200 where !refused {
            let status = try server.post("/track", event("small-\(i)", padding: 3_900_000)).status
            if status == 200 { promised += 1 } else { refused = status == 503 }
        }
        #expect(refused)
        unlink(filler)
        try eventually("there is room again", within: 30) {
            try server.post("/track", event("room")).status == 200
        }
        try eventually("all that was promised is stored", within: 60, every: 0.25) {
            try database.count("select count(*) from event where properties->>'m' like 'small-%'") == promised
        }
    }

    @Test func aLimitOnTheSizeOfFilesIsADiskThatRefuses() throws {
        let database = try PostgresServer.shared.get().makeDatabase()
        let server = try Server.ready(ServerOptions(sources: Books.sources, database: database.conninfo))
        let pid = String(try #require(server.process).pid)
        try run(["/usr/bin/prlimit", "--pid", pid, "--fsize=1000000:"])
        var promised = 0
        var refused = false
        for i in 0..<60 where !refused {
            let status = try server.post("/track", event("limit-\(i)", padding: 100_000)).status
            if status == 200 { promised += 1 } else { refused = status == 503 }
        }
        #expect(refused)
        #expect(server.process?.isRunning == true)
        try run(["/usr/bin/prlimit", "--pid", pid, "--fsize=unlimited:"])
        try eventually("there is room again", within: 30) {
            try server.post("/track", event("room")).status == 200
        }
        try eventually("all that was promised is stored", within: 60) {
            try database.count("select count(*) from event where properties->>'m' like 'limit-%'") == promised
        }
    }

    @Test func aRestartWithAGigabyteOfBacklogTakesLessThanASecond() throws {
        let site = try Site()
        site.postgres.stop()
        let request = Request("POST", "/track", body: Array(event("backlog", padding: 4_000_000).utf8))
        let client = try Client(site.server.address, patience: 30)
        for _ in 0..<270 { #expect(try client.exchange(request).status == 200) }
        // A disk that is still writing down that gigabyte may make any one start wait.
        var times: [Double] = []
        for _ in 0..<6 where times.min() ?? 1 >= 1 {
            site.server.kill()
            let begin = Moment.now
            try site.server.start()
            #expect(try site.server.post("/track", event("first")).status == 200)
            times.append(Moment.now - begin)
        }
        #expect(times.min() ?? 1 < 1, "\(times) s")
        #expect(site.server.residentMemory < 200 << 20, "\(site.server.residentMemory >> 20) MiB")
        try site.postgres.start()
        func stored() throws -> Int {
            try site.database.count("select count(*) from event where source <> '@waymark'")
        }
        let before = try stored()
        try eventually("the backlog drains while new events come in", within: 60, every: 0.05) {
            #expect(try site.server.post("/track", event("new")).status == 200)
            return try stored() > before + 40
        }
        #expect(site.server.residentMemory < 200 << 20, "\(site.server.residentMemory >> 20) MiB")
    }
}
