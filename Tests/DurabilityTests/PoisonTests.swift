import Foundation
import TestSupport
import Testing

/// Invariant 4: one bad event costs nobody else anything.
@Suite struct PoisonTests {
    /// From now on PostgreSQL refuses every event whose properties have the member `poison`.
    private func poison(_ database: Database, sqlstate: String) throws {
        try database.run(
            """
            create or replace function refuse() returns trigger language plpgsql as $$
            begin
                if new.properties ? 'poison' then
                    raise exception 'it is poison' using errcode = '\(sqlstate)', constraint = 'no_poison';
                end if;
                return new;
            end $$;
            create trigger refuse before insert on event for each row execute function refuse();
            """)
    }

    private func event(_ marker: String, isPoison: Bool = false, id: String? = nil) -> String {
        let poison = isPoison ? #","poison":true"# : ""
        let id = id.map { #","id":"\#($0)""# } ?? ""
        return #"{"type":"a"\#(id),"properties":{"m":"\#(marker)"\#(poison)}}"#
    }

    private func send(_ events: [String], to server: Server) throws {
        _ = try server.track(#"{"source":{"id":"load-web"},"events":[\#(events.joined(separator: ","))]}"#)
    }

    private func stored(_ like: String, at site: Site) throws -> Int {
        try site.database.count("select count(*) from event where properties->>'m' like $1", like)
    }

    @Test(arguments: ["22023", "22P02", "54000", "23514"])
    func aPoisonRecordIsQuarantinedAndAllOthersAreStored(_ sqlstate: String) throws {
        let site = try Site()
        try poison(site.database, sqlstate: sqlstate)
        let load = site.load(clients: 3)
        for i in 0..<30 {
            try send(
                (0..<10).map { event("p-\(i)-\($0)", isPoison: i % 7 == 3 && $0 == i % 10) }, to: site.server)
        }
        let books = load.stop()
        let bad = (0..<30).count { $0 % 7 == 3 }
        try eventually("all others are stored") { try stored("p-%", at: site) == 300 - bad }
        try eventually("the poison is in quarantine") {
            try site.database.count("select count(*) from quarantine where payload::text like '%poison%'")
                == bad
        }
        let detail = try site.database.value(
            "select detail::text from quarantine where payload::text like '%poison%'")
        #expect(detail?.contains(sqlstate) == true, "\(detail ?? "no detail")")
        let violations = try site.violations(of: books)
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
    }

    @Test(arguments: ["53100", "40001", "57014", "55P03"])
    func whatIsNotTheDatasFaultWaits(_ sqlstate: String) throws {
        let site = try Site()
        try poison(site.database, sqlstate: sqlstate)
        try send([event("w-1"), event("w-2", isPoison: true), event("w-3")], to: site.server)
        try eventually("the loader has tried and told") {
            try site.server.metric("waymark_database_errors_total") ?? 0 > 1
        }
        #expect(try site.database.count("select count(*) from quarantine") == 0)
        try site.database.run("drop trigger refuse on event")
        try eventually("all are stored") { try stored("w-%", at: site) == 3 }
        #expect(try site.database.count("select count(*) from quarantine") == 0)
        #expect(try Books.imbalances(in: site.database).isEmpty)
    }

    @Test func aFailedStoreLeavesNoKeyBehind() throws {
        let site = try Site()
        try poison(site.database, sqlstate: "22023")
        try send([event("k-1", isPoison: true, id: "the-id")], to: site.server)
        try eventually("it is in quarantine") {
            try site.database.count("select count(*) from quarantine") == 1
        }
        try site.database.run("drop trigger refuse on event")
        try send([event("k-1", isPoison: true, id: "the-id")], to: site.server)
        try eventually("it is stored") { try stored("k-%", at: site) == 1 }
        #expect(try Books.total("duplicate", in: site.database) == 0)
    }

    @Test func aRecordThatCrashesTheProcessIsFoundAcrossRestarts() throws {
        let site = try Site(faults: true)
        try site.set(.crashOnMarker)
        site.postgres.stop()  // so that the marker lies among others in the backlog
        for i in 0..<40 {
            try send([event("c-\(i)"), event(i == 17 ? FaultShim.marker : "c-\(i)-second")], to: site.server)
        }
        try site.postgres.start()
        var starts = 0
        try eventually("the crashing event is in quarantine", within: 60) {
            if site.server.process?.isRunning != true {
                starts += 1
                try site.server.start()
            }
            return try site.database.count(
                "select count(*) from quarantine where payload::text like '%\(FaultShim.marker)%'") == 1
        }
        #expect(starts >= 2, "it crashed \(starts) times")
        #expect(starts <= 20, "it crashed \(starts) times")
        try eventually("all others are stored", within: 30) { try stored("c-%", at: site) == 79 }
        #expect(site.server.process?.isRunning == true)
        #expect(try Books.imbalances(in: site.database).isEmpty)
    }
}
