import Foundations

extension Engine {
    /// Two profiles become one: what the loser had belongs to the winner from now on.
    ///
    /// Enrolments move and keep their ids. Where both have one of the same (journey, key, n), the older stays, and the
    /// other ends; where both run one of a journey and key that may run only once at a time, the older runs on. One
    /// that moves may meet two at once: it stays only if it is the oldest of them, and then both others go. The trace
    /// says so. `winner.attributes` must be those after the merge. What one of the two did means something to the
    /// other's journeys only by the step `merged`, which follows.
    package func merge(_ loser: Person, into winner: inout Person, at clock: Timestamp) -> [Effect] {
        var merging = Merging(engine: self, loser: loser.subject, winner: winner, at: clock)
        // The oldest first: whom it drives out is in no other one's way any more.
        for enrolment in loser.enrolments.sorted(by: Merging.isOlder) { merging.move(enrolment) }
        winner = merging.winner
        Self.merge(loser.memory, into: &winner.memory)
        return merging.effects + [.remember(winner.memory)] + merging.trace
    }

    /// What the step `merged` needs of both, before they are merged.
    package func union(of loser: Person, with winner: Person, at clock: Timestamp) -> Union {
        var union = Union(at: clock)
        union.parts = Set(loser.memory.evidence.values.joined().map(\.id))
        for name in rules.scoreWatchers.keys where !rules.watchedByAttributes.scores.contains(name) {
            guard let version = rules.scores[name]?.version,
                [loser, winner].allSatisfy({ $0.memory.scores[name]?.version == version })
            else { continue }
            let bands = [loser, winner].compactMap { person in
                Stepping(rules: rules, person: person, history: NoHistory()).band(name, at: clock)
            }
            union.bands[name] = Set(bands)
        }
        return union
    }

    /// The same number, or both running where only one may.
    fileprivate func isRival(_ a: Enrolment, _ b: Enrolment) -> Bool {
        guard a.journey == b.journey, a.key == b.key else { return false }
        if a.n == b.n { return true }
        return a.isRunning && b.isRunning && !(mayRunBeside(a) && mayRunBeside(b))
    }

    private func mayRunBeside(_ enrolment: Enrolment) -> Bool {
        rules.rule(enrolment.journey, enrolment.version)?.journey.reentry.mode == .always
    }

    private static func merge(_ loser: Memory, into winner: inout Memory) {
        for (journey, evidence) in loser.evidence {
            winner.evidence[journey] = stable((winner.evidence[journey] ?? []) + evidence) {
                $0.time < $1.time
            }
        }
        for (name, score) in loser.scores {
            guard var mine = winner.scores[name] else {
                winner.scores[name] = score
                continue
            }
            // Counts of another version are worked out anew from history.
            guard mine.version == score.version, mine.counts.count == score.counts.count else { continue }
            for i in mine.counts.indices {
                mine.counts[i] = stable(mine.counts[i] + score.counts[i]) { $0.time < $1.time }
            }
            mine.at = max(mine.at, score.at)
            (mine.known, mine.step) = (max(mine.known, score.known), max(mine.step, score.step))
            winner.scores[name] = mine
        }
        for (name, theirs) in loser.segments {
            guard let mine = winner.segments[name] else {
                winner.segments[name] = theirs
                continue
            }
            winner.segments[name] = Memory.Membership(
                isIn: mine.isIn || theirs.isIn, at: max(mine.at, theirs.at),
                next: [mine.next, theirs.next].compactMap { $0 }.min())
        }
        for (journey, sent) in loser.sent {
            winner.sent[journey] = ((winner.sent[journey] ?? []) + sent).sorted()
        }
        winner.parked += loser.parked
        winner.parked = stable(winner.parked) { $0.clock < $1.clock }
        winner.review = [winner.review, loser.review].compactMap { $0 }.min()
    }

    private static func stable<T>(_ list: [T], _ isBefore: (T, T) -> Bool) -> [T] {
        list.enumerated().sorted {
            isBefore($0.element, $1.element) || !isBefore($1.element, $0.element) && $0.offset < $1.offset
        }.map(\.element)
    }
}

/// Moves a loser's enrolments to the winner, one after the other.
private struct Merging {
    let engine: Engine
    let loser: Subject
    var winner: Person
    let clock: Timestamp
    /// Those that the winner had before: only they can be rivals, a profile's own are none of each other.
    private var own: Set<UUID>
    private(set) var effects: [Effect] = []
    private(set) var trace: [Effect] = []

    init(engine: Engine, loser: Subject, winner: Person, at clock: Timestamp) {
        (self.engine, self.loser, self.winner, self.clock) = (engine, loser, winner, clock)
        own = Set(winner.enrolments.map(\.id))
    }

    mutating func move(_ enrolment: Enrolment) {
        var enrolment = enrolment
        enrolment.subject = winner.subject
        let rivals = winner.enrolments.filter { own.contains($0.id) && engine.isRival($0, enrolment) }
        if let older = rivals.first(where: { Self.isOlder($0, enrolment) }) {
            return drop(enrolment, since: older)
        }
        effects.append(.update(enrolment))
        decide(.moved, enrolment, "from \(loser.id)")
        for rival in rivals {
            winner.enrolments.removeAll { $0.id == rival.id }
            drop(rival, since: enrolment)
        }
        winner.enrolments.append(enrolment)
    }

    private mutating func drop(_ enrolment: Enrolment, since older: Enrolment) {
        decide(.dropped, enrolment, "merged: \(older.id) is older")
        effects.append(.drop(enrolment.id))
    }

    private mutating func decide(_ kind: Decision.Kind, _ about: Enrolment, _ detail: String) {
        trace.append(
            .decided(
                Decision(
                    kind: kind, journey: about.journey, version: about.version, enrolment: about.id,
                    subject: winner.subject, at: clock, detail: detail)))
    }

    static func isOlder(_ a: Enrolment, _ b: Enrolment) -> Bool {
        (a.startedAt, a.enrolledAt, a.id) < (b.startedAt, b.enrolledAt, b.id)
    }
}
