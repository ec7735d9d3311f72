internal import CLibpq
import Foundations

extension Connection {
    /// Runs `body` between `BEGIN` and `COMMIT`; rolls back and throws on when it fails.
    ///
    /// A lost connection during `COMMIT` leaves open whether it took place: whoever must know reads it back.
    @discardableResult
    package func transaction<Result>(
        context: String = "", _ body: () throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        enter()
        defer { leave() }
        try begin(context: context)
        do throws(PostgresError) {
            let result = try body()
            try commit(context: context)
            return result
        } catch {
            if isUsable, isInTransaction { try? rollback() }
            throw error
        }
    }

    /// Begins a transaction whose statements the server gives up by itself at our deadline; and so it does with the
    /// session, when nothing comes from us for so long. A process that stands still keeps nothing locked.
    package func begin(context: String = "") throws(PostgresError) {
        enter()
        defer { leave() }
        let timeout = max(deadline, 1)
        let sql = """
            BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = \(timeout); \
            SET LOCAL idle_in_transaction_session_timeout = \(timeout)
            """
        _ = try run(sql, context: context.isEmpty ? "beginning a transaction" : context)
    }

    package func commit(context: String = "") throws(PostgresError) {
        enter()
        defer { leave() }
        let context = context.isEmpty ? "committing" : context
        let rows = try run("COMMIT", context: context)
        // In a transaction that failed, COMMIT is a ROLLBACK and no error.
        guard rows?.tag == "COMMIT" else {
            throw PostgresError(
                .server, "the transaction had failed and was rolled back", sqlstate: "25P02", context: context
            )
        }
    }

    package func rollback() throws(PostgresError) {
        enter()
        defer { leave() }
        _ = try run("ROLLBACK", context: "rolling back")
    }

    /// Runs `body` so that its failure, and nothing else of the transaction, is undone.
    @discardableResult
    package func savepoint<Result>(_ body: () throws(PostgresError) -> Result) throws(PostgresError) -> Result
    {
        enter()
        defer { leave() }
        _ = try run("SAVEPOINT inner_part", context: "setting a savepoint")
        do throws(PostgresError) {
            let result = try body()
            _ = try run("RELEASE SAVEPOINT inner_part", context: "releasing a savepoint")
            return result
        } catch {
            if isUsable {
                let sql = "ROLLBACK TO SAVEPOINT inner_part; RELEASE SAVEPOINT inner_part"
                _ = try run(sql, context: "rolling back to a savepoint")
            }
            throw error
        }
    }
}
