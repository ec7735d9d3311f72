internal import CLibpq
import Foundations

extension Connection {
    /// Runs one statement with `$1`, `$2`, …; answers come in binary.
    @discardableResult
    package func execute(
        _ sql: String, _ values: any BinaryValue..., context: String = ""
    ) throws(PostgresError) -> Rows {
        try execute(sql, with: Parameters(values), context: context)
    }

    /// Runs one statement with parameters that the caller encoded, and may reuse.
    @discardableResult
    package func execute(
        _ sql: String, with parameters: borrowing Parameters, context: String = ""
    ) throws(PostgresError) -> Rows {
        enter()
        defer { leave() }
        let context = context.isEmpty ? "running “\(abridged(sql))”" : context
        let handle = try open(context)
        let end = patience()
        statements += 1
        let types = parameters.fields.map(\.type)
        let name = try keeps ? prepared(sql, types, until: end, context) : nil
        if !send(sql, name, types, parameters, handle) { throw lost(context) }
        try flush(until: end, context)
        do throws(PostgresError) {
            if let rows = try finish(until: end, context) { return rows }
        } catch {
            if error.isOfThePlan { kept.forget(sql) }
            throw error
        }
        throw lose(PostgresError(.lost, "a statement without an answer", context: context))
    }

    /// The name under which the server has this statement; nil: it does not.
    private func prepared(
        _ sql: String, _ types: [UInt32], until end: UInt64, _ context: String
    ) throws(PostgresError) -> String? {
        let now = Clock.system.monotonic()
        if let old = kept.expired(sql, at: now) { _ = try run("deallocate \(old)", context: context) }
        if let statement = kept.find(sql, types) { return statement.name }
        guard let name = kept.use(sql) else { return nil }
        let handle = try open(context)
        if PQsendPrepare(handle, name, sql, Int32(types.count), types.map { Oid($0) }) == 0 {
            throw lost(context)
        }
        try flush(until: end, context)
        _ = try finish(until: end, context)
        kept.keep(sql, KeptStatements.Statement(name: name, types: types, since: now))
        return name
    }

    /// Runs several statements without parameters, separated by semicolons; outside of a transaction they are one.
    package func script(_ sql: String, context: String = "") throws(PostgresError) {
        enter()
        defer { leave() }
        _ = try run(sql, context: context.isEmpty ? "running “\(abridged(sql))”" : context)
    }

    /// Runs statements in the simple protocol; the last one's result.
    func run(_ sql: String, context: String) throws(PostgresError) -> Rows? {
        let handle = try open(context)
        let end = patience()
        statements += 1
        if PQsendQuery(handle, sql) == 0 { throw lost(context) }
        try flush(until: end, context)
        return try finish(until: end, context)
    }

    /// Takes all results to the end, so that the connection can go on; throws the first error, returns the last rows.
    func finish(until end: UInt64, _ context: String) throws(PostgresError) -> Rows? {
        var last: Rows?
        var failure: PostgresError?
        while let result = try nextResult(until: end, context) {
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = Rows(result)
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                PQclear(result)
                throw lose(PostgresError(.lost, "COPY is for `copy` only", context: context))
            default:
                let error = PostgresError(of: result, context: context)
                PQclear(result)
                if failure == nil { failure = error }
            }
        }
        guard let failure else { return last }
        if !isUsable { throw lose(failure) }
        throw failure
    }

    private func send(
        _ sql: String, _ name: String?, _ types: [UInt32], _ parameters: borrowing Parameters,
        _ handle: OpaquePointer
    ) -> Bool {
        let base = parameters.buffer.bytes.baseAddress
        let fields = parameters.fields
        let lengths = fields.map { max($0.length, 0) }
        let formats = [Int32](repeating: 1, count: fields.count)
        let values = fields.map { field -> UnsafePointer<CChar>? in
            guard field.length >= 0, let base else { return nil }
            return (base + field.offset).assumingMemoryBound(to: CChar.self)
        }
        let count = Int32(fields.count)
        if let name { return PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1) == 1 }
        return PQsendQueryParams(handle, sql, count, types.map { Oid($0) }, values, lengths, formats, 1) == 1
    }
}

extension PostgresError {
    /// The statement does not fit the tables any more, or the session does not know it.
    fileprivate var isOfThePlan: Bool {
        sqlstate == "0A000" || sqlstate == "26000" || sqlstate.hasPrefix("42")
    }

    /// The error in a result of the server.
    init(of result: OpaquePointer, context: String) {
        self.init(
            .server, field(PG_DIAG_MESSAGE_PRIMARY, of: result),
            sqlstate: field(PG_DIAG_SQLSTATE, of: result),
            context: context)
        detail = field(PG_DIAG_MESSAGE_DETAIL, of: result)
        hint = field(PG_DIAG_MESSAGE_HINT, of: result)
        location = field(PG_DIAG_CONTEXT, of: result)
        table = field(PG_DIAG_TABLE_NAME, of: result)
        column = field(PG_DIAG_COLUMN_NAME, of: result)
        constraint = field(PG_DIAG_CONSTRAINT_NAME, of: result)
        // libpq makes results of its own when the server hangs up in the middle: words, but no SQLSTATE.
        if sqlstate.isEmpty {
            origin = .lost
            message = PQresultErrorMessage(result).map { trimmingLines(String(cString: $0)) } ?? ""
        }
    }
}

/// The beginning of a statement on one line, for messages.
func abridged(_ sql: String) -> String {
    let words = sql.split { $0 == " " || $0 == "\n" || $0 == "\t" }.joined(separator: " ")
    return words.count > 60 ? words.prefix(59) + "…" : words
}
