import Foundations
import Journeys
import Postgres

/// Steps journeys so that what the database refuses costs nobody else anything.
///
/// As a rule that is one attempt. What is refused is found by halving, from left to right, down to the step of one
/// person; then by halving the journeys, down to those at fault. They are kept from what they would have done, which
/// goes into the quarantine, and everything else is done. In what follows such a journey is tried by itself, and not
/// at all once it has failed often: what it could not even try is asked for again at once, and replayed one by one.
final class CarefulSteps {
    typealias Work = JourneyStep.Step

    private let step: JourneyStep
    private let absent: [AbsentServer]
    private let now: Timestamp
    private let connection: Connection
    /// What was stepped: not in the table yet, but in the past of what follows.
    private var past: [Subject: [Occurrence]] = [:]
    /// So many steps are asked for.
    private var total = 0
    /// Steps whose events have changed attributes.
    private var turning: [Work] = []
    /// Journeys that had faults.
    private var apart: Set<String> = []
    private var counts: [String: Int] = [:]
    private var faults: [JourneyFault] = []
    private var outcome = JourneyStep.Outcome()

    private static let mostFaults = 16

    init(_ step: JourneyStep, without absent: [AbsentServer], at now: Timestamp, _ connection: Connection) {
        (self.step, self.absent, self.now, self.connection) = (step, absent, now, connection)
    }

    func run(
        _ work: [Work], besides others: Set<Subject>
    ) throws(PostgresError) -> (outcome: JourneyStep.Outcome, faults: [JourneyFault]) {
        total = work.count
        turning = work.filter { !$0.traits.isEmpty }
        try settle(work, besides: others)
        outcome.faults += faults.count
        return (outcome, faults)
    }

    private func settle(_ work: [Work], besides others: Set<Subject> = []) throws(PostgresError) {
        let work = counts.isEmpty ? work : work.filter { !isHopeless($0) }
        if work.isEmpty, others.isEmpty { return }
        let withheld: [JourneyStep.Kept]
        do throws(PostgresError) {
            withheld = try attempt(work, besides: others, withholding: separated(work))
        } catch {
            guard error.isRefusal, let first = work.first else { throw error }
            if work.count == 1 { return try settle(first, besides: others, refused: error) }
            let middle = work.count / 2
            try settle(Array(work[..<middle]), besides: others)
            return try settle(Array(work[middle...]))
        }
        try resume(withheld)
    }

    /// Whose attributes events further on have changed, goes through it event by event, and first: what follows them is
    /// not to be seen by each.
    private func resume(_ withheld: [JourneyStep.Kept]) throws(PostgresError) {
        var last: [Subject: Int] = [:]
        for step in turning { last[step.subject] = max(last[step.subject] ?? 0, step.place ?? 0) }
        var rest: [Work] = []
        for kept in withheld {
            var work = Work(subject: kept.subject, input: .resumed(kept.what, at: nil))
            if let place = kept.place, let last = last[kept.subject], place < last {
                work.behind = place
                try settle([work])
            } else {
                rest.append(work)
            }
        }
        try settle(rest)
    }

    /// Timers' journeys are not tried apart: what is withheld of a timer ends its enrolment.
    private func separated(_ work: [Work]) -> Set<String> {
        work.contains { if case .timer = $0.input { true } else { false } } ? [] : apart
    }

    /// Behind a savepoint; what some journeys were kept from is returned.
    private func attempt(
        _ work: [Work], besides others: Set<Subject>, withholding: Set<String>
    ) throws(PostgresError) -> [JourneyStep.Kept] {
        var part = try connection.savepoint { () throws(PostgresError) in
            try step.attempt(
                work, besides: others, behind: past, turning: coming(work), without: absent,
                withholding: withholding, at: now, connection)
        }
        let withheld = part.withheld
        // As a rule nothing follows.
        if work.count < total || !withheld.isEmpty { remember(work, from: part.base) }
        part.withheld = []
        outcome.add(part)
        return withheld
    }

    private func remember(_ work: [Work], from base: Int64?) {
        for var one in work where one.isRemembered {
            if let base { one.number(from: base) }
            guard case .event(let occurrence, _, _) = one.input else { continue }
            past[one.subject, default: []].append(occurrence)
        }
    }

    /// What is stored of attributes already, and not to be seen yet.
    private func coming(_ work: [Work]) -> [Work] {
        guard let first = work.first else { return [] }
        if case .resumed = first.input {
            guard let place = first.behind else { return [] }
            return turning.filter { $0.subject == first.subject && ($0.place ?? 0) > place }
        }
        return turning.filter { ($0.place ?? 0) >= first.place ?? 0 }
    }

    /// A journey that failed often in this transaction holds it up no longer.
    private func isHopeless(_ work: Work) -> Bool {
        guard case .resumed(let what, nil) = work.input, counts[what.journey, default: 0] >= Self.mostFaults
        else { return false }
        faults.append(JourneyFault(subject: work.subject, what: what, error: nil))
        return true
    }

    // MARK: Whose fault it is

    private func settle(
        _ work: Work, besides others: Set<Subject>, refused error: PostgresError
    ) throws(PostgresError) {
        if case .resumed(let what, _) = work.input { return note(what, of: work.subject, error) }
        let before = separated([work])
        guard let culprits = try culprits(work, besides: others, before, error) else {
            return try passOver(work, error)
        }
        for journey in culprits.keys { apart.insert(journey) }
        var rest: [JourneyStep.Kept] = []
        for kept in try attempt([work], besides: others, withholding: before.union(culprits.keys)) {
            if let error = culprits[kept.what.journey] {
                note(kept.what, of: kept.subject, error)
            } else {
                rest.append(kept)
            }
        }
        try resume(rest)
    }

    private func note(_ what: Withheld, of subject: Subject, _ error: PostgresError) {
        faults.append(JourneyFault(subject: subject, what: what, error: error))
        counts[what.journey, default: 0] += 1
    }

    /// The journeys without which the step is taken, each with the words of the database; nil: it is none's fault.
    private func culprits(
        _ work: Work, besides others: Set<Subject>, _ withheld: Set<String>, _ error: PostgresError
    ) throws(PostgresError) -> [String: PostgresError]? {
        func refusal(_ more: some Sequence<String>) throws(PostgresError) -> PostgresError? {
            try self.refusal(of: work, besides: others, withholding: withheld.union(more))
        }
        var found: [String: PostgresError] = [:]
        var suspects = step.rules.engine.rules.names.filter { !withheld.contains($0) }
        if try refusal(suspects) != nil { return nil }
        var error = error
        while true {
            // It is refused without the first `low` of them, and taken without the first `high`.
            var (low, high) = (0, suspects.count)
            while high - low > 1 {
                let middle = (low + high) / 2
                if let words = try refusal(suspects[..<middle] + found.keys) {
                    (low, error) = (middle, words)
                } else {
                    high = middle
                }
            }
            found[suspects[high - 1]] = error
            suspects = Array(suspects[..<(high - 1)])
            guard let words = try refusal(found.keys) else { return found }
            error = words
        }
    }

    private static let trial = PostgresError(.server, "only a trial", sqlstate: "WM000", context: "trying")

    /// What the database says to it; nothing is left of the try.
    private func refusal(
        of work: Work, besides others: Set<Subject>, withholding: Set<String>
    ) throws(PostgresError) -> PostgresError? {
        do throws(PostgresError) {
            try connection.savepoint { () throws(PostgresError) -> Void in
                _ = try step.attempt(
                    [work], besides: others, behind: past, turning: coming([work]), without: absent,
                    withholding: withholding, at: now, connection)
                throw Self.trial
            }
        } catch {
            if error == Self.trial { return nil }
            guard error.isRefusal else { throw error }
            return error
        }
        return nil
    }

    /// It is refused although no journey does anything: all that it means to anybody is withheld.
    private func passOver(_ work: Work, _ error: PostgresError) throws(PostgresError) {
        switch work.input {
        case .event(let occurrence, _, _):
            let what = Withheld(journey: "", cause: .event(occurrence), clock: occurrence.known)
            note(what, of: work.subject, error)
        case .timer(let id, _):
            try connection.execute(
                "update enrolment set due = null where bucket = $1 and id = $2", work.subject.id.bucket, id,
                context: "passing a timer over")
            outcome.faults += 1
        case .review:
            try connection.execute(
                "update memory set review = null where bucket = $1 and profile_id = $2",
                work.subject.id.bucket, work.subject.id, context: "passing a timer over")
            outcome.faults += 1
        case .attributes, .merged, .resumed: outcome.faults += 1
        }
    }
}

extension PostgresError {
    /// The same rows would be refused at every try. Journeys' rows are written under their person's lock, so one that
    /// is there already is no race that would be gone at the next try.
    var isRefusal: Bool { isDataFault || origin == .server && sqlstate == "23505" }
}
