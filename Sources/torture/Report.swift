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

    func count(in database: Database) throws {
        let sums = try ["received", "stored", "duplicate", "denied", "quarantined", "unsaved"].map {
            "\($0) \(try Books.total($0, in: database))"
        }
        rows = sums.joined(separator: ", ")
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
                      ledger: \(rows)
                      most memory of a server after a round: \(memory >> 20) MiB
            """
    }
}
