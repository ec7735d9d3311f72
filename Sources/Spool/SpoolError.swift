import Foundations

/// Why the spool did not do what it was asked.
package enum SpoolError: Error, Equatable, CustomStringConvertible {
    /// Another process works in this data directory; its process id, 0 when it could not be learnt.
    case locked(path: String, pid: Int32)
    /// The system refused; the frame is not on disk and will not be delivered.
    case failed(SystemError)
    /// The frame is larger than a segment.
    case tooLarge(bytes: Int, limit: Int)
    /// The spool is closed.
    case closed
    /// The position lies before the oldest segment, or in one that is missing: what follows it is gone.
    case positionLost(wanted: Position, oldest: Position)
    /// The position lies behind everything that was ever made durable here: the spool lost its end.
    case positionAhead(wanted: Position, durable: Position)
    /// A file that must be readable is not; the text says what was found.
    case damaged(path: String, found: String)
    /// A segment was written by a newer version of the program.
    case newerFormat(path: String, version: UInt32)
    /// A segment belongs to another spool.
    case foreign(path: String)

    package var description: String {
        switch self {
        case .locked(let path, let pid):
            let who = pid > 0 ? "process \(pid)" : "another process"
            return "\(path) is in use by \(who)"
        case .failed(let error): return "the spool cannot write: \(error)"
        case .tooLarge(let bytes, let limit): return "a record of \(bytes) bytes, the limit is \(limit)"
        case .closed: return "the spool is closed"
        case .positionLost(let wanted, let oldest):
            return
                "position \(wanted) is no longer in the spool, the oldest is \(oldest): what lies between is lost"
        case .positionAhead(let wanted, let durable):
            return "position \(wanted) lies behind the end of the spool at \(durable): the spool lost its end"
        case .damaged(let path, let found):
            return "\(path) is damaged: \(found); move it away to start without it"
        case .newerFormat(let path, let version):
            return "\(path) has format \(version), this program reads up to \(SegmentFormat.latest.rawValue)"
        case .foreign(let path):
            return "\(path) belongs to another spool; move it away to start without it"
        }
    }
}
