import Foundations

extension Engine {
    /// Two profiles become one: what the loser had belongs to the winner from now on.
    ///
    /// Enrolments move and keep their ids. Where both have one of the same (journey, key, n), the older stays, and the
    /// other ends; where both run one of a journey and key that may run only once at a time, the older runs on. The
    /// trace says so. `winner.attributes` must be those after the merge.
    package func merge(_ loser: Person, into winner: inout Person, at clock: Timestamp) -> [Effect] {
        var effects: [Effect] = []
        var trace: [Effect] = []
        for var enrolment in loser.enrolments {
            func decide(_ kind: Decision.Kind, _ about: Enrolment, _ detail: String) {
                trace.append(
                    .decided(
                        Decision(
                            kind: kind, journey: about.journey, version: about.version, enrolment: about.id,
                            subject: winner.subject, at: clock, detail: detail)))
            }
            enrolment.subject = winner.subject
            let rival = winner.enrolments.firstIndex { isRival($0, enrolment) }
            guard let rival else {
                winner.enrolments.append(enrolment)
                effects.append(.update(enrolment))
                decide(.moved, enrolment, "from \(loser.subject.id)")
                continue
            }
            let isOlder = Self.isOlder(enrolment, winner.enrolments[rival])
            let dropped = isOlder ? winner.enrolments[rival] : enrolment
            if isOlder {
                winner.enrolments[rival] = enrolment
                effects.append(.update(enrolment))
                decide(.moved, enrolment, "from \(loser.subject.id)")
            }
            decide(
                .dropped, dropped, "merged: \(isOlder ? enrolment.id : winner.enrolments[rival].id) is older")
            effects.append(.drop(dropped.id))
        }
        Self.merge(loser.memory, into: &winner.memory)
        effects.append(.remember(winner.memory))
        return effects + trace
    }

    /// The same number, or both running where only one may.
    private func isRival(_ a: Enrolment, _ b: Enrolment) -> Bool {
        guard a.journey == b.journey, a.key == b.key else { return false }
        if a.n == b.n { return true }
        let mode = rules.rule(a.journey, a.version)?.journey.reentry.mode
        return a.isRunning && b.isRunning && mode != .always
    }

    private static func isOlder(_ a: Enrolment, _ b: Enrolment) -> Bool {
        (a.startedAt, a.enrolledAt, a.id) < (b.startedAt, b.enrolledAt, b.id)
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
            winner.scores[name] = mine
        }
        for (name, isIn) in loser.segments { winner.segments[name] = isIn || winner.segments[name] == true }
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
