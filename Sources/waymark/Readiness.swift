import Foundations
import Identity
import Loader
import Payload
import Spool

/// Whether the server can serve, and what is wrong if not: the answer of `/readyz`.
///
/// `accepting` leaves out what does not keep it from taking events safely: while PostgreSQL is away, events are
/// answered 200 and wait in the spool, so a load balancer should ask `/readyz?accepting`, an alarm `/readyz`.
struct Readiness {
    /// How old the oldest event may be that is not in PostgreSQL yet, in seconds.
    static let lag: Int64 = 60

    private var wrong: [(name: StaticString, reason: String, stopsAccepting: Bool)] = []

    init(
        spool: SpoolStatus, loader: LoaderStatus, database: String?, isKnown: Bool, isDraining: Bool,
        now: Timestamp
    ) {
        if isDraining { wrong.append(("server", "it is shutting down", true)) }
        if !isKnown { wrong.append(("installation", "the database was not reached yet, not once", true)) }
        if let fault = database ?? loader.fault {
            wrong.append(("database", fault, false))
        } else if !loader.isConnected {
            wrong.append(("database", "not connected yet", false))
        }
        if let failure = spool.failure {
            wrong.append(("spool", failure, true))
        } else if spool.isFull {
            wrong.append(("spool", "it is full: \(spool.bytes) of \(spool.capacity) bytes", true))
        }
        if let oldest = spool.oldestUnloaded, now.seconds - oldest.seconds > Self.lag {
            let text =
                "the oldest event waits for \(now.seconds - oldest.seconds) s (\(spool.backlogBytes) bytes in all)"
            wrong.append(("lag", text, false))
        }
        if let line = loader.ledgerMismatch { wrong.append(("ledger", "it does not add up: \(line)", false)) }
    }

    func isReady(accepting: Bool) -> Bool { !wrong.contains { !accepting || $0.stopsAccepting } }

    /// `{"status":"ready"}`, or `{"status":"not ready","database":"…"}` with a reason for each thing that is wrong.
    func render(accepting: Bool, _ out: inout ByteBuffer) {
        out.append(isReady(accepting: accepting) ? "{\"status\":\"ready\"" : "{\"status\":\"not ready\"")
        for (name, reason, _) in wrong {
            out.append(",\"")
            out.append(name)
            out.append("\":")
            _ = appendJSONString(reason, to: &out)
        }
        out.append("}\n")
    }
}
