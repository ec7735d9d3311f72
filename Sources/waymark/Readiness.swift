import Foundations
import Identity
import Loader
import Payload
import Spool

/// Whether the server can take and store events, and what is wrong if not: the answer of `/readyz`.
///
/// While PostgreSQL is away, events are still answered 200 and wait in the spool: a load balancer that must not turn
/// them away asks `/healthz`, an alarm `/readyz`.
struct Readiness {
    /// How old the oldest event may be that is not in PostgreSQL yet, in seconds.
    static let lag: Int64 = 60

    private var wrong: [(name: StaticString, reason: String)] = []

    init(
        spool: SpoolStatus, loader: LoaderStatus, database: String?, mail: String? = nil, isKnown: Bool,
        isDraining: Bool,
        now: Timestamp
    ) {
        if isDraining { wrong.append(("server", "it is shutting down")) }
        if !isKnown { wrong.append(("installation", "the database was not reached yet, not once")) }
        if let fault = database ?? loader.fault {
            wrong.append(("database", fault))
        } else if !loader.isConnected {
            wrong.append(("database", "not connected yet"))
        }
        if let failure = spool.failure {
            wrong.append(("spool", failure))
        } else if spool.isFull {
            wrong.append(("spool", "it is full: \(spool.bytes) of \(spool.capacity) bytes"))
        }
        if let oldest = spool.oldestUnloaded, now.seconds - oldest.seconds > Self.lag {
            let text =
                "the oldest event waits for \(now.seconds - oldest.seconds) s (\(spool.backlogBytes) bytes in all)"
            wrong.append(("lag", text))
        }
        if let mail { wrong.append(("mail", mail)) }
        if let line = loader.ledgerMismatch { wrong.append(("ledger", "it does not add up: \(line)")) }
    }

    var isReady: Bool { wrong.isEmpty }

    /// What is wrong, by the part that it is wrong with.
    var reasons: [(part: String, reason: String)] { wrong.map { ("\($0.name)", $0.reason) } }

    /// `{"status":"ready"}`, or `{"status":"not ready","database":"…"}` with a reason for each thing that is wrong.
    func render(_ out: inout ByteBuffer) {
        out.append(isReady ? "{\"status\":\"ready\"" : "{\"status\":\"not ready\"")
        for (name, reason) in wrong {
            out.append(",\"")
            out.append(name)
            out.append("\":")
            _ = appendJSONString(reason, to: &out)
        }
        out.append("}\n")
    }
}
