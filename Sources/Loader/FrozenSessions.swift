import Postgres

/// Ends the sessions of servers that stand still in the middle of a transaction: a process that was stopped, a virtual
/// machine that was paused, a host that lost its network. What they had locked, others would wait for in vain; they
/// themselves find their connection lost when they come back, and try again.
///
/// PostgreSQL does so by itself between two statements (`idle_in_transaction_session_timeout`, see `begin`), but not
/// within a COPY that waits for its client.
enum FrozenSessions {
    /// Of this program only, and only those from which nothing came for so many seconds. Returns how many there were.
    static func end(after seconds: Int, _ connection: Connection) throws(PostgresError) -> Int {
        let rows = try connection.execute(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
                and application_name like 'waymark %' and wait_event = 'ClientRead' and state <> 'idle'
                and state_change < clock_timestamp() - make_interval(secs => $1::bigint)
            """, Int64(seconds), context: "ending sessions of servers that stand still")
        return rows.count
    }
}
