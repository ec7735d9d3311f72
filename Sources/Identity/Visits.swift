import Foundations

/// The visits of one session: the runs of its events, in *event time*, without silence between them.
///
/// A pure state machine. Whatever the order in which events come, how they are cut into batches, and when it was
/// looked for silence in between, the same visits come out, with the same starts and ends:
///
///     take(run)    nothing near      a new visit, numbered one above all before
///                  near one          it grows; if it had ended, it goes on
///                  near several      they become one, the lowest of their numbers; the others' own events
///                                    (`session.start`, `session.end`) are withdrawn
///     end(until)   last + silence ≤ until   the visit has ended
///
/// Numbers are given in the order of arrival and never given twice, so a visit keeps its number, and thereby the ids
/// of its events, for as long as it exists.
package struct Visits: Equatable, Sendable {
    package struct Visit: Equatable, Sendable {
        package let number: Int
        package internal(set) var run: VisitRun
        package internal(set) var hasEnded: Bool
        /// Joined to this one of a lower number.
        package internal(set) var joined: Int?
        /// Its rows are not written yet.
        let isNew: Bool
        /// What its rows say.
        let before: VisitRun
        let hadEnded: Bool

        package init(stored number: Int, _ run: VisitRun, hasEnded: Bool) {
            self.init(number, run, hasEnded: hasEnded, isNew: false)
        }

        init(_ number: Int, _ run: VisitRun, hasEnded: Bool, isNew: Bool) {
            (self.number, self.run, before) = (number, run, run)
            (self.hasEnded, hadEnded, self.isNew) = (hasEnded, hasEnded, isNew)
        }

        /// Its `session.start` is to be written, changed, or withdrawn.
        var startsAnew: Bool { isNew && joined == nil }
        var startMoves: Bool {
            !isNew && joined == nil && (run.first != before.first || run.entry != before.entry)
        }
        var startGoes: Bool { !isNew && joined != nil }
        /// Its `session.end` is withdrawn, until there is silence again.
        var endGoes: Bool { !isNew && hadEnded && !hasEnded }
        /// It began and was joined to another one before anything of it was written.
        var isNothing: Bool { isNew && joined != nil }
        /// Its row is to be written.
        var isChanged: Bool {
            isNew ? joined == nil : run != before || hasEnded != hadEnded || joined != nil
        }
    }

    /// Microseconds.
    package let silence: Int64
    /// The visits that there are, and those that were joined since they were read; by number.
    package private(set) var all: [Visit]
    /// The highest number that was given.
    package private(set) var given: Int

    /// - Parameter stored: those of the session that matter: near to what is to be taken, and the latest.
    package init(silence: Int64, stored: [Visit] = [], given: Int = 0) {
        self.silence = silence
        all = stored.sorted { $0.number < $1.number }
        self.given = max(given, all.last?.number ?? 0)
    }

    package var live: [Visit] { all.filter { $0.joined == nil } }

    /// The latest by time.
    package var latest: Visit? { live.max { ($0.run.first, $0.number) < ($1.run.first, $1.number) } }

    /// Takes events into account that follow each other without silence.
    package mutating func take(_ run: VisitRun) {
        let near = all.indices.filter { all[$0].joined == nil && all[$0].run.touches(run, silence: silence) }
        guard let survivor = near.first else {
            given += 1
            return all.append(Visit(given, run, hasEnded: false, isNew: true))
        }
        all[survivor].run.merge(run)
        all[survivor].hasEnded = false
        for i in near.dropFirst() {
            all[survivor].run.merge(all[i].run)
            all[i].joined = all[survivor].number
            all[i].hasEnded = false
        }
    }

    /// Ends what has been silent for long enough, when everything that arrived before `until` is known.
    package mutating func end(until: Timestamp) {
        for i in all.indices where all[i].joined == nil && all[i].run.isSilent(at: until, silence) {
            all[i].hasEnded = true
        }
    }
}

extension VisitRun {
    /// When it has ended, if nothing more comes.
    package func due(_ silence: Int64) -> Timestamp { last.adding(microseconds: silence) }

    package func isSilent(at moment: Timestamp, _ silence: Int64) -> Bool { due(silence) <= moment }
}
