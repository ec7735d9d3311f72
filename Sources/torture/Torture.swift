import ArgumentParser
import Foundation
import TestSupport

/// Breaks servers, PostgreSQL and disks under load for as long as it is told, and counts what came of it.
@main struct Torture: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Breaks things at random under load, and holds what clients were told against the database.",
        discussion: """
            Each round sends events for a while, breaks things meanwhile, heals them, and then checks that every \
            event answered 200 is stored exactly once, that nothing refused is stored, that the ledger adds up, \
            and that everybody is one person and counted once. The seed decides what is broken when; the same seed gives the same plan. Exits 1 when a promise \
            was broken; what the servers wrote and said is kept then.
            """)

    @Option(help: "How long to go on.") var minutes = 10.0
    @Option(help: "What decides the plan; drawn and printed when it is not given.") var seed: UInt64?
    @Option(help: "How many servers share the database, 1 to 3.") var instances = 1
    @Option(help: "Clients that send at the same time.") var clients = 8

    func validate() throws {
        guard minutes > 0 else { throw ValidationError("--minutes must be more than 0") }
        guard (1...3).contains(instances) else { throw ValidationError("--instances must be 1, 2 or 3") }
        guard (1...200).contains(clients) else { throw ValidationError("--clients must be 1 to 200") }
    }

    func run() throws {
        let seed = self.seed ?? .random(in: 0...999_999)
        let report = Report()
        report.say(
            "seed \(seed), \(minutes) min, \(instances) server(s), \(clients) clients, \(Server.binary)")
        let broken: [String]
        do { broken = try torture(seed: seed, report) } catch { broken = ["\(error)"] }
        report.say(report.summary)
        if broken.isEmpty {
            report.say("all promises kept")
        } else {
            for line in broken { report.say("BROKEN: \(line)") }
            report.say("seed \(seed); files kept in \(Scratch.shared.path)")
            Scratch.shared.keep()
            throw ExitCode(1)
        }
    }

    private func torture(seed: UInt64, _ report: Report) throws -> [String] {
        let site = try Site(instances: instances, limits: ["spool: 1GiB"], faults: true)
        let end = Moment.now + minutes * 60
        var round = 0
        while Moment.now < end {
            round += 1
            // Each round has numbers of its own, so that a slow machine gets the same plan as a fast one.
            var random = SeededRandom(seed &+ UInt64(round) &* 1_000_003)
            // A quarter of a minute to a minute of trouble, and then a look at the books.
            let books = try trouble(
                at: site, round: round, until: min(end, Moment.now + .random(in: 15...60, using: &random)),
                &random,
                report)
            try site.heal()
            let began = Moment.now
            let violations = try books.violations(in: site.database, within: 180)
            report.say(
                "round \(round): \(books.summary); settled in \(String(format: "%.1f", Moment.now - began)) s"
            )
            report.add(round: books, servers: site.servers)
            if !violations.isEmpty { return violations }
        }
        try report.count(in: site.database)
        return try Books.repeats(in: site.database)
    }

    private func trouble(
        at site: Site, round: Int, until end: Double, _ random: inout SeededRandom, _ report: Report
    ) throws -> Books {
        let load = site.load(clients: clients, seed: random.next(), pace: 0.004, round: "r\(round)")
        do {
            while Moment.now < end {
                pause(.random(in: 0.2...3, using: &random))
                let calamity = Calamity.allCases.randomElement(using: &random) ?? .killServer
                report.note(try calamity.perform(at: site, &random), calamity)
            }
        } catch {
            _ = load.stop()
            throw error
        }
        return load.stop()
    }
}
