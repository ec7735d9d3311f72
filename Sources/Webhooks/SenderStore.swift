import Dispatch
import Foundations
import Logging
import Postgres

/// The sender's side of the database: does errands one at a time on a queue of its own, so that requests go out and
/// answers come in meanwhile.
final class SenderStore: @unchecked Sendable {  // owner of all `var`s: `queue`
    private let queue = DispatchQueue(label: "waymark.sender.store")
    private let id: UUID
    private let host: String
    private let logger: Logger
    private let interrupter = Interrupter()
    private var conninfo: String?
    private var connection: Connection?

    init(host: String, logger: Logger) {
        (self.host, self.logger) = (host, logger)
        var random = RandomSource()
        id = .v4(&random)
    }

    func use(_ conninfo: String?) {
        queue.async {
            self.conninfo = conninfo
            self.disconnect()
        }
    }

    /// Does it; `done` is called on our queue.
    func run(_ errand: Errand, _ done: @escaping @Sendable (Errand.Outcome) -> Void) {
        queue.async {
            var outcome = Errand.Outcome()
            do throws(PostgresError) {
                try self.run(errand, &outcome, try self.connected())
            } catch {
                outcome.error = error
                if !error.isWorthTheSameAgain { self.disconnect() }
            }
            done(outcome)
        }
    }

    /// Records what is left, says good-bye, and ends; in two seconds at the latest if the database does not answer.
    func close(_ last: Errand, _ done: @escaping @Sendable () -> Void) {
        queue.async {
            if let connection = self.connection, connection.isUsable {
                var outcome = Errand.Outcome()
                try? self.run(last, &outcome, connection)
                _ = try? connection.execute("delete from sender where id = $1", self.id)
            }
            self.conninfo = nil
            self.disconnect()
            done()
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + 2) { [interrupter] in interrupter.interrupt() }
    }

    // MARK: An errand

    private func run(
        _ errand: Errand, _ outcome: inout Errand.Outcome, _ connection: Connection
    ) throws(PostgresError) {
        try Claim.release(errand.giveBack, until: errand.now, connection)
        for name in errand.probes where try WebhookStore.takeProbe(name, at: errand.now, connection) {
            outcome.probes.append(name)
        }
        try exchange(errand, &outcome, connection)
        try takeEarly(errand, &outcome, connection)
        if !errand.batches.isEmpty {
            outcome.batches = try BatchStore.fetch(errand.batches, at: errand.now, connection)
        }
        for transition in errand.transitions {
            outcome.transitions.append(try make(transition, at: errand.now, connection))
        }
        try TallyStore.write(errand.tallies, connection)
        outcome.areTalliesWritten = true
        if let known = errand.known { outcome.statuses = try SenderTables.statuses(known, connection) }
        if errand.beats {
            outcome.share = try SenderTables.beat(id, host: host, at: errand.now, connection)
        }
    }

    /// Records what went out and takes what is next, in one transaction: they share their way to the disk.
    private func exchange(
        _ errand: Errand, _ outcome: inout Errand.Outcome, _ connection: Connection
    ) throws(PostgresError) {
        do throws(PostgresError) {
            try exchange(errand.results, errand, &outcome, connection)
        } catch {
            guard error.isDataFault, !errand.results.isEmpty else { throw error }
            try recordOneByOne(errand, connection)
            outcome.isRecorded = true
            try exchange([], errand, &outcome, connection)
        }
    }

    private func exchange(
        _ results: [AttemptResult], _ errand: Errand, _ outcome: inout Errand.Outcome,
        _ connection: Connection
    ) throws(PostgresError) {
        let rooms = errand.rooms + outcome.probes.map { ($0, 1) }
        guard !results.isEmpty || !rooms.isEmpty else { return }
        let claimed = try connection.byIndex("recording and claiming") { () throws(PostgresError) in
            try ResultStore.write(results, now: errand.now, connection)
            let own = try Claim.find(
                rooms, share: errand.share, leaseUntil: errand.leaseUntil, now: errand.now, connection)
            guard errand.takesStrays else { return own }
            return try own
                + Claim.strays(
                    rooms, beside: own, leaseUntil: errand.leaseUntil, now: errand.now, connection)
        }
        outcome.isRecorded = true
        if !rooms.isEmpty { outcome.claimed = claimed }
    }

    /// A result that no table takes must not keep the others from being recorded. Its delivery goes out again.
    private func recordOneByOne(_ errand: Errand, _ connection: Connection) throws(PostgresError) {
        for result in errand.results {
            do throws(PostgresError) {
                try ResultStore.record([result], now: errand.now, connection)
            } catch {
                guard error.isDataFault else { throw error }
                logger.error(
                    "an attempt cannot be recorded",
                    metadata: ["delivery": "\(result.claim.id)", "error": "\(error)"])
            }
        }
    }

    /// Deliveries of a paused webhook may all wait for hours: a probe does not.
    private func takeEarly(
        _ errand: Errand, _ outcome: inout Errand.Outcome, _ connection: Connection
    ) throws(PostgresError) {
        for webhook in errand.early + outcome.probes {
            if outcome.claimed?.contains(where: { $0.webhook == webhook }) == true { continue }
            let claimed = try Claim.takeEarly(
                webhook, leaseUntil: errand.leaseUntil, now: errand.now, connection)
            outcome.claimed = (outcome.claimed ?? []) + claimed
        }
    }

    private func make(
        _ transition: Errand.Transition, at now: Timestamp, _ connection: Connection
    ) throws(PostgresError) -> Bool {
        let from: [WebhookStatus.State] =
            switch transition.state {
            case .active: [.paused]
            case .paused: [.active]
            case .disabled: [.active, .paused]
            }
        return try WebhookStore.change(
            transition.webhook, from: from, to: transition.state, reason: transition.reason, at: now,
            connection)
    }

    // MARK: The connection

    private func connected() throws(PostgresError) -> Connection {
        if let connection, connection.isUsable { return connection }
        guard let conninfo else { throw PostgresError(.lost, "no database yet", context: "connecting") }
        let new = try Connection(conninfo, name: "waymark sender", interrupter: interrupter)
        do {
            try migrate(new, Schema.migrations)
        } catch {
            throw PostgresError(.lost, "\(error)", context: "connecting")
        }
        connection = new
        return new
    }

    private func disconnect() {
        connection?.close()
        connection = nil
    }
}

extension PostgresError {
    /// A deadlock with another server, say: nothing that was claimed is lost.
    var isWorthTheSameAgain: Bool { origin == .server && isRetryable && !isConnectionLost }
}
