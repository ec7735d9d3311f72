internal import CLibpq
import Foundations
import Glibc
import Logging
import Synchronization

/// One session with PostgreSQL, over libpq without its blocking calls: every wait has a deadline, so a server that
/// is stopped, or behind a cable that was cut, can hang nobody.
///
/// A connection belongs to one queue or thread at a time; two that use it at once end the process. After a deadline,
/// an interrupt or a loss it is closed for good (`isUsable` is false, each call throws): make another one.
///
/// It suits PgBouncer in transaction mode: no settings of the session, no `LISTEN`, no advisory locks beyond a
/// transaction, and no named statements, unless it talks to the server itself (`keepStatements`).
///
///     let connection = try Connection("host=/run/postgresql dbname=shop", name: "waymark loader")
///     let rows = try connection.execute("select id from profile where bucket = $1", Int32(7))
package final class Connection: @unchecked Sendable {  // owner: see `enter()`
    /// libpq's handle; nil once closed.
    var handle: OpaquePointer?
    /// Why it was closed.
    private var fault: PostgresError?
    private let insider = Atomic<UInt>(0)
    private var depth = 0
    private let noticeBox = NoticeBox()
    var isCopying = false
    /// So many were sent, scripts and transactions' begins and ends included: what must not grow with the work.
    package internal(set) var statements = 0

    /// Has the server statements prepared that are used often?
    package private(set) var keeps = false
    var kept = KeptStatements()

    /// What the server sees in `pg_stat_activity`.
    package let name: String
    package let interrupter: Interrupter
    /// How long a statement may take from sending it to its last answer, in milliseconds. Inside of `transaction`
    /// the server is told as well (`statement_timeout`), so that it does not go on working for nobody.
    package var deadline: Int

    /// Connects. `conninfo` is a connection string of libpq, `host=… dbname=…` or `postgres://…`. Looking
    /// up a server's name counts as well.
    package init(
        _ conninfo: String, name: String, connectTimeout milliseconds: Int = 5000, deadline: Int = 30_000,
        interrupter: Interrupter = Interrupter()
    ) throws(PostgresError) {
        self.name = name
        self.deadline = deadline
        self.interrupter = interrupter
        try connect(conninfo, until: Self.moment(in: milliseconds))
    }

    deinit { close() }

    /// Takes what the server says besides: notices and warnings. Nothing by default.
    package var onNotice: ((Notice) -> Void)? {
        get { noticeBox.handler }
        set { noticeBox.handler = newValue }
    }

    /// Whether a statement may be tried. A server that died meanwhile is noticed only by trying.
    package var isUsable: Bool { handle.map { PQstatus($0) == CONNECTION_OK } ?? false }
    /// The server's version: 150018 is 15.18.
    package var serverVersion: Int { handle.map { Int(PQserverVersion($0)) } ?? 0 }
    /// The server's process for this session, as in `pg_stat_activity`.
    package var backend: Int32 { handle.map { PQbackendPID($0) } ?? 0 }
    package var isInTransaction: Bool {
        guard let handle else { return false }
        return PQtransactionStatus(handle) != PQTRANS_IDLE
    }

    /// A setting that the server reports by itself, such as `server_encoding`.
    package func setting(_ name: String) -> String {
        guard let handle, let text = PQparameterStatus(handle, name) else { return "" }
        return String(cString: text)
    }

    /// What a transaction says, or a session with `set`, whose statements find all their rows by keys: a scan or a hash of
    /// a whole table is never better, whatever the statistics of a table say that was just made. Nor is a bitmap: of a
    /// partition that was empty a minute ago the index of its days seems to be as good as that of its profiles.
    package static func byIndex(_ set: String = "set local") -> String {
        ["enable_seqscan", "enable_bitmapscan", "enable_hashjoin", "enable_mergejoin"].map {
            "\(set) \($0) = off"
        }
        .joined(separator: "; ")
    }

    /// From now on the server keeps what is used often: it parses and plans each statement once, which for a small batch
    /// is most of its work. A plan is kept for seconds while tables grow, so all are by index. Only for a session of one's
    /// own: a pooler may give each transaction another one, and shows itself by having made up the process number.
    package func keepStatements() throws(PostgresError) {
        keeps = try Int32(execute("select pg_backend_pid()").int(0, 0)) == backend
        if keeps { try script(Self.byIndex("set")) }
    }

    /// Fails the pending wait, and all later ones, at once; from any thread.
    package nonisolated func interrupt() { interrupter.interrupt() }

    /// Says good-bye if that is possible without waiting. May be called again.
    package func close() {
        guard let handle else { return }
        self.handle = nil
        PQfinish(handle)
    }

    /// Marks the connection as closed because of `error`.
    func lose(_ error: PostgresError) -> PostgresError {
        if let handle {
            let socket = PQsocket(handle)
            if error.origin != .server, socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
        }
        close()
        if fault == nil { fault = error }
        return error
    }

    /// libpq's handle, or the error that says why there is none any more.
    func open(_ context: String) throws(PostgresError) -> OpaquePointer {
        precondition(!isCopying, "a statement during a COPY")
        if let handle { return handle }
        let reason = fault.map { ": \($0.message)" } ?? ""
        throw PostgresError(.lost, "the connection is closed\(reason)", context: context)
    }

    /// The caller is the only one inside until `leave()`; calls from within calls are fine.
    func enter() {
        let me = UInt(pthread_self())
        let (isFree, other) = insider.compareExchange(
            expected: 0, desired: me, ordering: .acquiringAndReleasing)
        precondition(isFree || other == me, "connection \(name) is used by two threads at once")
        depth += 1
    }

    func leave() {
        depth -= 1
        if depth == 0 { insider.store(0, ordering: .releasing) }
    }

    /// Tries one place after the other; each may take its share of what is left of the time.
    private func connect(_ conninfo: String, until end: UInt64) throws(PostgresError) {
        let context = "connecting to \(Conninfo.describe(conninfo))"
        let targets = Target.all(of: conninfo, until: end, interrupter)
        var failure = PostgresError(.lost, "the server's name cannot be resolved", context: context)
        if interrupter.isInterrupted {
            failure = PostgresError(.interrupted, "interrupted", context: context)
        }
        for (index, target) in targets.enumerated() {
            let now = Clock.system.monotonic()
            let share = (max(end, now) - now) / UInt64(targets.count - index)
            do throws(PostgresError) {
                try connect(conninfo, target, until: now + share, context)
                fault = nil
                return
            } catch {
                failure = error
                if error.origin == .interrupted { break }
            }
        }
        throw failure
    }

    /// Connects step by step (`PQconnectPoll`), never longer than until `end`.
    private func connect(
        _ conninfo: String, _ target: Target, until end: UInt64, _ context: String
    ) throws(PostgresError) {
        guard let handle = Self.start(conninfo, target, name: name) else {
            throw PostgresError(.lost, "out of memory", context: context)
        }
        self.handle = handle
        noticeBox.attach(to: handle)
        var step = PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while step != PGRES_POLLING_OK {
            if step == PGRES_POLLING_FAILED { throw lost(context) }
            let events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT
            try wait(for: Int16(events), until: end, context)
            step = PQconnectPoll(handle)
        }
        if PQsetnonblocking(handle, 1) != 0 { throw lost(context) }
    }

    private static func start(_ conninfo: String, _ target: Target, name: String) -> OpaquePointer? {
        // What comes later wins; `fallback_` lets the operator's own name win.
        let settings =
            [("dbname", conninfo), ("client_encoding", "UTF8"), ("fallback_application_name", name)]
            + target.settings
        return withCStrings(settings.map(\.0)) { keywords in
            withCStrings(settings.map(\.1)) { values in PQconnectStartParams(keywords, values, 1) }
        }
    }

    static func message(of handle: OpaquePointer) -> String {
        PQerrorMessage(handle).map { String(cString: $0) }.map(trimmingLines) ?? ""
    }

    /// When we give a statement up. In a transaction the server has the same deadline, and a second to say so.
    func patience() -> UInt64 { Self.moment(in: isInTransaction ? deadline + 1000 : deadline) }

    static func moment(in milliseconds: Int) -> UInt64 {
        Clock.system.monotonic() + UInt64(max(milliseconds, 0)) * 1_000_000
    }
}
