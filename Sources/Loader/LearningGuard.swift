import Foundations
import Logging
import Payload
import Spool

/// Sees to it that an event which crashes the catalogue is found and left out, instead of crashing the server at every
/// start: an event is stored for sure, but to learn from it is not worth the service.
///
/// A record is noted on disk before it is learnt from (see `LoadingNote`). What crashed the server there is looked at
/// again event by event, each noted; the one that crashes it alone, for the second time, is not learnt from.
final class LearningGuard {
    private let note: LoadingNote
    private let logger: Logger
    private var suspicion: Suspicion?
    /// Events that were left out.
    private(set) var skipped = 0

    init(path: String, logger: Logger) throws(SystemError) {
        self.logger = logger
        note = try LoadingNote(path: path)
        suspicion = try note.suspicion()
        if let suspicion {
            logger.warning(
                "the server crashed while it learnt of activities: trying with care",
                metadata: ["position": "\(suspicion.begin.record)"])
        }
    }

    /// Calls `body` for the whole record, or, where something in it crashed the server, for each of its events.
    /// - Parameters:
    ///   - count: how many events it has.
    ///   - body: learns from the events of the range, counted within the record.
    func learn(_ record: Position, count: () throws -> Int, _ body: (Range<Int>) throws -> Void) throws {
        guard let suspect = suspicion, suspect.begin.record == record else {
            // How many does not matter, but it is not the one.
            let range = Suspicion(begin: LoadPosition(record: record, part: 0), events: 2, crashes: 0)
            return try note.trying(range) { try body(0..<Int.max) }
        }
        for i in 0..<(try count()) {
            let begin = LoadPosition(record: record, part: i)
            let isSame = suspect.events == 1 && suspect.begin == begin
            let trial = Suspicion(begin: begin, events: 1, crashes: isSame ? suspect.crashes : 0)
            if trial.isFound {
                skipped += 1
                logger.error(
                    "an event crashed the server twice: it is stored, and the catalogue does not learn from it",
                    metadata: ["position": "\(record)", "event": "\(i)"])
            } else {
                try note.trying(trial) { try body(i..<i + 1) }
            }
        }
        // Nothing of this is committed yet, and it may have to be learnt anew.
        note.write(suspect)
    }

    /// What is committed is beyond suspicion.
    func committed(upTo position: Position) {
        guard let suspect = suspicion, suspect.begin.record < position else { return }
        suspicion = nil
        note.write(nil)
    }
}
