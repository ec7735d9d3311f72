import Dispatch
import Foundations
import Logging
import Postgres

/// One of those who do what needs the database, with a connection that is made when there is something to do and
/// closed when there was nothing for a while.
final class Worker: @unchecked Sendable {  // owner of all `var`s: `queue`
    private static let connectTimeout = 2000
    /// For so long a connection is kept for the next question; seconds.
    private static let keep = 30

    private let queue: DispatchQueue
    private unowned let room: Workroom
    private var connection: Connection?
    private var generation = 0
    private var jobs = 0
    private var isSilent = false

    init(number: Int, room: Workroom) {
        queue = DispatchQueue(label: "waymark.admin.\(number)")
        self.room = room
    }

    /// There is something to do.
    func wake() {
        queue.async { [self, room] in
            while let job = room.next(for: self) { job.deliver(result(of: job)) }
            closeLater()
        }
    }

    private func closeLater() {
        let jobs = self.jobs
        queue.asyncAfter(deadline: .now() + .seconds(Self.keep)) { [weak self] in
            guard let self, self.jobs == jobs else { return }
            connection?.close()
            connection = nil
        }
    }

    private func result(of job: Workroom.Job) -> Result<JSONValue, Refusal> {
        jobs += 1
        if room.clock.monotonic() > job.askedAt + room.terms.longestWait {
            return .failure(.unavailable("too much is asked at the moment"))
        }
        do {
            let value = try runTwice(job)
            isSilent = false
            return .success(value)
        } catch let refusal as Refusal {
            return .failure(refusal)
        } catch let error as PostgresError {
            return .failure(refusal(of: error))
        } catch {
            room.logger.error("an admin request failed", metadata: ["error": "\(error)"])
            return .failure(.failed)
        }
    }

    /// A connection that was kept may have died meanwhile: what only reads is then tried again with a new one.
    private func runTwice(_ job: Workroom.Job) throws -> JSONValue {
        let wasKept = connection != nil
        do {
            return try run(job, try connected())
        } catch let error as PostgresError
            where wasKept && job.access == .read && error.isConnectionLost && error.origin != .deadline
        {
            connection?.close()
            connection = nil
            return try run(job, try connected())
        }
    }

    /// The connection that there is, or a new one.
    private func connected() throws -> Connection {
        let target = room.target
        if let connection, connection.isUsable, generation == target.generation { return connection }
        connection?.close()
        connection = nil
        generation = target.generation
        guard let conninfo = target.conninfo else {
            throw Refusal.unavailable("the database is not there at the moment")
        }
        let new = try Connection(
            conninfo, name: "waymark admin", connectTimeout: Self.connectTimeout,
            deadline: room.terms.deadline,
            interrupter: room.interrupter)
        connection = new
        return new
    }

    private func run(_ job: Workroom.Job, _ connection: Connection) throws -> JSONValue {
        defer { if connection.isUsable, connection.isInTransaction { try? connection.rollback() } }
        let terms = room.terms
        connection.deadline = job.access == .read ? terms.deadline : terms.writeDeadline
        if job.access == .read {
            try connection.begin()
            try connection.script("set transaction read only")
        }
        return try job.work(job.inquiry, connection)
    }

    private func refusal(of error: PostgresError) -> Refusal {
        if error.origin == .deadline || error.sqlstate == "57014" {
            room.logger.warning("an admin request took too long", metadata: ["error": "\(error)"])
            return .unavailable("the database takes too long for this", seconds: 10)
        }
        // 42P01: a server that has just been installed has no tables yet.
        if error.isRetryable || error.sqlstate == "42P01" {
            if !isSilent {
                room.logger.warning("an admin request found no database", metadata: ["error": "\(error)"])
            }
            isSilent = true
            return .unavailable("the database is not there at the moment")
        }
        room.logger.error("an admin request failed", metadata: ["error": "\(error)"])
        return .failed
    }
}
