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
            that everybody is one person and counted once, that every journey fired for exactly whom it should, \
            and that the receiver had each delivery under one id. The seed decides what is broken when; the same \
            seed gives the same plan. Exits 1 when a promise was broken; what the servers wrote and said is kept \
            then.
            """)

    @Option(help: "How long to go on.") var minutes = 10.0
    @Option(help: "What decides the plan; drawn and printed when it is not given.") var seed: UInt64?
    @Option(help: "How many servers share the database, 1 to 3.") var instances = 1
    @Option(help: "Clients that send at the same time.") var clients = 8
    @Option(help: "Milliseconds between two requests of a client.") var pace = 4.0
    @Option(
        help: ArgumentHelp(
            "Break only these: \(Calamity.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "trouble"))
    var only: [String] = []
    @Flag(inversion: .prefixedNo, help: "Journeys and webhooks.") var journeys = true

    func validate() throws {
        guard minutes > 0 else { throw ValidationError("--minutes must be more than 0") }
        guard (1...3).contains(instances) else { throw ValidationError("--instances must be 1, 2 or 3") }
        guard (1...200).contains(clients) else { throw ValidationError("--clients must be 1 to 200") }
        guard (0...1000).contains(pace) else { throw ValidationError("--pace must be 0 to 1000") }
        for name in only where Calamity(rawValue: name) == nil {
            throw ValidationError("there is no trouble \(name)")
        }
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
        let site = try Site(
            instances: instances, limits: ["spool: 512MiB"], faults: true, clocks: true, wires: true,
            disk: SmallDisk.mayMount ? 700 : nil,
            journeys: journeys)
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
            var violations = try books.violations(in: site.database, within: 600)
            if let desk = site.desk {
                violations += try Fires(round: books.round, books).violations(
                    in: site.database, at: desk, within: 600)
            }
            report.say(
                "round \(round): \(books.summary); settled in \(String(format: "%.1f", Moment.now - began)) s"
            )
            report.add(round: books, servers: site.servers)
            if !violations.isEmpty { return violations }
        }
        try report.count(in: site)
        return try Books.repeats(in: site.database)
    }

    private func trouble(
        at site: Site, round: Int, until end: Double, _ random: inout SeededRandom, _ report: Report
    ) throws -> Books {
        let load = site.load(clients: clients, seed: random.next(), pace: pace / 1000, round: "r\(round)")
        let troubles = Calamity.possible(at: site).filter { only.isEmpty || only.contains($0.rawValue) }
        do {
            while Moment.now < end {
                pause(.random(in: 0.2...3, using: &random))
                let calamity = troubles.randomElement(using: &random) ?? .killServer
                report.note(try calamity.perform(at: site, &random), calamity)
            }
        } catch {
            _ = load.stop()
            throw error
        }
        return load.stop()
    }
}
