import Foundations
import Payload

extension Stepping {
    /// Runs of events in a window: older ones than these are counted together.
    private static let mostCounts = 256

    // MARK: Points

    /// The points at this moment, worked out from what is counted; nil: there is no such score.
    func scoreValue(_ name: String) -> (points: Decimal, band: String?)? {
        guard let (definition, _) = rules.scores[name] else { return nil }
        let counts = counted(name, hidden: nil)
        let points = points(definition, counts, facts(event: nil, entry: nil))
        return (points, definition.band(points))
    }

    /// The band at a moment, by what is kept in memory.
    func band(_ name: String, at time: Timestamp) -> String? {
        guard let (definition, _) = rules.scores[name], let score = person.memory.scores[name] else {
            return nil
        }
        let facts = facts(at: max(time, score.at))
        defer { withExtendedLifetime(facts) {} }
        return definition.band(points(definition, score.counts, facts))
    }

    /// What was counted, from memory, or from history where memory has nothing of this version.
    private func counted(_ name: String, hidden: UUID?) -> [[Memory.Score.Count]] {
        guard let (definition, version) = rules.scores[name] else { return [] }
        if let score = person.memory.scores[name], score.version == version, !isAhead(score) {
            return score.counts
        }
        let facts = facts(event: nil, entry: nil)
        facts.hidden = hidden
        return definition.rules.map { rule in
            guard case .event(let pattern, _, _) = rule else { return [] }
            var counts: [Memory.Score.Count] = []
            for activity in pattern.activities {
                facts.visit(activity, window: definition.window) { event in
                    if isTrue(pattern.condition, event: event, entry: nil) {
                        counts.append(Memory.Score.Count(time: event.time, count: 1))
                    }
                    return counts.count < 4 * Self.mostCounts
                }
            }
            return counts.sorted { $0.time < $1.time }
        }
    }

    /// Was something counted behind the moment that is looked back to? Then it is counted anew from history.
    private func isAhead(_ score: Memory.Score) -> Bool {
        switch past {
        case .known(let moment): score.known > moment
        case .step(let step): score.step > step
        case nil: false
        }
    }

    private func points(
        _ definition: ScoreDefinition, _ counts: [[Memory.Score.Count]], _ facts: Facts
    ) -> Decimal {
        let after = facts.time.adding(microseconds: -definition.window)
        var total = Decimal.zero
        for (i, rule) in definition.rules.enumerated() {
            switch rule {
            case .profile(let condition, let points):
                if Evaluator(facts: facts).flag(condition) == true {
                    total = Decimal.sum(total, points) ?? total
                }
            case .event(_, let points, let cap):
                let inside = (i < counts.count ? counts[i] : []).filter {
                    $0.time > after && $0.time <= facts.time
                }
                let count = inside.reduce(0) { $0 + $1.count }
                guard var sum = Decimal.product(points, Decimal(count)) else { continue }
                if let cap { sum = points.isNegative ? max(sum, -cap) : min(sum, cap) }
                total = Decimal.sum(total, sum) ?? total
            }
        }
        return total
    }

    /// Counts an event for a score.
    func count(_ occurrence: Occurrence, _ name: String) {
        guard let (definition, version) = rules.scores[name] else { return }
        var score = memory(name, version, hidden: occurrence.id)
        for (i, rule) in definition.rules.enumerated() {
            guard case .event(let pattern, _, _) = rule, matches([pattern], occurrence, entry: nil) else {
                continue
            }
            let at = score.counts[i].firstIndex { $0.time > occurrence.time } ?? score.counts[i].count
            score.counts[i].insert(Memory.Score.Count(time: occurrence.time, count: 1), at: at)
        }
        score.known = max(score.known, occurrence.known)
        score.step = max(score.step, occurrence.step)
        let newest = max(score.at, occurrence.time)
        // Late events may still come: what has left the window is kept a day longer.
        let oldest = newest.adding(microseconds: -definition.window - JourneyDefinition.day)
        for i in score.counts.indices { score.counts[i] = trim(score.counts[i], oldest) }
        person.memory.scores[name] = score
    }

    private func memory(_ name: String, _ version: String, hidden: UUID?) -> Memory.Score {
        if let score = person.memory.scores[name], score.version == version { return score }
        return Memory.Score(
            version: version, counts: counted(name, hidden: hidden), band: person.memory.scores[name]?.band,
            at: moment.time)
    }

    private func trim(_ counts: [Memory.Score.Count], _ oldest: Timestamp) -> [Memory.Score.Count] {
        var kept = Array(counts.drop { $0.time <= oldest })
        while kept.count > Self.mostCounts {
            kept[1].count += kept[0].count
            kept.removeFirst()
        }
        return kept
    }

    // MARK: What is entered

    /// The bands just before an event or a change, at the moment of it: a band that decays is entered by nobody, one
    /// that rises again is. Of segments, who was in one before anything was remembered does not enter it.
    func prepareBaselines(
        _ watched: Rulebook.Watched, _ attributesBefore: [UInt8]?, _ occurrence: Occurrence?
    ) {
        let now = person.attributes
        if let attributesBefore { person.attributes = attributesBefore }
        for name in watched.scores {
            guard let (definition, version) = rules.scores[name] else { continue }
            var score = memory(name, version, hidden: occurrence?.id)
            let facts = facts(at: max(moment.time, score.at))
            facts.hidden = occurrence?.id
            score.band = definition.band(points(definition, score.counts, facts))
            person.memory.scores[name] = score
        }
        for name in watched.segments {
            let known = person.memory.segments[name]
            // Nobody is told when the clock alone takes somebody out of it.
            guard let segment = rules.segments[name], known == nil || segment.condition.readsClock else {
                continue
            }
            let facts = facts(at: max(moment.time, known?.at ?? moment.time))
            facts.hidden = occurrence?.id
            let isIn = Evaluator(facts: facts).flag(segment.condition) == true
            person.memory.segments[name] = Memory.Membership(isIn: isIn, at: facts.time, next: known?.next)
        }
        person.attributes = now
    }

    /// Works scores and segments out anew, and starts what waits for them. Only those that may have changed: when one is
    /// looked at depends on nothing but itself. They are those of a person with these attributes, if some are given.
    func review(_ watched: Rulebook.Watched, _ attributes: [UInt8]? = nil) {
        var entered: [Int] = []
        let now = person.attributes
        if let attributes { person.attributes = attributes }
        for name in watched.scores {
            guard let (definition, _) = rules.scores[name], var score = person.memory.scores[name] else {
                continue
            }
            // A late event does not turn the clock back.
            let facts = facts(at: max(moment.time, score.at))
            let band = definition.band(points(definition, score.counts, facts))
            let isNew = band != score.band
            (score.at, score.band) = (facts.time, band)
            person.memory.scores[name] = score
            if isNew, let band { entered += watchers(name, entering: band) }
        }
        entered += review(segments: watched.segments)
        person.attributes = now
        for i in entered.sorted() { enter(rules.rules[i]) }
    }

    /// Time alone can change a segment, when an event leaves a window: then it is looked at again.
    func review(segments: [String]) -> [Int] {
        var entered: [Int] = []
        for name in segments {
            guard let segment = rules.segments[name] else { continue }
            let before = person.memory.segments[name]
            // A late event does not turn the clock back.
            let facts = facts(at: max(moment.time, before?.at ?? moment.time))
            let isIn = Evaluator(facts: facts).flag(segment.condition) == true
            if isIn, before?.isIn == false { entered += rules.segmentWatchers[name] ?? [] }
            let next = facts.nextChange.map { max($0, moment.clock.adding(microseconds: 1)) }
            person.memory.segments[name] = Memory.Membership(isIn: isIn, at: facts.time, next: next)
        }
        person.memory.review = person.memory.segments.values.compactMap(\.next).min()
        return entered
    }

    private func facts(at time: Timestamp) -> Facts {
        let now = moment
        moment.time = time
        defer { moment = now }
        return facts(event: nil, entry: nil)
    }

    func watchers(_ score: String, entering band: String) -> [Int] {
        (rules.scoreWatchers[score] ?? []).filter { i in
            if case .score(_, let bands) = rules.rules[i].journey.trigger { return bands.contains(band) }
            return false
        }
    }

    func enter(_ rule: Rulebook.Rule) {
        if withholding.contains(rule.journey.name) {
            withhold(rule.journey.name, .entered(moment.time))
        } else if isUndecided(rule.journey.name) {
            park(
                rule.journey.name, .entered(time: moment.time, clock: moment.arrived ?? moment.clock))
        } else {
            begin(rule, entry: nil)
        }
    }

    /// Reviews that were due before: they come first, whoever looks at them when. `names`: of these segments; the others
    /// wait until every server has loaded up to them.
    func reviewDue(before clock: Timestamp, of names: [String]? = nil) {
        let now = moment
        for _ in 0..<64 {
            let waiting = (names ?? Array(person.memory.segments.keys)).compactMap {
                person.memory.segments[$0]?.next
            }
            guard let due = waiting.min(), due < clock else { break }
            reviewNow(due, of: names)
        }
        moment = now
    }

    func reviewNow(_ due: Timestamp, of names: [String]? = nil) {
        moment = Moment(time: due, clock: due)
        let changing = person.memory.segments.keys.filter { name in
            guard names?.contains(name) ?? true else { return false }
            return person.memory.segments[name]?.next.map { $0 <= due } ?? false
        }
        for name in changing { person.memory.segments[name]?.next = nil }
        // Whoever looks at it when: it knows what was known then.
        let whole = look(backTo: .known(due))
        defer { lookAtAll(of: whole) }
        // Points that decay enter nothing, so segments are all there is to review.
        let watched = changing.filter { rules.segmentWatchers[$0] != nil }.sorted()
        for i in review(segments: watched).sorted() { enter(rules.rules[i]) }
    }
}
