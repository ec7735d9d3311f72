import Dispatch
import Foundations
import Logging
import Postgres

/// Where what needs the database is done: some workers with a queue and a connection each, so that one slow question
/// does not hold up the next, and a bounded number of questions that wait for them.
///
/// Nobody waits here for long. Each statement has a deadline; what waited too long, and what comes while the database
/// is away, is refused with a 503.
final class Workroom: @unchecked Sendable {  // owner of all `var`s: `state`'s lock
    struct Job: Sendable {
        let inquiry: Inquiry
        let access: Endpoint.Access
        let work: @Sendable (Inquiry, Connection) throws -> JSONValue
        /// Called exactly once, on a worker's queue.
        let deliver: @Sendable (Result<JSONValue, Refusal>) -> Void
        let askedAt: UInt64
    }

    private struct State {
        var waiting: [Job] = []
        var idle: [Worker] = []
        var conninfo: String?
        /// Grows with each change of `conninfo`.
        var generation = 0
    }

    struct Terms: Sendable {
        var workers = 2
        /// How many may wait, and for how long, in nanoseconds.
        var mostWaiting = 64
        var longestWait: UInt64 = 5_000_000_000
        /// Of a statement that reads, in milliseconds.
        var deadline = 5000
        /// What changes things may be about very many rows.
        var writeDeadline = 30_000

        static let usual = Terms()
        /// For backtests, tests of webhooks and what else takes its time.
        static let patient = Terms(
            workers: 2, mostWaiting: 8, longestWait: 30_000_000_000, deadline: 25_000)
    }

    let terms: Terms
    let logger: Logger
    let clock: Clock
    let interrupter = Interrupter()
    private let state = Locked(State())

    init(_ terms: Terms = .usual, clock: Clock = .system, logger: Logger) {
        (self.terms, self.clock, self.logger) = (terms, clock, logger)
        let workers = (0..<terms.workers).map { Worker(number: $0, room: self) }
        state.withLock { $0.idle = workers }
    }

    /// Where to ask; nil: nowhere, for the time being.
    func use(_ conninfo: String?) {
        state.withLock { state in
            state.conninfo = conninfo
            state.generation += 1
        }
    }

    /// The connection string that is to be used now, and its number; nil: the database is not there.
    var target: (conninfo: String?, generation: Int) { state.withLock { ($0.conninfo, $0.generation) } }

    /// False: too many wait already, nothing will be delivered.
    func take(_ job: Job) -> Bool {
        let (isTaken, worker) = state.withLock { state -> (Bool, Worker?) in
            guard state.waiting.count < terms.mostWaiting else { return (false, nil) }
            state.waiting.append(job)
            return (true, state.idle.popLast())
        }
        worker?.wake()
        return isTaken
    }

    /// The next job; nil: there is none, and the worker is noted as idle.
    func next(for worker: Worker) -> Job? {
        state.withLock { state in
            if state.waiting.isEmpty {
                state.idle.append(worker)
                return nil
            }
            return state.waiting.removeFirst()
        }
    }

    /// Ends what is under way; what comes after is refused.
    func stop() {
        use(nil)
        interrupter.interrupt()
    }
}
