import Foundation
import TestSupport
import Testing

/// The catalogue is exactly what the stored events say, whatever is killed under load.
@Suite struct CatalogueKillTests {
    /// All that is known of the activities, but for the histories.
    private func catalogue(_ site: Site) throws -> [[String?]] {
        try site.database.rows(
            """
            select key, id::text, events::text, parameters::text, first_seen_at::text, last_seen_at::text,
                md5(summary) from activity order by key
            """)
    }

    private func caughtUp(_ site: Site) throws {
        try eventually("the catalogue has it all", within: 60, every: 0.1) {
            try site.database.count(
                """
                select count(*) from spool_position s join catalogue_position c using (instance, epoch)
                where c.position <> s.position
                """) == 0
                && site.database.count("select coalesce(sum(events), 0) from activity")
                    == site.database.count("select count(*) from event where source <> '@waymark'")
        }
    }

    @Test func killsAtRandomMomentsLoseNothingAndCountNothingTwice() throws {
        let site = try Site(instances: 2)
        var random = SeededRandom(.random(in: .min ... .max))
        let load = site.load()
        for i in 0..<8 {
            pause(.random(in: 0.1...1, using: &random))
            _ = try [Calamity.killServer, .killBoth, .terminateServer][i % 3].perform(at: site, &random)
        }
        let books = load.stop()
        let violations = try site.violations(of: books)
        #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
        try caughtUp(site)
        let before = try catalogue(site)
        #expect(!before.isEmpty)
        let (exit, output) = try site.server.command("activities", "rebuild")
        #expect(exit == .code(0), "\(output)")
        #expect(try catalogue(site) == before)
    }
}
