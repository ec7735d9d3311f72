internal import CLibpq
import Foundations

extension Connection {
    /// Runs `COPY table (columns) FROM STDIN (FORMAT binary)` with the rows that `body` writes; returns how many the
    /// server took.
    ///
    /// The server's complaint about a row names line and column in `location`, and comes when `body` is through;
    /// the connection can roll back and go on. When `body` throws, the `COPY` is abandoned and its error thrown on.
    ///
    ///     try connection.copy("COPY session (id, started_at) FROM STDIN (FORMAT binary)") { writer in
    ///         try writer.row(columns: 2)
    ///         writer.append(id)
    ///         writer.append(time)
    ///     }
    @discardableResult
    package func copy(
        _ sql: String, context: String = "", _ body: (inout CopyWriter) throws(PostgresError) -> Void
    ) throws(PostgresError) -> Int {
        enter()
        defer { leave() }
        let context = context.isEmpty ? "running “\(abridged(sql))”" : context
        let handle = try open(context)
        let end = patience()
        if PQsendQuery(handle, sql) == 0 { throw lost(context) }
        try flush(until: end, context)
        try awaitCopyIn(until: end, context)
        isCopying = true
        defer { isCopying = false }
        var writer = CopyWriter { piece throws(PostgresError) in try self.put(piece, until: end, context) }
        do throws(PostgresError) {
            try body(&writer)
            try writer.end()
        } catch {
            if isUsable { try abandonCopy(context) }
            throw error
        }
        if PQputCopyEnd(handle, nil) < 0 { throw lost(context) }
        try flush(until: end, context)
        return try finish(until: end, context)?.affected ?? 0
    }

    private func awaitCopyIn(until end: UInt64, _ context: String) throws(PostgresError) {
        guard let result = try nextResult(until: end, context) else {
            throw lose(PostgresError(.lost, "a COPY without an answer", context: context))
        }
        let status = PQresultStatus(result)
        if status == PGRES_COPY_IN {
            PQclear(result)
            return
        }
        let error = PostgresError(of: result, context: context)
        PQclear(result)
        guard status == PGRES_FATAL_ERROR else {
            throw lose(PostgresError(.lost, "the statement is no COPY … FROM STDIN", context: context))
        }
        _ = try finish(until: end, context)
        throw isUsable ? error : lose(error)
    }

    private func put(_ piece: Bytes, until end: UInt64, _ context: String) throws(PostgresError) {
        let open = handle
        guard let handle = open, let base = piece.baseAddress?.assumingMemoryBound(to: CChar.self) else {
            throw PostgresError(.lost, "the connection is closed", context: context)
        }
        while true {
            switch PQputCopyData(handle, base, Int32(piece.count)) {
            case 1: return try flush(until: end, context)
            case 0: try flush(until: end, context)  // no memory for it just now
            default: throw lost(context)
            }
        }
    }

    /// Tells the server that no more rows come and the ones so far do not count.
    private func abandonCopy(_ context: String) throws(PostgresError) {
        guard let handle else { return }
        let end = patience()
        if PQputCopyEnd(handle, "abandoned by the client") < 0 { throw lost(context) }
        try flush(until: end, context)
        do throws(PostgresError) {
            _ = try finish(until: end, context)
        } catch {
            if error.isConnectionLost { throw error }  // 57014, what we asked for, is expected
        }
    }
}
