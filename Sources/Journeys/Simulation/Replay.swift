import Foundations

/// One person's stored history, run through the engine again in the order in which it was stepped: what it comes to is
/// what it came to.
///
/// The order is that of the steps' numbers, which were taken under the person's lock. What has none was stored before
/// any journey was in force: it stands behind all that was received before it. A timer is decided as late as
/// it could have been, when nothing that arrived before it is to come; the engine sees to it that the moment makes no
/// difference.
package struct Replay {
    package enum Happening: Sendable {
        /// Of the profile that it was stored with.
        case event(Occurrence, of: UUID)
        case merge(UUID, into: UUID)
    }

    package struct Entry: Sendable {
        package let what: Happening
        /// 0: it has no number.
        package let step: Int64
        /// When it was received, or known whose it is.
        package let clock: Timestamp
        private let id: UUID

        package init(_ occurrence: Occurrence, of profile: UUID) {
            what = .event(occurrence, of: profile)
            (step, clock, id) = (occurrence.step, occurrence.known, occurrence.id)
        }

        package init(merge loser: UUID, into winner: UUID, step: Int64, at clock: Timestamp) {
            what = .merge(loser, into: winner)
            (self.step, self.clock, id) = (step, clock, loser)
        }

        fileprivate var arrival: (Timestamp, UUID) { (clock, id) }
    }

    private let engine: Engine

    package init(_ engine: Engine) { self.engine = engine }

    /// Runs all of it, and the timers that are due before the end. `attributes` are those of the person, under whatever
    /// id.
    package func run(_ entries: [Entry], attributes: [UInt8], until end: Timestamp) -> Simulation {
        let entries = Self.ordered(entries)
        var simulation = Simulation(engine)
        var persons = Persons()
        for (entry, horizon) in zip(entries, Self.horizons(entries)) {
            simulation.fire(before: min(horizon, end))
            switch entry.what {
            case .event(let occurrence, let profile):
                let subject = Subject.profile(persons.now(profile))
                if simulation.person(subject) == nil { simulation.set(attributes, of: subject) }
                step(occurrence, subject, &simulation)
            case .merge(let loser, let winner):
                let (loser, winner) = (persons.now(loser), persons.now(winner))
                if simulation.person(.profile(winner)) == nil {
                    simulation.set(attributes, of: .profile(winner))
                }
                simulation.merge(.profile(loser), into: .profile(winner), at: entry.clock)
                persons.merge(loser, into: winner)
            }
        }
        simulation.fire(before: end)
        return simulation
    }

    /// One that came without a person was a subject of its own until it got one.
    private func step(_ occurrence: Occurrence, _ subject: Subject, _ simulation: inout Simulation) {
        var started: Set<String> = []
        if let seen = occurrence.seen {
            var before = Simulation(engine)
            var alone = occurrence
            alone.seen = nil
            before.take(alone, of: .event(occurrence.id))
            before.fire(before: seen)
            started = simulation.adopt(occurrence.id, of: before, into: subject, at: seen)
        }
        simulation.step(occurrence, of: subject, started: started)
    }

    // MARK: The order

    static func ordered(_ entries: [Entry]) -> [Entry] {
        let numbered = entries.filter { $0.step > 0 }.sorted {
            ($0.step, $0.arrival.1) < ($1.step, $1.arrival.1)
        }
        var others = entries.filter { $0.step == 0 }.sorted { $0.arrival < $1.arrival }[...]
        var ordered: [Entry] = []
        var latest = Timestamp(microseconds: .min)
        for entry in numbered {
            latest = max(latest, entry.clock)
            while let first = others.first, first.clock < latest {
                ordered.append(first)
                others.removeFirst()
            }
            ordered.append(entry)
        }
        return ordered + others
    }

    /// So much later than others nothing is waited for: it was replayed from the quarantine, or its server was gone.
    private static let patience: Int64 = 3600

    /// For each entry the earliest arrival among it and those behind it: timers before that can be decided.
    static func horizons(_ entries: [Entry]) -> [Timestamp] {
        var latest = Timestamp(microseconds: .min)
        let clocks = entries.map { entry -> Timestamp in
            let isAwaited = latest.microseconds == .min || entry.clock >= latest.adding(seconds: -patience)
            latest = max(latest, entry.clock)
            return isAwaited ? entry.clock : latest
        }
        var horizon = Timestamp(microseconds: .max)
        return clocks.reversed().map { clock in
            horizon = min(horizon, clock)
            return horizon
        }.reversed()
    }

    /// Whom ids mean, as far as the replay has come.
    private struct Persons {
        private var targets: [UUID: UUID] = [:]

        func now(_ id: UUID) -> UUID {
            var id = id
            while let next = targets[id] { id = next }
            return id
        }

        mutating func merge(_ loser: UUID, into winner: UUID) {
            if loser != winner { targets[loser] = winner }
        }
    }
}
