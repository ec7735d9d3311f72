import Foundation
import TestSupport

/// What is printed while it goes on, and the counts at the end.
final class Report {
    private let begin = Moment.now
    private var calamities: [String: Int] = [:]
    private var answers: [Int: Int] = [:]
    private var promised = 0
    private var rounds = 0
    private var memory = 0
    private var rows = ""
    private var journeys = ""

    func say(_ text: String) {
        // Not `print`: what reads us sees each line when it is said.
        FileHandle.standardOutput.write(
            Data((String(format: "%8.1f  ", Moment.now - begin) + text + "\n").utf8))
    }

    func note(_ text: String, _ calamity: Calamity) {
        calamities[calamity.rawValue, default: 0] += 1
        say(text)
    }

    func add(round books: Books, servers: [Server]) {
        rounds += 1
        promised += books.promised
        answers.merge(books.answers, uniquingKeysWith: +)
        memory = max(memory, servers.map(\.residentMemory).max() ?? 0)
    }

    func count(in site: Site) throws {
        let database = site.database
        let sums = try ["received", "stored", "duplicate", "denied", "quarantined", "unsaved"].map {
            "\($0) \(try Books.total($0, in: database))"
        }
        rows = sums.joined(separator: ", ")
        guard let desk = site.desk else { return }
        let enrolled = try database.rows("select journey, count(*) from enrolment group by 1 order by 1")
        let deliveries = try database.count("select count(*) from delivery")
        let passedBy = try database.count("select count(*) from decision where kind = 'unwaited'")
        let attempts = try database.rows(
            "select coalesce(status::text, 'none'), count(*) from attempt group by 1 order by 1")
        func list(_ rows: [[String?]]) -> String {
            rows.map { $0.map { $0 ?? "" }.joined(separator: " ") }.joined(separator: ", ")
        }
        journeys = """
            \n          enrolments: \(try database.count("select count(*) from enrolment")) (\(list(enrolled)))
                      timers decided without a server that was silent for a minute: \(passedBy)
                      deliveries: \(deliveries); attempts by status: \(list(attempts))
                      receiver: \(desk.counts.calls) calls, \(desk.counts.fires) fires, \(desk.counts.repeats) repeats under the same id
            """
    }

    var summary: String {
        let troubles = calamities.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(
            separator: ", ")
        let statuses = answers.sorted { $0.key < $1.key }
            .map { "\($0.key == 0 ? "no answer" : String($0.key)) \($0.value)" }.joined(separator: ", ")
        return """
            \(rounds) rounds
                      troubles: \(troubles)
                      answers: \(statuses)
                      events promised: \(promised)
                      ledger: \(rows)\(journeys)
                      most memory of a server after a round: \(memory >> 20) MiB
            """
    }
}
