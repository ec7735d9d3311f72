internal import CLibpq
import Foundations
import Glibc

/// Waiting, always with an end: the only place where a connection blocks.
extension Connection {
    /// Waits until the socket can be read or written; throws at the deadline or when interrupted.
    @discardableResult
    func wait(for events: Int16, until end: UInt64, _ context: String) throws(PostgresError) -> Int16 {
        guard let handle else { throw PostgresError(.lost, "the connection is closed", context: context) }
        while true {
            if interrupter.isInterrupted {
                throw lose(PostgresError(.interrupted, "interrupted", context: context))
            }
            let now = Clock.system.monotonic()
            guard now < end else {
                throw lose(PostgresError(.deadline, "no answer within the deadline", context: context))
            }
            var left = min((end - now + 999_999) / 1_000_000, 3_600_000)
            if interrupter.readEnd < 0 { left = min(left, 100) }
            var polled = [
                pollfd(fd: PQsocket(handle), events: events, revents: 0),
                pollfd(fd: interrupter.readEnd, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&polled, 2, Int32(left))
            // Errors and hang-ups are libpq's to find out: it reads or writes next.
            if ready > 0, polled[0].revents != 0 { return polled[0].revents }
        }
    }

    /// Sends all that libpq holds back, and takes what comes meanwhile, so that neither side waits for the other.
    func flush(until end: UInt64, _ context: String) throws(PostgresError) {
        while true {
            guard let handle else { throw PostgresError(.lost, "the connection is closed", context: context) }
            switch PQflush(handle) {
            case 0: return
            case 1:
                let ready = try wait(for: Int16(POLLIN | POLLOUT), until: end, context)
                if ready & Int16(POLLIN) != 0 { try consume(context) }
            default: throw lost(context)
            }
        }
    }

    /// The next result of the statement that runs; nil when it is done.
    func nextResult(until end: UInt64, _ context: String) throws(PostgresError) -> OpaquePointer? {
        while let handle {
            if PQisBusy(handle) == 0 { return PQgetResult(handle) }
            try wait(for: Int16(POLLIN), until: end, context)
            try consume(context)
        }
        throw PostgresError(.lost, "the connection is closed", context: context)
    }

    private func consume(_ context: String) throws(PostgresError) {
        guard let handle else { return }
        // An error that the server sent before it hung up is still to be read as a result.
        if PQconsumeInput(handle) == 0, PQisBusy(handle) == 1 || PQstatus(handle) == CONNECTION_BAD {
            throw lost(context)
        }
    }

    /// Closes the connection with libpq's reason.
    func lost(_ context: String) -> PostgresError {
        let message = handle.map { Connection.message(of: $0) } ?? "the connection is closed"
        return lose(PostgresError(.lost, message, context: context))
    }
}
