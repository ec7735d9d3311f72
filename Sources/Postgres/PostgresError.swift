/// What went wrong between us and PostgreSQL: the server's SQLSTATE and words, or our own when there was no answer.
package struct PostgresError: Error, Equatable, Sendable {
    package enum Origin: Sendable {
        /// The server answered with an error.
        case server
        /// The connection could not be made, or broke.
        case lost
        /// The server did not answer in time; the connection was closed.
        case deadline
        /// `interrupt()` was called; the connection was closed.
        case interrupted
    }

    package var origin: Origin
    /// Five characters; empty when the error is the client's side.
    package var sqlstate = ""
    package var message: String
    /// May hold values of rows: for the quarantine, not for a log.
    package var detail = ""
    package var hint = ""
    /// The server's CONTEXT, such as `COPY event, line 3, column properties`. May hold values of rows.
    package var location = ""
    package var table = ""
    package var column = ""
    package var constraint = ""
    /// What we were doing, in words.
    package var context: String

    package init(_ origin: Origin, _ message: String, sqlstate: String = "", context: String) {
        self.origin = origin
        self.message = message
        self.sqlstate = sqlstate
        self.context = context
    }
}

extension PostgresError {
    /// The rows that were sent are at fault, and would be at every try.
    ///
    /// - `22…` data exception: text that is no UTF-8, a number out of range, broken JSON.
    /// - `54…` a limit of PostgreSQL: nested too deep, too large for an index.
    /// - `23502` not null, `23514` check: a value that its column does not take. But a row for which there is no
    ///   partition is a `23514` as well, without the name of a constraint; that is for us to mend, and waits.
    ///
    /// Not `23505`: our inserts say `ON CONFLICT`, so a duplicate is a race with another loader and gone at the
    /// next try. Not `23503`: what a row refers to is ours to have made. All else is the server's state.
    package var isDataFault: Bool {
        guard origin == .server else { return false }
        if sqlstate.hasPrefix("22") || sqlstate.hasPrefix("54") || sqlstate == "23502" { return true }
        return sqlstate == "23514" && !constraint.isEmpty
    }

    private static let staleState = "WM002"

    /// What the transaction goes by was changed by another one since it was read, which PostgreSQL cannot see.
    package static func stale(_ message: String, context: String) -> PostgresError {
        PostgresError(.server, message, sqlstate: staleState, context: context)
    }

    package var isStale: Bool { origin == .server && sqlstate == Self.staleState }

    /// Another transaction was in the way; the next try finds it done.
    package var isCollision: Bool {
        isStale || origin == .server && (sqlstate == "40001" || sqlstate == "40P01")
    }

    /// The connection is gone: whoever had it must make another one.
    package var isConnectionLost: Bool { origin != .server || connectionClosed }

    /// The same transaction may well succeed at the next try: a deadlock, a lock or statement that timed out,
    /// a server that restarts, a lost connection.
    package var isRetryable: Bool {
        if isConnectionLost || isCollision { return true }
        return sqlstate == "55P03" || sqlstate.hasPrefix("57") || sqlstate.hasPrefix("08")
    }

    /// Errors after which the server ends the session (`57P01` and its kind, `08…`).
    private var connectionClosed: Bool {
        switch sqlstate {
        case "57P01", "57P02", "57P03", "57P05", "25P03": return true
        default: return sqlstate.hasPrefix("08")
        }
    }
}

extension PostgresError: CustomStringConvertible {
    /// Fit for a log and for an answer: without detail and location, which may quote rows, and without the value
    /// that the message of a data exception quotes (`invalid input syntax for type uuid: "…"`).
    package var description: String {
        let message = sqlstate.hasPrefix("22") ? Self.unquoted(message) : message
        return sqlstate.isEmpty ? "\(context): \(message)" : "\(context): \(message) (SQLSTATE \(sqlstate))"
    }

    /// A message without what it quotes, from the first quotation mark to the last: a value may hold some itself.
    static func unquoted(_ message: String) -> String {
        guard let first = message.firstIndex(of: "\""), let last = message.lastIndex(of: "\"") else {
            return message
        }
        return message[..<first] + "\"…\"" + (first < last ? message[message.index(after: last)...] : "")
    }
}
