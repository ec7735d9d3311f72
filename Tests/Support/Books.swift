import Foundation

/// What the clients of a `Load` were told, to be held against the database.
package struct Books: Sendable {
    package enum Word: Sendable, Equatable {
        /// Answered 200: exists exactly once.
        case promised
        /// Answered 503: does not exist.
        case refused
        /// No answer: exists once or not at all.
        case unknown
    }

    package private(set) var words: [String: Word] = [:]
    /// Of events that are not to be stored, which journeys see all the same.
    package private(set) var unsaved: [String: Word] = [:]
    /// How often each status came; 0: no answer.
    package internal(set) var answers: [Int: Int] = [:]
    package internal(set) var problems: [String] = []
    /// Why the first requests without an answer had none.
    private var unanswered: [String] = []

    /// What the markers begin with, and a dash.
    package let round: String
    private var prefix: String { round.isEmpty ? "" : "\(round)-" }

    package init(round: String = "") { self.round = round }

    /// The sources that a `Load` sends to.
    package static let sources = [
        "{id: load-web, kind: web, deny: [forbidden], "
            + "identify: [{by: email, from: properties.email}, "
            + "{by: voucher_id, from: properties.voucher, activity: voucher-sent}], "
            + "traits: {increment: seen, activity: [page-view, voucher-sent]}}",
        "{id: load-crm, kind: backend, identify: {by: voucher_id, from: properties.voucher}, "
            + "traits: {increment: seen, activity: order}}",
    ]

    package var promised: Int { words.values.count { $0 == .promised } }

    mutating func note(_ markers: [String], _ word: Word) {
        for marker in markers where words[marker] != .promised { words[marker] = word }
    }

    mutating func note(unsaved marker: String, _ word: Word) { unsaved[marker] = word }

    mutating func note(unanswered why: String) { if unanswered.count < 3 { unanswered.append(why) } }

    package mutating func add(_ other: Books) {
        for why in other.unanswered { note(unanswered: why) }
        unsaved.merge(other.unsaved) { a, _ in a }
        words.merge(other.words) { a, b in a == .promised ? a : b }
        answers.merge(other.answers, uniquingKeysWith: +)
        problems += other.problems
    }

    /// Waits until all that was promised is stored, and returns every broken promise in words.
    ///
    /// Nothing may be sent meanwhile, and the server must be up.
    package func violations(
        in database: Database, within seconds: Double = 60, balance: Double = 30
    ) throws -> [String] {
        var found = problems
        var stored: [String: Int] = [:]
        func missing() -> [String] {
            words.filter { $0.value == .promised && stored[$0.key] == nil }.map(\.key)
        }
        do {
            try eventually("all that was promised is stored", within: seconds, every: 0.25) {
                stored = try self.stored(in: database)
                return missing().isEmpty
            }
        } catch {
            let lost = missing()
            if lost.isEmpty { throw error }
            found.append("\(lost.count) promised events are not stored: \(lost.sorted().prefix(5))")
        }
        found += try Self.imbalances(in: database, within: balance)
        // A second look: what was unknown may have come meanwhile, and nothing may have come twice.
        stored = try self.stored(in: database)
        for (marker, count) in stored where count > 1 { found.append("\(marker) is stored \(count) times") }
        for (marker, word) in words where word == .refused && stored[marker] != nil {
            found.append("\(marker) was refused and is stored")
        }
        found += try People.violations(in: database, within: balance)
        return Array(found.prefix(50))
    }

    /// Events of any round that are stored more than once.
    package static func repeats(in database: Database) throws -> [String] {
        try database.rows(
            """
            select properties->>'m' from event where properties ? 'm' group by 1 having count(*) > 1 limit 20
            """
        ).map { "\($0[0] ?? "") is stored more than once" }
    }

    private func stored(in database: Database) throws -> [String: Int] {
        let rows = try database.rows(
            "select properties->>'m', count(*) from event where starts_with(properties->>'m', $1) group by 1",
            prefix)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0[0] ?? "", Int($0[1] ?? "") ?? 0) })
    }

    /// Where the ledger does not add up after a while of quiet.
    package static func imbalances(in database: Database, within seconds: Double = 30) throws -> [String] {
        var last: [[String?]] = []
        do {
            try eventually("the ledger adds up", within: seconds, every: 0.25) {
                last = try database.rows(
                    """
                    select source, minute, received, stored, duplicate, denied, quarantined, unsaved from ledger
                    where received is distinct from stored + duplicate + denied + quarantined + unsaved
                    """)
                let events = try database.count("select count(*) from event where source <> '@waymark'")
                return try last.isEmpty && total("stored", in: database) == events
            }
            return []
        } catch {
            let sums = try database.rows(
                """
                select sum(received), sum(stored), sum(duplicate), sum(denied), sum(quarantined), sum(unsaved)
                from ledger
                """)
            let events = try database.count("select count(*) from event where source <> '@waymark'")
            let lines = last.prefix(5).map { $0.map { $0 ?? "null" }.joined(separator: " ") }
            let all = sums.first.map { $0.map { $0 ?? "null" }.joined(separator: " ") } ?? ""
            return [
                "the ledger does not add up (received stored duplicate denied quarantined unsaved): \(lines)"
                    + " sums \(all) with \(events) events"
            ]
        }
    }

    package static func total(_ column: String, in database: Database) throws -> Int {
        try database.count("select coalesce(sum(\(column)), 0)::bigint from ledger")
    }

    package var summary: String {
        let counts = answers.sorted { $0.key < $1.key }
            .map { "\($0.key == 0 ? "none" : String($0.key)): \($0.value)" }.joined(separator: ", ")
        let refused = words.values.count { $0 == .refused }
        let unknown = words.values.count { $0 == .unknown }
        let reasons = unanswered.isEmpty ? "" : "; no answer: \(unanswered.joined(separator: ", "))"
        return "answers {\(counts)}, events promised \(promised), refused \(refused), unknown \(unknown)"
            + reasons
    }
}
