import Dispatch
import Foundations
import Logging
import Postgres

/// What the database said about a request's session and profile before it was answered.
package struct LookupAnswer: Sendable {
    /// The number under which it was asked.
    package let ticket: Int
    /// The session's profile as it is now; nil: no such session, or it has none.
    package var sessionProfile: UUID?
    /// What the profile id that was sent is now: itself, or an alias's target; nil: unknown.
    package var profile: UUID?
    /// False: the database is away or was too slow; nothing is known.
    package var settled: Bool
}

/// Whom a look-up's answers go to: a queue, and what is called on it with all answers of one batch.
package final class LookupClient: Sendable {
    let queue: DispatchQueue
    let deliver: @Sendable ([LookupAnswer]) -> Void

    package init(queue: DispatchQueue, deliver: @escaping @Sendable ([LookupAnswer]) -> Void) {
        self.queue = queue
        self.deliver = deliver
    }
}

/// Asks PostgreSQL about sessions and profiles that the cache does not hold, many in one statement: what comes
/// while a statement runs goes into the next one.
///
/// It never makes a request wait for long: past the deadline, or while the database is away, the answer is
/// *not settled*, and the loader settles it. Nobody waits while a connection is made: until there is one, every
/// answer is given at once.
package final class Lookup: @unchecked Sendable {  // owner of all `var`s: `queue`
    private struct Question {
        let session: [UInt8]
        let profile: UUID?
        let ticket: Int
        let client: LookupClient
        let askedAt: UInt64
    }

    private struct State {
        var questions: [Question] = []
        var conninfo: String?
        /// There is no connection: nothing is asked.
        var isAway = true
        var isBusy = false
    }

    /// How long a request may wait for its look-up, in milliseconds.
    private let deadline: Int
    /// Between two tries to connect.
    private static let pause = 500
    /// So many questions in a statement are a sign of load: the next ones are gathered for so many milliseconds.
    private static let many = 3
    private static let gather = 4
    /// Questions in one statement, and how many may wait before the next ones go without.
    private static let batch = 1000
    private static let waiting = 20_000

    private let state = Locked(State())
    private let queue = DispatchQueue(label: "waymark.lookup", qos: .userInitiated)
    private let logger: Logger
    private let clock: Clock
    private let interrupter = Interrupter()
    private var connection: Connection?
    private var isSilent = false
    package let failures = Counter()

    package init(deadline: Int = 50, clock: Clock = .system, logger: Logger) {
        self.deadline = deadline
        self.clock = clock
        self.logger = logger
    }

    /// Where to ask; nil: nowhere, for the time being.
    package func use(_ conninfo: String?) {
        state.withLock { state in
            state.conninfo = conninfo
            state.isAway = true
        }
        queue.async {
            self.connection?.close()
            self.connection = nil
            self.revive()
        }
    }

    /// Asks. `session` empty: only the profile is asked for; `profile`: the id that was sent, if it is a UUID.
    /// The answer comes to the client exactly once.
    package func ask(session: Bytes, profile: UUID?, ticket: Int, for client: LookupClient) {
        let question = Question(
            session: Array(session), profile: profile, ticket: ticket, client: client,
            askedAt: clock.monotonic())
        let (accepted, start) = state.withLock { state in
            if state.isAway || state.questions.count >= Self.waiting { return (false, false) }
            state.questions.append(question)
            defer { state.isBusy = true }
            return (true, !state.isBusy)
        }
        if !accepted {
            let answer = LookupAnswer(ticket: ticket, settled: false)
            client.queue.async { client.deliver([answer]) }
        } else if start {
            queue.async { self.work() }
        }
    }

    package func stop() {
        state.withLock { state in
            state.conninfo = nil
            state.isAway = true
        }
        interrupter.interrupt()
    }

    private func work() {
        while true {
            let questions = state.withLock { state in
                let count = min(state.questions.count, Self.batch)
                defer { state.questions.removeFirst(count) }
                if count == 0 { state.isBusy = false }
                return Array(state.questions[..<count])
            }
            if questions.isEmpty { return }
            deliver(answers(to: questions), of: questions)
            // While many ask, fewer and larger statements cost the database a quarter.
            if questions.count >= Self.many {
                return queue.asyncAfter(deadline: .now() + .milliseconds(Self.gather)) { self.work() }
            }
        }
    }

    private func answers(to questions: [Question]) -> [LookupAnswer] {
        let nothing = questions.map { LookupAnswer(ticket: $0.ticket, settled: false) }
        // Who has waited for the statements before as long as one may wait is not made to wait again.
        let oldest = questions.first?.askedAt ?? 0
        let isLate = clock.monotonic() > oldest + UInt64(deadline) * 1_000_000
        guard let connection, !isLate else { return nothing }
        do throws(PostgresError) {
            var answers = nothing
            try fill(&answers, questions, connection)
            isSilent = false
            return answers
        } catch {
            failed(error)
            return nothing
        }
    }

    private func failed(_ error: PostgresError) {
        failures.add()
        if error.origin != .interrupted, !isSilent {
            logger.warning("look-ups pause", metadata: ["error": "\(error)"])
        }
        isSilent = true
        if let connection, connection.isUsable { return }
        connection = nil
        state.withLock { $0.isAway = true }
        again()
    }

    private func again() {
        queue.asyncAfter(deadline: .now() + .milliseconds(Self.pause)) { [weak self] in self?.revive() }
    }

    /// Makes a connection, if there is a database and no connection. Nobody waits for it.
    private func revive() {
        guard connection == nil, let conninfo = state.withLock({ $0.conninfo }) else { return }
        do throws(PostgresError) {
            let new = try Connection(
                conninfo, name: "waymark look-ups", connectTimeout: 500, deadline: deadline,
                interrupter: interrupter)
            try new.keepStatements()
            connection = new
        } catch {
            failed(error)
            return
        }
        state.withLock { state in
            if state.conninfo == conninfo { state.isAway = false }
        }
    }

    private func fill(
        _ answers: inout [LookupAnswer], _ questions: [Question], _ connection: Connection
    ) throws(PostgresError) {
        var (numbers, buckets) = ([Int32](), [Int32]())
        var (profileNumbers, profiles) = ([Int32](), [UUID]())
        var sessions = ArrayColumn(of: Bytes.self)
        for (i, question) in questions.enumerated() {
            if !question.session.isEmpty {
                numbers.append(Int32(i))
                question.session.withUnsafeBytes {
                    buckets.append(bucket(of: $0))
                    sessions.append($0)
                }
            }
            if let profile = question.profile {
                profileNumbers.append(Int32(i))
                profiles.append(profile)
            }
        }
        var parameters = Parameters()
        parameters.append(numbers)
        parameters.append(buckets)
        parameters.append(sessions)
        parameters.append(profileNumbers)
        parameters.append(profiles.map(\.bucket))
        parameters.append(profiles)
        let rows = try connection.execute(Self.question, with: parameters)
        for i in answers.indices { answers[i].settled = true }
        for row in 0..<rows.count {
            let i = rows.int(row, 1)
            if rows.bool(row, 0) {
                answers[i].sessionProfile = rows.uuidOrNil(row, 2)
            } else {
                answers[i].profile = rows.uuidOrNil(row, 2)
            }
        }
    }

    /// One look into an index for each question, however large the tables are and whatever their statistics say: a
    /// join would be planned anew each time, and now and then as a scan.
    private static let question = """
        select true, q.n, (
            select coalesce(a.profile_id, s.profile_id)
            from session s left join alias a on a.bucket = bucket_of(s.profile_id) and a.id = s.profile_id
            where s.bucket = q.bucket and s.id = q.id)
        from unnest($1::int[], $2::int[], $3::text[]) as q(n, bucket, id)
        union all
        select false, q.n, coalesce(
            (select a.profile_id from alias a where a.bucket = q.bucket and a.id = q.id),
            (select p.id from profile p where p.bucket = q.bucket and p.id = q.id))
        from unnest($4::int[], $5::int[], $6::uuid[]) as q(n, bucket, id)
        """

    private func deliver(_ answers: [LookupAnswer], of questions: [Question]) {
        var clients: [ObjectIdentifier: (client: LookupClient, answers: [LookupAnswer])] = [:]
        for (question, answer) in zip(questions, answers) {
            clients[ObjectIdentifier(question.client), default: (question.client, [])].answers.append(answer)
        }
        for (client, answers) in clients.values {
            client.queue.async { client.deliver(answers) }
        }
    }
}
