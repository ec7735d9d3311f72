/// Our settings of the embedded PostgreSQL: for writing much, never at the price of durability.
struct Settings {
    let layout: ClusterLayout
    let major: Int
    /// `lz4` where the server was built with it, else `on` (pglz).
    let compression: String

    var text: String {
        """
        # Written by waymark at each start: changes here are lost.
        # Put your own settings into \(layout.custom); they win.

        include = \(quoted(layout.cluster + "/postgresql.conf"))

        listen_addresses = ''                    # the Unix socket only
        unix_socket_permissions = 0700
        max_connections = 64
        cluster_name = 'waymark'
        timezone = 'UTC'
        lc_messages = 'C'

        # A 200 is on disk.
        fsync = on
        synchronous_commit = on
        full_page_writes = on

        # Few checkpoints, and little to write for each page's first change after one.
        shared_buffers = 128MB
        wal_buffers = 16MB
        max_wal_size = 4GB
        min_wal_size = 512MB
        checkpoint_timeout = 15min
        wal_compression = \(compression)

        # Tables that only grow by COPY still want their visibility map and statistics soon.
        autovacuum_naptime = 20s
        autovacuum_vacuum_scale_factor = 0.05
        autovacuum_vacuum_insert_scale_factor = 0.1
        autovacuum_analyze_scale_factor = 0.05
        autovacuum_vacuum_cost_limit = 1000

        # Many partitions, short statements.
        max_locks_per_transaction = 256
        jit = off
        \(major >= 14 ? "client_connection_check_interval = 5s" : "")

        # One file a weekday, overwritten a week later. Never a statement or a row: they hold people's data.
        log_destination = 'stderr'
        logging_collector = on
        log_directory = \(quoted(layout.log))
        log_filename = 'postgresql-%a.log'
        log_truncate_on_rotation = on
        log_rotation_age = 1d
        log_rotation_size = 0
        log_timezone = 'UTC'
        log_line_prefix = '%m [%p] %a '
        log_min_error_statement = panic
        log_error_verbosity = terse
        log_checkpoints = off

        include_if_exists = \(quoted(layout.custom))

        """
    }

    private func quoted(_ value: String) -> String {
        "'" + value.map { $0 == "'" ? "''" : $0 == "\\" ? "\\\\" : String($0) }.joined() + "'"
    }
}
