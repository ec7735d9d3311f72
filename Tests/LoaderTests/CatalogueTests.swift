import Activities
import Foundations
import Logging
import Payload
import Postgres
import Spool
import TestSupport
import Testing

@testable import Loader

/// What a cataloguer makes of a spool behind a loader, against a real PostgreSQL.
struct CatalogueTests {
    let database: Database
    let node: Node

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database)
    }

    private func cataloguer(_ node: Node, pace: Int = 1, activities: Int = 10_000) throws -> Cataloguer {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        var options = Cataloguer.Options(activities: activities)
        options.pace = pace
        return try Cataloguer(
            spool: node.spool, outcomes: node.loader.outcomes, options: options, logger: logger)
    }

    /// A cataloguer behind the loader, both at work.
    private func following() throws -> Cataloguer {
        let catalogue = try cataloguer(node)
        node.load()
        catalogue.use(database.conninfo)
        return catalogue
    }

    private func event(_ key: String, _ properties: String, id: String = "") -> TestEvent {
        TestEvent {
            $0.activity = Array(key.utf8)
            $0.label = Array(key.utf8)
            $0.properties = Array(properties.utf8)
            $0.clientID = Array(id.utf8)
        }
    }

    /// Until the catalogue has all that is on disk.
    private func caughtUp(_ node: Node) throws {
        try eventually("the catalogue has it all", every: 0.005) {
            let row = try database.rows(
                "select position from catalogue_position where instance = $1::uuid and epoch = $2::uuid",
                "\(node.spool.instance)", "\(node.spool.epoch)")
            return row == [["\(node.spool.durable.rawValue)"]]
        }
    }

    private func stop(_ cataloguer: Cataloguer) throws {
        let done = Locked(false)
        cataloguer.stop(within: 1000) { done.withLock { $0 = true } }
        try eventually("the cataloguer stops") { done.withLock { $0 } }
    }

    private func events(_ key: String) throws -> Int? {
        try database.value("select events from activity where key = $1", key).flatMap { Int($0) }
    }

    /// All of the catalogue but what hangs on when it was written.
    private func contents() throws -> [[String?]] {
        try database.rows(
            """
            select key, id::text, label, events::text, parameters::text, sources::text, first_seen_at::text,
                last_seen_at::text, shape::text, encode(summary, 'hex') from activity order by key
            """)
    }

    private func rebuild() throws -> CatalogueRebuild.Result {
        let reading = try Connection(database.conninfo, name: "test")
        let writing = try Connection(database.conninfo, name: "test")
        return try CatalogueRebuild(reading: reading, writing: writing)
            .run(activities: 10_000, now: Clock.system.now())
    }

    /// Behind by hours, it shows and keeps what it has learnt every second.
    @Test func aBacklogIsWrittenBitByBit() throws {
        let catalogue = try cataloguer(node)
        let long = String(repeating: "x", count: 60_000)
        for i in 0..<10 {
            let events = (0..<10).map { event("a", #"{"x":\#(i * 10 + $0),"y":"\#(long)"}"#) }
            try node.write([TestRequest().with { $0.events = events }])
        }
        node.load()
        try node.drain()
        catalogue.use(database.conninfo)
        try caughtUp(node)
        #expect(try events("a") == 100)
        #expect(catalogue.metrics.flushes.total > 2)
        try stop(catalogue)
        try node.stop()
    }

    /// Not a page of them at each look of the timer, which would take 40 s.
    @Test func manyNewActivitiesHaveTheirViewsSoon() throws {
        let catalogue = try following()
        let events = (0..<800).map { event("many\($0)", #"{"x":1}"#) }
        try node.write([TestRequest().with { $0.events = events }])
        try eventually("all views are there", within: 38, every: 0.05) {
            try database.count("select count(*) from activity_view where name like 'many%'") == 800
        }
        try stop(catalogue)
        try node.stop()
    }

    @Test func onlyWhatIsStoredIsLearnt() throws {
        let catalogue = try following()
        func same() -> TestEvent { event("a", #"{"x":1}"#, id: "1") }
        try node.write([TestRequest(same(), same(), event("a", #"{"x":2}"#, id: "1"))])
        let verdicts: [Submission.Verdict] = [.store, .unsaved, .denied, .quarantined]
        try node.write([TestRequest().with { $0.events = verdicts.map { v in TestEvent { $0.verdict = v } } }]
        )
        try caughtUp(node)
        #expect(try events("a") == 1)
        #expect(try events("page-view") == 1)
        try stop(catalogue)
        try node.stop()
    }

    @Test func anEventThatCrashedTheServerTwiceIsLeftOut() throws {
        node.load()
        try node.write([TestRequest(event("a", "{}"))])
        let record = node.spool.durable
        try node.write([TestRequest(event("a", "{}"), event("b", "{}"), event("c", "{}"))])
        // What the handler of two crashes leaves behind.
        let suspect = Suspicion(begin: LoadPosition(record: record, part: 1), events: 1, crashes: 2)
        try LoadingNote(path: node.spool.directory + "/learning").write(suspect)
        let catalogue = try cataloguer(node)
        catalogue.use(database.conninfo)
        try caughtUp(node)
        #expect(try events("a") == 2)
        #expect(try events("b") == nil)
        #expect(try events("c") == 1)
        #expect(try database.value("select count(*)::text from event") == "4")
        // Only that one event is given up.
        try node.write([TestRequest(event("b", "{}"))])
        try caughtUp(node)
        #expect(try events("b") == 1)
        try stop(catalogue)
        try node.stop()
    }

    @Test func whatCrashedOnceIsTriedAgainEventByEvent() throws {
        node.load()
        let record = node.spool.durable
        try node.write([TestRequest(event("a", "{}"), event("b", "{}"))])
        let suspect = Suspicion(begin: LoadPosition(record: record, part: 0), events: 2, crashes: 1)
        let path = node.spool.directory + "/learning"
        try LoadingNote(path: path).write(suspect)
        let catalogue = try cataloguer(node)
        catalogue.use(database.conninfo)
        try caughtUp(node)
        #expect(try events("a") == 1)
        #expect(try events("b") == 1)
        try eventually("it is beyond suspicion") { try LoadingNote(path: path).suspicion() == nil }
        try stop(catalogue)
        try node.stop()
    }

    /// What an earlier process left: all is loaded, and nobody learnt of it.
    private func loadedBefore() throws -> String {
        let node = try Node(database)
        node.load()
        for _ in 0..<3 {
            try node.write([TestRequest(event("a", #"{"x":1}"#, id: "1"), event("b", #"{"y":[1,2]}"#))])
        }
        try node.drain()
        try node.stop()
        return node.folder
    }

    @Test func aRestartAsksTheTableWhatIsStored() throws {
        let folder = try loadedBefore()
        let again = try eventually("the folder is free", within: 5) { try Node(database, folder: folder) }
        let catalogue = try cataloguer(again)
        again.load()
        catalogue.use(database.conninfo)
        try caughtUp(again)
        #expect(try events("a") == 1)
        #expect(try events("b") == 3)
        try stop(catalogue)
        try again.stop()
    }

    @Test func severalServersLearnIntoOneCatalogue() throws {
        let other = try Node(database)
        let nodes = [node, other]
        let cataloguers = try nodes.map { try cataloguer($0) }
        for (node, catalogue) in zip(nodes, cataloguers) {
            node.load()
            catalogue.use(database.conninfo)
        }
        for i in 0..<40 {
            let name = "activity-\(i % 5)"
            try nodes[i % 2].write([TestRequest(event(name, #"{"n":\#(i),"on-\#(i % 2)":true}"#))])
        }
        for node in nodes { try caughtUp(node) }
        #expect(try database.rows("select distinct events, parameters from activity") == [["8", "3"]])
        #expect(try database.rows("select id from activity order by id").count == 5)
        for catalogue in cataloguers { try stop(catalogue) }
        for node in nodes { try node.stop() }
    }

    @Test func aRebuildEqualsTheOriginalAndKeepsIds() throws {
        let catalogue = try following()
        for i in 0..<60 {
            let odd = [#"{"a":1e2,"a":-0.0}"#, #"{"é":"x","deep":{"l":[{"m":[1.50,"t",null]}]}}"#, "{}"][
                i % 3]
            try node.write([TestRequest(event("k\(i % 4)", odd), event("other", #"{"n":\#(i).0}"#))])
        }
        try caughtUp(node)
        let before = try contents()
        #expect(before.count == 5)
        #expect(try rebuild().events == 120)
        #expect(try contents() == before)
        try node.write([TestRequest(event("k0", "{}"))])
        try caughtUp(node)
        #expect(try events("k0") == 16)
        try stop(catalogue)
        try node.stop()
    }

    @Test func aRebuildWhileServersLearnCountsNothingTwice() throws {
        let catalogue = try following()
        try node.write([TestRequest(event("a", "{}"))])
        try caughtUp(node)
        let this = self
        let (_, _) = try together(
            { for i in 0..<150 { try this.node.write([TestRequest(this.event("a", #"{"n":\#(i)}"#))]) } },
            { for _ in 0..<4 { _ = try this.rebuild() } })
        try caughtUp(node)
        #expect(try events("a") == 151)
        let before = try contents()
        _ = try rebuild()
        #expect(try contents() == before)
        try stop(catalogue)
        try node.stop()
    }

    /// A rebuild whose snapshot is older than the last flush moves a server back that has nothing left to flush.
    @Test func anIdleServerSeesThatItWasMoved() throws {
        let catalogue = try following()
        try node.write([TestRequest(event("a", "{}"))])
        try caughtUp(node)
        try database.run(
            "begin; update catalogue_position set position = 0; update activity set summary = '', events = 0; commit"
        )
        try caughtUp(node)
        #expect(try events("a") == 1)
        try stop(catalogue)
        try node.stop()
    }

    @Test func aDatabaseThatWentBackIsFollowed() throws {
        let catalogue = try following()
        try node.write([TestRequest(event("a", "{}"))])
        try caughtUp(node)
        // As if the moment before the event had been restored.
        try database.run(
            """
            begin; update catalogue_position set position = 0; update spool_position set position = 0, part = 0;
            delete from event; delete from activity; delete from ledger_entry; commit
            """)
        try node.write([TestRequest(event("a", "{}"))])
        try caughtUp(node)
        try eventually("both are there") { try events("a") == 2 }
        #expect(try database.count("select count(*) from event") == 2)
        try stop(catalogue)
        try node.stop()
    }

    @Test func aPositionThatIsGoneIsSteppedOverLoudly() throws {
        let small = try Node(database, segmentBytes: 64 << 10, retain: 0)
        small.load()
        let large = #"{"t":"\#(String(repeating: "x", count: 20_000))"}"#
        for _ in 0..<12 { try small.write([TestRequest(event("a", large))]) }
        try small.drain()
        try eventually("segments go") {
            small.spool.tick()
            return small.spool.status.oldest > .start
        }
        let catalogue = try cataloguer(small)
        catalogue.use(database.conninfo)
        small.load()
        try caughtUp(small)
        #expect(catalogue.metrics.gaps.total == 1)
        #expect(try database.count("select count(*) from catalogue_position where gap_at is not null") == 1)
        #expect(try rebuild().events == 12)
        #expect(try events("a") == 12)
        #expect(try database.count("select count(*) from catalogue_position where gap_at is not null") == 0)
        try stop(catalogue)
        try small.stop()
    }

    @Test func aFullCatalogueSaysSoAndStoresAll() throws {
        let catalogue = try cataloguer(node, activities: 8)
        node.load()
        catalogue.use(database.conninfo)
        try node.write([TestRequest().with { $0.events = (0..<30).map { event("hostile-\($0)", "{}") } }])
        try node.write([TestRequest(event("mine", "{}")).with { $0.source = "other" }])
        try caughtUp(node)
        #expect(try database.count("select count(*) from event") == 31)
        #expect(try database.count("select count(*) from activity where source = 'shop'") == 2)
        #expect(try events("mine") == 1)
        #expect(try database.rows("select source, events from catalogue_overflow") == [["shop", "28"]])
        #expect(catalogue.metrics.overflowed.total == 28)
        try stop(catalogue)
        try node.stop()
    }

    /// Whatever is stored, each view can be read; whatever things are called, each has a view and a column.
    @Test func noNameAndNoValueBreaksAView() throws {
        let catalogue = try following()
        let long = String(repeating: "ü", count: 5000)
        let names = [
            "select", "", "a.b", #"quo\"te"#, "💥", "time", "index", "it's", #"back\\slash"#, long,
            "constructor",
        ]
        let values = [
            "1", "1e100", #""text""#, "true", "null", "[]", "[1,2]", #"["a",null,{}]"#, "[[1],[2,[3]]]",
            "{}", #"{"x":1}"#, #"[{"x":1,"y":[{"z":[1]}]},5,[]]"#, #""2026-01-01""#,
        ]
        var requests: [TestRequest] = []
        for (i, value) in values.enumerated() {
            let members = names.map { "\"\($0)\":\(value)" }.joined(separator: ",")
            requests.append(TestRequest(event("odd \"; drop'\\ \(i % 2)", "{\(members)}")))
        }
        requests.append(TestRequest(event("a", #"{"items":[{"x":1}]}"#), event("a.items", #"{"x":1}"#)))
        requests.append(
            TestRequest(
                event(String(repeating: "k", count: 200), "{}"),
                event(String(repeating: "k", count: 201), "{}")))
        for half in [requests[..<7], requests[7...]] {
            try node.write(Array(half))
            try caughtUp(node)
        }
        let views = try eventually("the views are there", within: 30) { () -> [String]? in
            let behind = try database.count(
                """
                select count(*) from activity a left join activity_view v on v.activity = a.id and v.number = 0
                where v.shape is distinct from a.shape
                """)
            let names = try database.rows("select name from activity_view").compactMap { $0[0] }
            return behind == 0 && !names.isEmpty ? names : nil
        }
        for view in views {
            let name = "\"" + view.replacing("\"", with: "\"\"") + "\""
            _ = try database.rows("select * from activities.\(name)")
        }
        #expect(
            try database.count("select count(distinct name) from activity_view where activity > 100") == views
                .count - 2)
        let odd = try database.rows(
            "select name from activity_column c join activity a on a.id = c.activity where a.key like 'odd%'")
        #expect(odd.allSatisfy { ($0[0] ?? "").utf8.count <= 63 })
        try stop(catalogue)
        try node.stop()
    }
}
