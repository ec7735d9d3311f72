internal import CLibpq
import Logging

/// What the server says besides an answer.
package struct Notice: Sendable {
    package let severity: String
    package let sqlstate: String
    package let message: String
}

extension Notice {
    /// Warnings at `warning`; everything else at `debug`, without what it quotes: that may be a parameter's name.
    package func log(to logger: Logger) {
        let isWarning = severity == "WARNING"
        let message = isWarning ? message : PostgresError.unquoted(message)
        logger.log(
            level: isWarning ? .warning : .debug, "PostgreSQL: \(message)",
            metadata: ["sqlstate": "\(sqlstate)"])
    }
}

/// Where libpq finds the handler for notices; it lives as long as its connection.
final class NoticeBox {
    var handler: ((Notice) -> Void)?

    func attach(to handle: OpaquePointer) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        _ = PQsetNoticeReceiver(
            handle,
            { me, result in
                guard let me, let result else { return }
                let box = Unmanaged<NoticeBox>.fromOpaque(me).takeUnretainedValue()
                box.handler?(Notice(of: result))
            }, me)
    }
}

extension Notice {
    init(of result: OpaquePointer) {
        severity = field(PG_DIAG_SEVERITY_NONLOCALIZED, of: result)
        sqlstate = field(PG_DIAG_SQLSTATE, of: result)
        message = field(PG_DIAG_MESSAGE_PRIMARY, of: result)
    }
}

/// A field of an error or notice; empty when it has none. The codes are characters in C.
func field(_ code: Int32, of result: OpaquePointer) -> String {
    PQresultErrorField(result, code).map { String(cString: $0) } ?? ""
}

// `libpq-fe.h` has them as character constants, which Swift imports as `UInt8` or not at all.
let PG_DIAG_SEVERITY_NONLOCALIZED = Int32(UInt8(ascii: "V"))
let PG_DIAG_SQLSTATE = Int32(UInt8(ascii: "C"))
let PG_DIAG_MESSAGE_PRIMARY = Int32(UInt8(ascii: "M"))
let PG_DIAG_MESSAGE_DETAIL = Int32(UInt8(ascii: "D"))
let PG_DIAG_MESSAGE_HINT = Int32(UInt8(ascii: "H"))
let PG_DIAG_CONTEXT = Int32(UInt8(ascii: "W"))
let PG_DIAG_TABLE_NAME = Int32(UInt8(ascii: "t"))
let PG_DIAG_COLUMN_NAME = Int32(UInt8(ascii: "c"))
let PG_DIAG_CONSTRAINT_NAME = Int32(UInt8(ascii: "n"))
