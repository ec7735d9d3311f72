import Foundation
import TestSupport
import Testing

/// A clock that is stepped, forward or back, loses nothing, doubles nothing, and turns no order around.
@Suite struct ClockTests {
    @Test func arrivalTimesNeverGoBack() throws {
        let site = try Site(clocks: true)
        let client = try Client(site.server.address)
        var sent = 0
        func send(until: Double) throws {
            while Moment.now < until {
                let body =
                    #"{"source":{"id":"load-web"},"events":[{"type":"a","properties":{"m":"\#(sent)"}}]}"#
                #expect(try client.exchange(Request("POST", "/track", body: Array(body.utf8))).status == 200)
                sent += 1
                pause(0.01)
            }
        }
        for offset in [40, -3600, 7200, 0] {
            try site.clocks[0].set(offset)
            try send(until: Moment.now + 0.7)
        }
        let rows = """
            select (properties->>'m')::int as m, received_at as at,
                lag(received_at) over (order by (properties->>'m')::int) as before
            from event where source = 'load-web'
            """
        try eventually("all are stored") {
            try site.database.count("select count(*) from (\(rows)) e") == sent
        }
        #expect(
            try site.database.rows("select m, at, before from (\(rows)) e where at < before limit 3") == [])
        // The clock was stepped for the server: an hour ahead of ours, at least.
        #expect(
            try site.database.count("select count(*) from event where received_at > now() + interval '1 h'")
                > 0)
        #expect(try Books.imbalances(in: site.database).isEmpty)
        #expect(try site.server.get("/readyz").status == 200)
    }

    @Test func stepsOfSeveralServersLoseAndDoubleNothing() throws {
        let site = try Site(instances: 2, clocks: true, journeys: true)
        let load = site.load(clients: 4, pace: 0.01)
        for (server, offset) in [(0, 6), (1, -8), (0, -5), (1, 4)] {
            pause(1.2)
            try site.clocks[server].set(offset)
        }
        pause(1)
        site.server.kill()
        try site.server.start()
        pause(1)
        let books = load.stop()
        let violations = try site.violations(of: books, within: 90)
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        #expect(Set(books.answers.keys).isSubset(of: [0, 200]), "\(books.summary)")
        #expect(site.desk?.counts.fires ?? 0 > 50)
    }
}
