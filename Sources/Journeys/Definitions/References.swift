import ConfigurationFile
import Foundations

/// Names that one part of the files uses and another must define, gathered while they are read.
package final class References {
    package enum Kind: String, Sendable { case webhook, segment, score, band, journey }

    struct Reference {
        let kind: Kind
        let name: String
        /// Of a band: its score.
        var owner = ""
        /// `segment in_canada`: the definition that it stands in, if that is one of a segment or a score.
        let inside: String?
        let place: Place
        let findings: Findings

        /// What it leads to, written so.
        var what: String { "\(kind.rawValue) \(name)" }
    }

    /// An expression with where it stands, for what can be said about its names later.
    struct Placed {
        let expression: Expression
        let place: Place
        /// Keys of the activities whose properties bare names are; empty: not known.
        let activities: [String]
        /// Keys of the activities that `entry.` can be.
        var entries: [String] = []
        let findings: Findings
        /// Is a character of the expression a column of the file?
        let isInline: Bool

        func place(of offset: Int) -> Place {
            isInline ? Place(place.line, place.column + offset) : place
        }
    }

    private(set) var all: [Reference] = []
    /// The segment or score that is read now.
    var inside: String?
    var expressions: [Placed] = []
    /// Activities that are waited for, with where.
    var activities: [(key: String, place: Place, findings: Findings)] = []

    package init() {}

    func add(_ kind: Kind, _ name: String, owner: String = "", at place: Place, _ findings: Findings) {
        all.append(
            Reference(
                kind: kind, name: name, owner: owner, inside: inside, place: place, findings: findings))
    }

    /// Notes a mistake for each name that is not among the known ones.
    func check(_ known: [Kind: [String]], bands: [String: [String]]) {
        for reference in all {
            let names = reference.kind == .band ? bands[reference.owner] : known[reference.kind] ?? []
            guard let names, !names.contains(reference.name) else { continue }
            let what =
                reference.kind == .band ? "band \"\(reference.name)\" of score" : reference.kind.rawValue
            let name = reference.kind == .band ? reference.owner : reference.name
            let near = nearest(to: reference.name, among: names)
            let list =
                names.isEmpty
                ? "one that is defined; there are none" : "one of \(names.sorted().joined(separator: ", "))"
            reference.findings.add(
                Mistake(
                    reference.place, "unknown \(what) \"\(name)\"", expected: near == nil ? list : nil,
                    suggestion: near))
        }
    }

    /// Notes a mistake for each segment and score that asks for itself, perhaps through others: where it does.
    func checkCycles() {
        let asks = Dictionary(grouping: all.filter { $0.kind == .segment || $0.kind == .score }) { $0.inside }
        for case (let name?, let mine) in asks {
            guard let reference = mine.first(where: { Self.leads($0.what, to: name, asks) }) else { continue }
            reference.findings.add(Mistake(reference.place, "\(name) depends on itself"))
        }
    }

    private static func leads(_ start: String, to wanted: String, _ asks: [String?: [Reference]]) -> Bool {
        var (open, seen) = ([start], Set<String>())
        while let next = open.popLast() {
            if next == wanted { return true }
            if seen.insert(next).inserted { open += (asks[next] ?? []).map(\.what) }
        }
        return false
    }
}
