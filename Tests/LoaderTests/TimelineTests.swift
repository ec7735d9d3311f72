import Foundations
import Identity
import Postgres
import TestSupport
import Testing

@testable import Loader

/// A person's timeline, against a real PostgreSQL.
struct TimelineTests {
    private let database: Database
    private let connection: Connection
    private let node: Node

    init() throws {
        database = try PostgresServer.shared.get().makeDatabase()
        node = try Node(database, silence: VisitTests.silence)
        node.load()
        try eventually("the tables are there") { [node] in node.loader.status.isConnected }
        connection = try Connection(database.conninfo, name: "test")
    }

    private func fill(_ profile: UUID, _ count: Int, name: String = "a") throws {
        try database.run(
            """
            insert into profile (bucket, id, created_at, last_seen_at)
                values (bucket_of('\(profile)'::uuid), '\(profile)', now() - interval '1 day', now())
                on conflict do nothing;
            insert into event (bucket, id, received_at, time, activity, label, source, session_id, profile_id, properties)
            select bucket_of('\(profile)'::uuid), gen_random_uuid(), now(), now() - i * interval '50 ms', '\(name)',
                '\(name)', 'shop', 's' || i / 100, '\(profile)', jsonb_build_object('i', i)
            from generate_series(1, \(count)) i;
            analyze event;
            """)
    }

    private func page(_ ids: [UUID], _ cursor: Timeline.Cursor? = nil, limit: Int = 50) throws -> Timeline {
        try Timeline.read(of: ids, before: cursor, limit: limit, now: Clock.system.now(), connection)
    }

    @Test func theLastEventsOfAMillionComeAtOnce() throws {
        let profile = UUID.random()
        try fill(profile, 1_000_000)
        _ = try page([profile])
        // The machine may be busy with other tests: the best of some looks counts, and still has room.
        let best = try (0..<10).map { _ in
            let begun = Clock.system.monotonic()
            let person = try #require(try Person.find(.id(profile), connection))
            #expect(try page(person.ids).events.count == 50)
            _ = try PersonVisit.read(of: person.ids, before: nil, limit: 50, connection)
            return Int(Clock.system.monotonic() - begun) / 1_000_000
        }.min()
        #expect(try #require(best) < 100, "\(best ?? 0) ms")
        let deep = try page(
            [profile], Timeline.Cursor(time: Clock.system.now().adding(seconds: -40_000), id: profile))
        #expect(deep.events.count == 50)
        try node.stop()
    }

    @Test func pagesFollowEachOtherWithoutGapsAcrossAllIdsOfAPerson() throws {
        let ids = (0..<3).map { _ in UUID.random() }
        for (i, id) in ids.enumerated() { try fill(id, 100 + i, name: "n\(i)") }
        try database.run(
            """
            insert into alias (bucket, id, profile_id, created_at)
                select bucket_of(id), id, '\(ids[0])', now() from unnest('{\(ids[1]),\(ids[2])}'::uuid[]) id
            """)
        let person = try #require(try Person.find(.id(ids[2]), connection))
        #expect(person.id == ids[0] && Set(person.ids) == Set(ids))
        var seen: [Timeline.Event] = []
        var cursor: Timeline.Cursor?
        repeat {
            let page = try page(person.ids, cursor, limit: 37)
            seen += page.events
            cursor = page.next.flatMap { Timeline.Cursor($0.description) }
        } while cursor != nil
        #expect(seen.count == 303 && Set(seen.map(\.id)).count == 303)
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.time >= $1.time })
        try node.stop()
    }

    @Test func whatIsLongAgoIsFoundToo() throws {
        let profile = UUID.random()
        try fill(profile, 1)
        try database.run("update event set time = now() - interval '3 years'")
        #expect(try page([profile]).events.count == 1)
        #expect(try page([UUID.random()]).events.isEmpty)
        try node.stop()
    }

    @Test func visitsComeWithCampaignAndDevice() throws {
        let profile = UUID.random()
        let agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0"
        let request = VisitTests.request(
            "s", 0, 90, page: "https://a.example/?utm_source=x&gclid=g", profile: profile)
        try node.write([request.with { $0.userAgent = Array(agent.utf8) }])
        try node.write([
            VisitTests.request("s", 91, profile: profile).with { $0.userAgent = Array("curl/8".utf8) }
        ])
        try node.drain()
        let visits = try PersonVisit.read(of: [profile], before: nil, limit: 10, connection)
        #expect(visits.map(\.number) == [2, 1] && visits.map(\.events) == [2, 1])
        #expect(visits[1].campaign.map(\.value) == ["x", "gclid", "g"])
        #expect(visits.map(\.browser) == ["Firefox", "Firefox"] && visits[0].bot == nil)
        #expect(
            visits[0].device == "desktop" && visits[0].os == "Windows" && visits[0].browserVersion == "132")
        let person = try Person.find(.session("s"), connection)
        #expect(person?.id == profile)
        try node.stop()
    }
}
